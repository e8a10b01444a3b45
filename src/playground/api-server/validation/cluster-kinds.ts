// Nodes, PriorityClasses, RuntimeClasses and Leases.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, deepEqual, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { checkCidr } from "./addresses.ts";
import { duplicate, forbidden, IMMUTABLE, invalid, invalids, notSupported, required } from "./field-errors.ts";
import { dnsLabel, labelValue, qualifiedName } from "./formats.ts";
import { internalForm } from "./internal-form.ts";
import { checkLabelName, checkLabels } from "./label-selectors.ts";
import { checkPreemption } from "./pods/pod-spec.ts";
import { checkTaintEffect, checkTolerations } from "./pods/scheduling.ts";
import { checkRequirements, checkResourceValue } from "./resources.ts";

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
  errors.push(...checkTaints(objectsAt(spec, "taints")));
  if (stringAt(spec, "externalID") !== stringAt(before, "externalID"))
    errors.push(forbidden("spec.externalID", "may not be updated"));
  return errors;
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
