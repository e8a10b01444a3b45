// StatefulSets.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { clone, deepEqual, isObject, objectAt, objectsAt, stringAt } from "../json.ts";
import { forbidden, invalid, invalids, nonnegative, nonnegatives, notSupported, required } from "./field-errors.ts";
import { dnsLabel } from "./formats.ts";
import { selects, shownSelector } from "./label-selectors.ts";
import { checkClaimSpec } from "./persistent-volume-claims.ts";
import { checkPodTemplate } from "./pods/pods.ts";
import { checkMatch, checkSelector, checkTemplateLife } from "./workloads.ts";

const TEMPLATE = "spec.template";

export function checkStatefulSet(set: JsonObject, old?: JsonObject): FieldError[] {
  const spec = objectAt(set, "spec");
  const service = stringAt(spec, "serviceName");
  const management = stringAt(spec, "podManagementPolicy");
  return [
    ...(management === "OrderedReady" || management === "Parallel"
      ? []
      : [
          management === ""
            ? required("spec.podManagementPolicy")
            : invalid("spec.podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'"),
        ]),
    ...checkSetStrategy("spec.updateStrategy", objectAt(spec, "updateStrategy")),
    ...checkRetention("spec.persistentVolumeClaimRetentionPolicy", spec["persistentVolumeClaimRetentionPolicy"]),
    ...(old === undefined
      ? objectsAt(spec, "volumeClaimTemplates").flatMap((claim, index) =>
          checkClaimSpec(`spec.volumeClaimTemplates[${index}].spec`, objectAt(claim, "spec")),
        )
      : []),
    ...nonnegatives("spec", spec, ["replicas", "minReadySeconds"]),
    ...nonnegative("spec.ordinals.start", objectAt(spec, "ordinals")["start"]),
    ...(old === undefined && service !== "" ? invalids("spec.serviceName", service, dnsLabel(service)) : []),
    ...checkSelector(spec, "statefulset"),
    ...checkSetTemplate(spec),
    ...checkTemplateLife(spec, "StatefulSet"),
  ];
}

/** The template as it will be once its claims have become volumes. */
function checkSetTemplate(spec: JsonObject): FieldError[] {
  if (selects(spec["selector"], {}) === undefined)
    return [invalid("spec.selector", shownSelector(spec["selector"]), "")];
  const template = clone(objectAt(spec, "template"));
  const pod = objectAt(template, "spec");
  delete pod["subdomain"];
  delete pod["hostname"];
  const claims = objectsAt(spec, "volumeClaimTemplates").map((claim) => stringAt(claim, "metadata", "name"));
  const names = [...new Set(claims)];
  const own = objectsAt(pod, "volumes").filter((volume) => !names.includes(stringAt(volume, "name")));
  const claimed = names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  if (names.length > 0) pod["volumes"] = [...claimed, ...own];
  return [...checkMatch(spec), ...checkPodTemplate(TEMPLATE, template)];
}

function checkSetStrategy(path: string, strategy: JsonObject): FieldError[] {
  const [type, rolling] = [stringAt(strategy, "type"), strategy["rollingUpdate"]];
  const at = `${path}.rollingUpdate`;
  if (type === "") return [required(path)];
  const shown = isObject(rolling) ? { Partition: rolling["partition"] ?? 0, MaxUnavailable: null } : null;
  if (type === "OnDelete")
    return isObject(rolling) ? [invalid(at, shown, "only allowed for updateStrategy 'RollingUpdate'")] : [];
  if (type !== "RollingUpdate")
    return [invalid(path, { Type: type, RollingUpdate: shown }, "must be 'RollingUpdate' or 'OnDelete'")];
  return nonnegative(`${at}.partition`, objectAt(rolling)["partition"]);
}

function checkRetention(path: string, policy: JsonValue | undefined): FieldError[] {
  if (!isObject(policy)) return [];
  const supported = ["Retain", "Delete"];
  return ["whenDeleted", "whenScaled"].flatMap((field) =>
    supported.includes(stringAt(policy, field))
      ? []
      : [notSupported(`${path}.${field}`, stringAt(policy, field), supported)],
  );
}

const SET_FIELDS = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];
const FIXED_SET =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

export function checkStatefulSetUpdate(set: JsonObject, old: JsonObject): FieldError[] {
  const fixed = (object: JsonObject) =>
    Object.fromEntries(Object.entries(objectAt(object, "spec")).filter(([field]) => !SET_FIELDS.includes(field)));
  return deepEqual(fixed(set), fixed(old)) ? [] : [forbidden("spec", FIXED_SET)];
}
