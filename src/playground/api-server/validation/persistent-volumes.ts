// PersistentVolumes.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, deepEqual, isObject, objectAt, stringAt } from "../json.ts";
import { nanoUnits } from "../quantity.ts";
import { forbidden, IMMUTABLE, invalid, invalids, notSupported, required } from "./field-errors.ts";
import { dnsLabel, dnsSubdomain } from "./formats.ts";
import { specDiff } from "./internal-form.ts";
import { noBacksteps } from "./paths.ts";
import { checkAccessModes, VOLUME_MODES } from "./persistent-volume-claims.ts";
import { checkNodeSelector } from "./pods/scheduling.ts";
import {
  checkDriverName,
  checkHostPath,
  PERSISTENT_ISCSI,
  type SourceCheck,
  VOLUME_SOURCES,
} from "./pods/volume-sources.ts";
import { checkPositiveQuantity } from "./resources.ts";

const RECLAIM = ["Delete", "Recycle", "Retain"];
const VOLUME_ORDER = [
  ...["hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte"],
  ...["cephfs", "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk"],
  ...["portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi"],
];

export function checkPersistentVolume(volume: JsonObject): FieldError[] {
  const spec = objectAt(volume, "spec");
  const modes = arrayAt(spec, "accessModes");
  const [policy, mode] = [stringAt(spec, "persistentVolumeReclaimPolicy"), spec["volumeMode"]];
  const [storageClass, affinity] = [stringAt(spec, "storageClassName"), spec["nodeAffinity"]];
  const errors = modes.length === 0 ? [required("spec.accessModes")] : checkAccessModes("spec.accessModes", modes);
  errors.push(...checkCapacity(spec["capacity"]));
  if (policy !== "" && !RECLAIM.includes(policy))
    errors.push(notSupported("spec.persistentVolumeReclaimPolicy", policy, RECLAIM));
  if (isObject(affinity)) errors.push(...checkVolumeAffinity("spec.nodeAffinity", affinity));
  errors.push(...checkVolumeSource(spec));
  if (storageClass !== "") errors.push(...invalids("spec.storageClassName", storageClass, dnsSubdomain(storageClass)));
  if (mode !== undefined && !VOLUME_MODES.includes(String(mode)))
    errors.push(notSupported("spec.volumeMode", mode, VOLUME_MODES));
  return [...errors, ...checkAttributesName("spec", spec)];
}

function checkAttributesName(path: string, spec: JsonObject): FieldError[] {
  const name = spec["volumeAttributesClassName"];
  if (typeof name !== "string") return [];
  const field = `${path}.volumeAttributesClassName`;
  const errors =
    name === "" ? [required(field, "an empty string is disallowed")] : invalids(field, name, dnsSubdomain(name));
  if (isObject(spec["csi"])) return errors;
  return [...errors, required(`${path}.csi`, "has to be specified when using volumeAttributesClassName")];
}

const INLINE = "in the context of inline volumes";
const NOT_INLINE = `may not be specified ${INLINE}`;

/** A volume that is written into what attaches it. */
export function checkInlineVolume(path: string, spec: JsonObject): FieldError[] {
  const modes = arrayAt(spec, "accessModes");
  const [policy, mode] = [stringAt(spec, "persistentVolumeReclaimPolicy"), spec["volumeMode"]];
  const errors: FieldError[] = [];
  const refuse = (field: string, isThere: boolean, why = NOT_INLINE) => {
    if (isThere) errors.push(forbidden(`${path}.${field}`, why));
  };
  refuse("claimRef", isObject(spec["claimRef"]));
  refuse("capacity", Object.keys(objectAt(spec, "capacity")).length > 0);
  if (!isObject(spec["csi"])) errors.push(required(`${path}.csi`, `has to be specified ${INLINE}`));
  if (modes.length === 0) errors.push(required(`${path}.accessModes`));
  errors.push(...checkAccessModes(`${path}.accessModes`, modes));
  refuse("persistentVolumeReclaimPolicy", policy !== "" && policy !== "Retain", `may only be Retain ${INLINE}`);
  refuse("nodeAffinity", isObject(spec["nodeAffinity"]));
  errors.push(...checkVolumeSource(spec, path));
  refuse("storageClassName", stringAt(spec, "storageClassName") !== "");
  const isOther = mode !== undefined && mode !== "Filesystem";
  refuse("volumeMode", isOther, `may not specify volumeMode other than Filesystem ${INLINE}`);
  return [...errors, ...checkAttributesName(path, spec)];
}

function checkCapacity(given: JsonValue | undefined): FieldError[] {
  const capacity = isObject(given) ? given : {};
  const names = Object.keys(capacity);
  const field = "spec.capacity";
  const errors: FieldError[] = names.length === 0 ? [required(field)] : [];
  if (names.length !== 1 || names[0] !== "storage") errors.push(notSupported(field, sorted(given), ["storage"]));
  return [
    ...errors,
    ...Object.entries(capacity).flatMap(([name, value]) => [
      ...(nanoUnits(value) < 0n
        ? [invalid(`${field}[${name}]`, wholeUnits(value), "must be a valid resource quantity")]
        : []),
      ...checkPositiveQuantity(`${field}[${name}]`, value),
    ]),
  ];
}

/** Go shows the keys of a map in order. */
const sorted = (given: JsonValue | undefined) =>
  isObject(given) ? Object.fromEntries(Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1))) : null;

const wholeUnits = (value: JsonValue) => Number(nanoUnits(value) / 1_000_000_000n);

function checkVolumeAffinity(path: string, affinity: JsonObject): FieldError[] {
  const wanted = affinity["required"];
  if (!isObject(wanted)) return [required(`${path}.required`, "must specify required node constraints")];
  return checkNodeSelector(`${path}.required`, wanted);
}

function checkVolumeSource(spec: JsonObject, path = "spec"): FieldError[] {
  const given = VOLUME_ORDER.filter((name) => isObject(spec[name]));
  const errors: FieldError[] = given.length === 0 ? [required(path, "must specify a volume type")] : [];
  for (const [index, name] of given.entries()) {
    if (index > 0 && name !== "flexVolume") {
      const shown = name === "cephfs" ? "cephFS" : name;
      errors.push(forbidden(`${path}.${shown}`, "may not specify more than 1 volume type"));
    } else errors.push(...checkOneSource(name, spec, path));
  }
  const root = stringAt(spec, "hostPath", "path").replace(/\/+$/, "") === "" && isObject(spec["hostPath"]);
  if (root && stringAt(spec, "persistentVolumeReclaimPolicy") === "Recycle") {
    const why = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbidden(`${path}.persistentVolumeReclaimPolicy`, why));
  }
  return errors;
}

function checkOneSource(name: string, spec: JsonObject, of: string): FieldError[] {
  const source = objectAt(spec, name);
  const path = `${of}.${name === "gcePersistentDisk" ? "persistentDisk" : name}`;
  const own = PERSISTENT[name];
  if (own !== undefined) return own(path, source);
  if (name !== "local") return VOLUME_SOURCES[name]?.(path, source) ?? [];
  const at = stringAt(source, "path");
  const errors = at === "" ? [required(`${path}.path`)] : noBacksteps(`${path}.path`, at);
  if (isObject(spec["nodeAffinity"])) return errors;
  return [...errors, required(`${of}.nodeAffinity`, "Local volume requires node affinity")];
}

/** A secret of a namespace, as most sources name it. */
function checkSecretRef(path: string, source: JsonObject): FieldError[] {
  const secret = source["secretRef"];
  if (!isObject(secret)) return [];
  const at = `${path}.secretRef`;
  return ["name", "namespace"].flatMap((key) => (stringAt(secret, key) === "" ? [required(`${at}.${key}`)] : []));
}

const CSI_SECRETS = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
];

const csi: SourceCheck = (path, source) => [
  ...checkDriverName(`${path}.driver`, stringAt(source, "driver")),
  ...(stringAt(source, "volumeHandle") === "" ? [required(`${path}.volumeHandle`)] : []),
  ...CSI_SECRETS.flatMap((field) => {
    const [at, secret] = [`${path}.${field}`, source[field]];
    if (!isObject(secret)) return [];
    const [name, namespace] = [stringAt(secret, "name"), stringAt(secret, "namespace")];
    return [
      ...(name === "" ? [required(`${at}.name`)] : invalids(`${at}.name`, name, dnsSubdomain(name))),
      ...(namespace === ""
        ? [required(`${at}.namespace`)]
        : invalids(`${at}.namespace`, namespace, dnsLabel(namespace))),
    ];
  }),
];

const withSecret =
  (name: string): SourceCheck =>
  (path, { secretRef, ...source }) => [
    ...(VOLUME_SOURCES[name]?.(path, source) ?? []),
    ...checkSecretRef(path, secretRef === undefined ? {} : { secretRef }),
  ];

const NOT_A_NAMESPACE = "if the endpointnamespace is set, it must be a valid namespace name";

/** What differs when a PersistentVolume holds the source. */
const PERSISTENT: Readonly<Record<string, SourceCheck>> = {
  hostPath: checkHostPath,
  iscsi: PERSISTENT_ISCSI,
  storageos: withSecret("storageos"),
  cinder: withSecret("cinder"),
  csi,
  azureFile: (path, source) => [
    ...(VOLUME_SOURCES["azureFile"]?.(path, source) ?? []),
    ...(source["secretNamespace"] === "" ? [required(`${path}.secretNamespace`)] : []),
  ],
  glusterfs: (path, source) => {
    const [errors, space] = [VOLUME_SOURCES["glusterfs"]?.(path, source) ?? [], source["endpointsNamespace"]];
    if (typeof space !== "string") return errors;
    const faults = space === "" ? [NOT_A_NAMESPACE] : dnsLabel(space);
    return [...errors, ...invalids(`${path}.endpointsNamespace`, space, faults)];
  },
};

const FIXED_SOURCE = "spec.persistentvolumesource is immutable after creation";

export function checkPersistentVolumeUpdate(volume: JsonObject, old: JsonObject): FieldError[] {
  const [spec, before] = [objectAt(volume, "spec"), objectAt(old, "spec")];
  const errors: FieldError[] = [];
  const source = withoutNewSecret(spec, before);
  if (VOLUME_ORDER.some((name) => !deepEqual(source[name], before[name]))) {
    const lines = specDiff("PersistentVolumeSource", before, source);
    errors.push(forbidden("spec.persistentvolumesource", `${FIXED_SOURCE}\n${lines}`));
  }
  if (spec["volumeMode"] !== before["volumeMode"]) errors.push(invalid("volumeMode", spec["volumeMode"], IMMUTABLE));
  if (isObject(before["nodeAffinity"]) && !deepEqual(spec["nodeAffinity"], before["nodeAffinity"])) {
    const why = `${IMMUTABLE}, except for updating from beta label to GA`;
    errors.push(invalid("nodeAffinity", spec["nodeAffinity"], why));
  }
  const attributes = "volumeAttributesClassName";
  if (before[attributes] !== undefined && spec[attributes] === undefined)
    errors.push(forbidden(`spec.${attributes}`, "update from non-nil value to nil is forbidden"));
  return errors;
}

/** The secret with which a CSI volume grows may come later. */
function withoutNewSecret(spec: JsonObject, before: JsonObject): JsonObject {
  const { csi: now } = spec;
  const isNew = isObject(before["csi"]) && before["csi"]["controllerExpandSecretRef"] === undefined;
  if (!isNew || !isObject(now)) return spec;
  const { controllerExpandSecretRef: _, ...rest } = now;
  return { ...spec, csi: rest };
}
