// Pods and templates of pods: what a new one must be, and what may change.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject, JsonValue } from "../../contract.ts";
import { clone, deepEqual, isObject, numberAt, objectAt, objectsAt, stringAt } from "../../json.ts";
import { checkIp } from "../addresses.ts";
import { forbidden, invalid, invalids, required } from "../field-errors.ts";
import { dnsSubdomain, inclusiveRange, qualifiedName } from "../formats.ts";
import { specDiff } from "../internal-form.ts";
import { checkLabels } from "../label-selectors.ts";
import { checkAnnotations } from "../object-meta.ts";
import { checkImageSpaces } from "./containers.ts";
import { checkPodSpec } from "./pod-spec.ts";
import { checkProfileAnnotations, checkProfilesMatch } from "./profile-annotations.ts";
import { checkTolerations } from "./scheduling.ts";

const MIRROR = "kubernetes.io/config.mirror";
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

function checkPodAnnotations(path: string, metadata: JsonObject, spec: JsonObject): FieldError[] {
  const annotations = objectAt(metadata, "annotations");
  const [mirror, cost] = [annotations[MIRROR], annotations[DELETION_COST]];
  const errors: FieldError[] = [];
  if (mirror !== undefined && stringAt(spec, "nodeName") === "")
    errors.push(invalid(`${path}[${MIRROR}]`, mirror, "must set spec.nodeName if mirror pod annotation is set"));
  const isCost = /^(0|-?[1-9]\d*)$/.test(String(cost)) && Math.abs(Number(cost)) < 2 ** 31;
  if (cost !== undefined && !isCost) errors.push(invalid(`${path}[${DELETION_COST}]`, cost, "must be a 32bit integer"));
  return [...errors, ...checkProfileAnnotations(path, annotations, spec)];
}

/** A pod of a node's own file; the API server only shows it. */
export const isMirror = (pod: JsonObject) => objectAt(pod, "metadata", "annotations")[MIRROR] !== undefined;

/** Beyond its metadata, for a new pod and for one that changes. */
export function checkPod(pod: JsonObject): FieldError[] {
  const [metadata, spec] = [objectAt(pod, "metadata"), objectAt(pod, "spec")];
  return [
    ...checkPodAnnotations("metadata.annotations", metadata, spec),
    ...checkPodSpec(spec, { path: "spec", podName: stringAt(metadata, "name") }),
    ...checkTokenUser(spec),
    ...checkImageSpaces("spec.containers", objectsAt(spec, "containers")),
    ...checkImageSpaces("spec.initContainers", objectsAt(spec, "initContainers")),
  ];
}

/** A template gets its service account later, so nothing is asked of it. */
function checkTokenUser(spec: JsonObject): FieldError[] {
  if (stringAt(spec, "serviceAccountName") !== "") return [];
  return objectsAt(spec, "volumes").flatMap((volume, index) =>
    objectsAt(objectAt(volume, "projected"), "sources").flatMap((source, place) => {
      const path = `spec.volumes[${index}].projected.sources[${place}].serviceAccountToken`;
      const why = "must not be specified when serviceAccountName is not set";
      return isObject(source["serviceAccountToken"]) ? [forbidden(path, why)] : [];
    }),
  );
}

export function checkPodCreate(pod: JsonObject): FieldError[] {
  const spec = objectAt(pod, "spec");
  const errors = checkPod(pod);
  if (objectsAt(spec, "ephemeralContainers").length > 0)
    errors.push(forbidden("spec.ephemeralContainers", "cannot be set on create"));
  if (stringAt(spec, "nodeName") !== "" && objectsAt(spec, "schedulingGates").length > 0)
    errors.push(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  return [...errors, ...checkProfilesMatch(pod)];
}

export function checkPodTemplate(path: string, template: JsonObject): FieldError[] {
  const [metadata, spec] = [objectAt(template, "metadata"), objectAt(template, "spec")];
  const errors = [
    ...checkLabels(`${path}.labels`, metadata["labels"]),
    ...checkAnnotations(`${path}.annotations`, metadata["annotations"]),
    ...checkPodAnnotations(`${path}.annotations`, metadata, spec),
    ...checkPodSpec(spec, { path: `${path}.spec`, podName: undefined }),
  ];
  if (objectsAt(spec, "ephemeralContainers").length > 0)
    errors.push(forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template"));
  return errors;
}

const MAX_INT32 = 2_147_483_647;
const CHANGEABLE = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

/** What the message says before it shows the two specs' lines. */
export const FIXED_POD = `pod updates may not change fields other than ${CHANGEABLE}\n`;

export function checkPodUpdate(pod: JsonObject, old: JsonObject): FieldError[] {
  const [next, before] = [objectAt(pod, "spec"), objectAt(old, "spec")];
  const errors = [...checkPod(pod), ...checkMirrorChange(pod, old)];
  for (const list of ["containers", "initContainers"]) {
    const [images, stop] = checkContainerUpdates(list, next, before);
    errors.push(...images);
    if (stop) return errors;
  }
  const deadline = checkDeadline(next["activeDeadlineSeconds"], before["activeDeadlineSeconds"]);
  errors.push(...deadline);
  if (deadline.length > 0 && next["activeDeadlineSeconds"] !== undefined) return errors;
  errors.push(...checkAddedTolerations(next, before), ...checkGates(next, before), ...checkSelector(next, before));
  if (!deepEqual(fixedPart(next, before), before))
    errors.push(forbidden("spec", FIXED_POD + specDiff("PodSpec", before, fixedPart(next, before))));
  return errors;
}

function checkMirrorChange(pod: JsonObject, old: JsonObject): FieldError[] {
  const [next, before] = [objectAt(pod, "metadata", "annotations"), objectAt(old, "metadata", "annotations")];
  if (next[MIRROR] === before[MIRROR]) return [];
  const what = before[MIRROR] === undefined ? "add" : "remove or update";
  return [forbidden(`metadata.annotations[${MIRROR}]`, `may not ${what} mirror pod annotation`)];
}

function checkContainerUpdates(list: string, next: JsonObject, before: JsonObject): [FieldError[], boolean] {
  const containers = objectsAt(next, list);
  if (containers.length !== objectsAt(before, list).length)
    return [[forbidden(`spec.${list}`, "pod updates may not add or remove containers")], true];
  const empty = containers.flatMap((container, index) =>
    stringAt(container, "image") === "" ? [required(`spec.${list}[${index}].image`)] : [],
  );
  return [[...empty, ...checkImageSpaces(`spec.${list}`, containers)], false];
}

function checkDeadline(next: JsonValue | undefined, before: JsonValue | undefined): FieldError[] {
  const field = "spec.activeDeadlineSeconds";
  if (typeof next !== "number") {
    if (before === undefined) return [];
    return [invalid(field, null, "must not update from a positive integer to nil value")];
  }
  if (next < 0 || next > MAX_INT32) return [invalid(field, next, inclusiveRange(0, MAX_INT32))];
  if (typeof before !== "number" || before >= next) return [];
  return [invalid(field, next, "must be less than or equal to previous value")];
}

function checkAddedTolerations(next: JsonObject, before: JsonObject): FieldError[] {
  const tolerations = objectsAt(next, "tolerations");
  const bare = ({ tolerationSeconds: _, ...rest }: JsonObject) => rest;
  const kept = objectsAt(before, "tolerations").every((old) =>
    tolerations.some((toleration) => deepEqual(bare(toleration), bare(old))),
  );
  if (kept) return checkTolerations("spec.tolerations", tolerations);
  return [forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")];
}

function checkGates(next: JsonObject, before: JsonObject): FieldError[] {
  const known = new Set(objectsAt(before, "schedulingGates").map((gate) => stringAt(gate, "name")));
  return objectsAt(next, "schedulingGates").flatMap((gate, index) => {
    const name = stringAt(gate, "name");
    const why = `only deletion is allowed, but found new scheduling gate '${name}'`;
    return known.has(name) ? [] : [forbidden(`spec.schedulingGates[${index}].name`, why)];
  });
}

/** What selects the nodes of a pod that waits at a gate may grow. */
function checkSelector(next: JsonObject, before: JsonObject): FieldError[] {
  if (objectsAt(before, "schedulingGates").length === 0) return [];
  const selector = objectAt(next, "nodeSelector");
  if (Object.entries(objectAt(before, "nodeSelector")).every(([key, value]) => selector[key] === value)) return [];
  const detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
  return [invalid("spec.nodeSelector", next["nodeSelector"] ?? null, detail)];
}

/** The new spec with what may change put back as it was. */
export function fixedPart(next: JsonObject, before: JsonObject): JsonObject {
  const out = clone(next);
  for (const list of ["containers", "initContainers"]) {
    for (const [index, container] of objectsAt(out, list).entries()) {
      const image = objectsAt(before, list)[index]?.["image"];
      if (image !== undefined) container["image"] = image;
    }
  }
  const fields = ["activeDeadlineSeconds", "schedulingGates", "tolerations"];
  const grace = numberAt(before, "terminationGracePeriodSeconds") ?? 0;
  if (grace < 0 && out["terminationGracePeriodSeconds"] === 1) fields.push("terminationGracePeriodSeconds");
  if (objectsAt(before, "schedulingGates").length > 0) fields.push("nodeSelector", "affinity");
  for (const field of fields) {
    const value = before[field];
    if (value === undefined) delete out[field];
    else out[field] = value;
  }
  return out;
}

const SYSTEM_CONDITIONS = new Set(["PodScheduled", "Ready", "Initialized"]);

export function checkPodStatus(pod: JsonObject, old: JsonObject): FieldError[] {
  const [next, before] = [objectAt(pod, "status"), objectAt(old, "status")];
  const nominated = stringAt(next, "nominatedNodeName");
  return [
    ...checkMirrorChange(pod, old),
    ...objectsAt(next, "conditions").flatMap((condition, index) => {
      const type = stringAt(condition, "type");
      if (SYSTEM_CONDITIONS.has(type)) return [];
      return invalids(`status.conditions[${index}].Type`, type, qualifiedName(type));
    }),
    ...(nominated !== "" && nominated !== stringAt(before, "nominatedNodeName")
      ? invalids("status.nominatedNodeName", nominated, dnsSubdomain(nominated))
      : []),
    ...(stringAt(next, "qosClass") === stringAt(before, "qosClass")
      ? []
      : [invalid("status.qosClass", stringAt(next, "qosClass"), "field is immutable")]),
    ...checkStatusIps(next),
  ];
}

function checkStatusIps(status: JsonObject): FieldError[] {
  const hosts = objectsAt(status, "hostIPs");
  const first = stringAt(hosts[0], "ip");
  return [
    ...objectsAt(status, "podIPs").flatMap((one, index) => checkIp(`status.podIPs[${index}]`, stringAt(one, "ip"))),
    ...(isObject(hosts[0]) && first !== stringAt(status, "hostIP")
      ? [invalid("status.hostIPs[0].ip", first, "must be equal to `hostIP`")]
      : []),
    ...hosts.flatMap((one, index) => checkIp(`status.hostIPs[${index}]`, stringAt(one, "ip"))),
  ];
}
