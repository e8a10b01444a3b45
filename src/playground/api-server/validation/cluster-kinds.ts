// Nodes, PriorityClasses, RuntimeClasses, Leases and PersistentVolumes.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, deepEqual, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { nanoUnits } from "../quantity.ts";
import { checkCidr } from "./addresses.ts";
import { duplicate, forbidden, IMMUTABLE, invalid, invalids, notSupported, required } from "./field-errors.ts";
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from "./formats.ts";
import { internalForm, specDiff } from "./internal-form.ts";
import { checkLabelName, checkLabels } from "./label-selectors.ts";
import { noBacksteps } from "./paths.ts";
import { checkAccessModes, VOLUME_MODES } from "./persistent-volume-claims.ts";
import { checkPreemption } from "./pods/pod-spec.ts";
import { checkNodeSelector, checkTaintEffect, checkTolerations } from "./pods/scheduling.ts";
import { checkDriverName, checkHostPath, PERSISTENT_ISCSI, VOLUME_SOURCES } from "./pods/volume-sources.ts";
import { checkPositiveQuantity, checkRequirements, checkResourceValue } from "./resources.ts";

export function checkNode(node: JsonObject): FieldError[] {
  const cidrs = arrayAt(node, "spec", "podCIDRs").map(String);
  return [
    ...checkTaints(objectsAt(node, "spec", "taints")),
    ...checkNodeResources(node),
    ...cidrs.flatMap((cidr, index) => checkCidr(`spec.podCIDRs[${index}]`, cidr)),
    ...(cidrs.length > 1 ? checkFamilies("spec.podCIDRs", cidrs) : []),
  ];
}

function checkFamilies(field: string, cidrs: readonly string[]): FieldError[] {
  const bad = cidrs.findIndex((cidr) => checkCidr(field, cidr).length > 0);
  const why = `invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[${bad}]: <nil> (invalid CIDR address: ${cidrs[bad]})`;
  const errors: FieldError[] = bad < 0 ? [] : [{ field, type: "InternalError", detail: why }];
  const isDual = bad < 0 && cidrs.some((cidr) => cidr.includes(":")) && cidrs.some((cidr) => !cidr.includes(":"));
  if (isDual && cidrs.length === 2) return errors;
  return [...errors, invalid(field, cidrs, "may specify no more than one CIDR for each IP family")];
}

/** Kubernetes names these fields below metadata. */
function checkTaints(taints: readonly JsonObject[]): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const path = `metadata.taints[${index}]`;
    const [key, value, effect] = [stringAt(taint, "key"), stringAt(taint, "value"), stringAt(taint, "effect")];
    const wrong = labelValue(value);
    const errors = checkLabelName(`${path}.key`, key);
    if (wrong.length > 0) errors.push(invalid(`${path}.value`, value, wrong.join(";")));
    errors.push(...(effect === "" ? [required(`${path}.effect`)] : checkTaintEffect(`${path}.effect`, effect)));
    const shown = { Key: key, Value: value, Effect: effect, TimeAdded: taint["timeAdded"] ?? null };
    if (seen.has(`${effect}/${key}`))
      errors.push(duplicate(path, shown, "taints must be unique by key and effect pair"));
    seen.add(`${effect}/${key}`);
    return errors;
  });
}

function checkNodeResources(node: JsonObject): FieldError[] {
  return ["capacity", "allocatable"].flatMap((field) =>
    Object.entries(objectAt(node, "status", field)).flatMap(([name, value]) =>
      checkResourceValue(`status.${field}.${name}`, name, value),
    ),
  );
}

export function checkNodeUpdate(node: JsonObject, old: JsonObject): FieldError[] {
  const [spec, before] = [objectAt(node, "spec"), objectAt(old, "spec")];
  const [cidrs, former] = [arrayAt(spec, "podCIDRs"), arrayAt(before, "podCIDRs")];
  const provider = stringAt(before, "providerID");
  const errors = checkNodeResources(node);
  const addresses = objectsAt(node, "status", "addresses");
  for (const [index, address] of addresses.entries()) {
    const shown = { Type: stringAt(address, "type"), Address: stringAt(address, "address") };
    if (addresses.slice(0, index).some((other) => deepEqual(other, address)))
      errors.push(duplicate(`status.addresses[${index}]`, shown));
  }
  if (former.length > 0 && !deepEqual(cidrs, former))
    errors.push(forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
  if (provider !== "" && provider !== stringAt(spec, "providerID"))
    errors.push(forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'));
  return [...errors, ...checkTaints(objectsAt(spec, "taints"))];
}

const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};
const HIGHEST = 1_000_000_000;

export function checkPriorityClass(priority: JsonObject): FieldError[] {
  const [name, value] = [stringAt(priority, "metadata", "name"), numberAt(priority, "value") ?? 0];
  const errors: FieldError[] = [];
  if (name.startsWith("system-")) {
    const fault = systemFault(name, value, priority["globalDefault"] === true);
    const why = "priority class names with 'system-' prefix are reserved for system use only. error:";
    if (fault !== undefined) errors.push(forbidden("metadata.name", `${why} ${fault}`));
  } else if (value > HIGHEST)
    errors.push(forbidden("value", `maximum allowed value of a user defined priority is ${HIGHEST}`));
  return [...errors, ...checkPreemption("preemptionPolicy", priority["preemptionPolicy"])];
}

function systemFault(name: string, value: number, isDefault: boolean): string | undefined {
  const known = SYSTEM_CLASSES[name];
  if (known === undefined) return `${name} is not a known system priority class`;
  if (known !== value) return `value of ${name} PriorityClass must be ${known}`;
  return isDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

export function checkPriorityClassUpdate(priority: JsonObject, old: JsonObject): FieldError[] {
  const errors =
    (priority["value"] ?? 0) === (old["value"] ?? 0) ? [] : [forbidden("value", "may not be changed in an update.")];
  const policy = priority["preemptionPolicy"];
  return policy === old["preemptionPolicy"] ? errors : [...errors, invalid("preemptionPolicy", policy, IMMUTABLE)];
}

export function checkRuntimeClass(runtime: JsonObject): FieldError[] {
  const handler = stringAt(runtime, "handler");
  const scheduling = objectAt(runtime, "scheduling");
  return [
    ...invalids("handler", handler, dnsLabel(handler)),
    ...checkRequirements("overhead", { limits: objectAt(runtime, "overhead", "podFixed") }, { claims: [] }),
    ...checkLabels("scheduling.nodeSelector", scheduling["nodeSelector"]),
    ...checkTolerations("scheduling.tolerations", objectsAt(scheduling, "tolerations")),
    ...checkSameTolerations("scheduling.tolerations", objectsAt(scheduling, "tolerations")),
  ];
}

const TOLERATION_KEYS = ["key", "operator", "value", "effect"];

function checkSameTolerations(path: string, tolerations: readonly JsonObject[]): FieldError[] {
  const keys = tolerations.map((one) => JSON.stringify(TOLERATION_KEYS.map((field) => stringAt(one, field))));
  return tolerations.flatMap((one, index) =>
    keys.indexOf(keys[index] ?? "") < index ? [duplicate(`${path}[${index}]`, internalForm("Toleration", one))] : [],
  );
}

export function checkRuntimeClassUpdate(runtime: JsonObject, old: JsonObject): FieldError[] {
  const handler = stringAt(runtime, "handler");
  return handler === stringAt(old, "handler") ? [] : [invalid("handler", handler, IMMUTABLE)];
}

export function checkLease(lease: JsonObject): FieldError[] {
  const spec = objectAt(lease, "spec");
  const [seconds, transitions] = [spec["leaseDurationSeconds"], spec["leaseTransitions"]];
  const [strategy, holder] = [spec["strategy"], stringAt(spec, "preferredHolder")];
  const errors: FieldError[] = [];
  if (typeof seconds === "number" && seconds <= 0)
    errors.push(invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
  if (typeof transitions === "number" && transitions < 0)
    errors.push(invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"));
  if (typeof strategy === "string" && strategy !== "OldestEmulationVersion") {
    const field = "spec.strategy.strategy";
    if (strategy.includes("/")) errors.push(...invalids(field, strategy, qualifiedName(strategy)));
    else errors.push(notSupported(field, strategy, ["OldestEmulationVersion"]));
  }
  if (holder !== "" && (strategy ?? "") === "")
    errors.push(forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined"));
  return errors;
}

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
  if (names.length !== 1 || names[0] !== "storage") errors.push(notSupported(field, given ?? null, ["storage"]));
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
  if (name === "hostPath") return checkHostPath(path, source);
  if (name === "iscsi") return PERSISTENT_ISCSI(path, source);
  if (name === "storageos") return [...(VOLUME_SOURCES[name]?.(path, source) ?? []), ...checkSecretRef(path, source)];
  if (name === "csi") {
    const handle = stringAt(source, "volumeHandle") === "" ? [required(`${path}.volumeHandle`)] : [];
    return [...checkDriverName(`${path}.driver`, stringAt(source, "driver")), ...handle];
  }
  if (name !== "local") return VOLUME_SOURCES[name]?.(path, source) ?? [];
  const at = stringAt(source, "path");
  const errors = at === "" ? [required(`${path}.path`)] : noBacksteps(`${path}.path`, at);
  if (isObject(spec["nodeAffinity"])) return errors;
  return [...errors, required(`${of}.nodeAffinity`, "Local volume requires node affinity")];
}

function checkSecretRef(path: string, source: JsonObject): FieldError[] {
  const secret = source["secretRef"];
  if (!isObject(secret)) return [];
  const at = `${path}.secretRef`;
  return ["name", "namespace"].flatMap((key) => (stringAt(secret, key) === "" ? [required(`${at}.${key}`)] : []));
}

const FIXED_SOURCE = "spec.persistentvolumesource is immutable after creation";

export function checkPersistentVolumeUpdate(volume: JsonObject, old: JsonObject): FieldError[] {
  const [spec, before] = [objectAt(volume, "spec"), objectAt(old, "spec")];
  const errors: FieldError[] = [];
  if (VOLUME_ORDER.some((name) => !deepEqual(spec[name], before[name])))
    errors.push(
      forbidden("spec.persistentvolumesource", `${FIXED_SOURCE}\n${specDiff("PersistentVolumeSource", before, spec)}`),
    );
  if (spec["volumeMode"] !== before["volumeMode"]) errors.push(invalid("volumeMode", spec["volumeMode"], IMMUTABLE));
  if (isObject(before["nodeAffinity"]) && !deepEqual(spec["nodeAffinity"], before["nodeAffinity"])) {
    const why = `${IMMUTABLE}, except for updating from beta label to GA`;
    errors.push(invalid("nodeAffinity", spec["nodeAffinity"], why));
  }
  return errors;
}
