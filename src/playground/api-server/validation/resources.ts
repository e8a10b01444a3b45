// Names and amounts of resources: of containers, pods, quotas and limit ranges.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";
import { canonicalQuantity, isWhole, nanoUnits, parseQuantity } from "../quantity.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalids,
  NOT_NEGATIVE,
  notFound,
  notSupported,
  required,
} from "./field-errors.ts";
import { dnsLabel, qualifiedName } from "./formats.ts";

const COUNTED = [
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
];
const COMPUTE = ["cpu", "memory", "ephemeral-storage"];
const QUOTA = new Set([
  ...COMPUTE,
  ...COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  "requests.storage",
  ...COUNTED,
]);
const STANDARD = new Set([...QUOTA, "storage"]);
const HUGE = "hugepages-";

const isHuge = (name: string) => name.startsWith(HUGE);
const isQuotaHuge = (name: string) => isHuge(name) || name.startsWith(`requests.${HUGE}`);
const isNative = (name: string) => !name.includes("/") || name.includes("kubernetes.io/");
const isExtended = (name: string) =>
  !isNative(name) && !name.startsWith("requests.") && qualifiedName(`requests.${name}`).length === 0;
export const isOvercommitAllowed = (name: string) => isNative(name) && !isHuge(name);
export const isStandardQuotaResource = (name: string) => QUOTA.has(name) || isQuotaHuge(name);

/** Refuses what is neither Kubernetes' own nor has a domain. */
export function checkResourceName(field: string, name: string): FieldError[] {
  const errors = invalids(field, name, qualifiedName(name));
  if (errors.length > 0) return errors;
  if (name.split("/").length === 1 && !STANDARD.has(name) && !isQuotaHuge(name))
    errors.push(invalid(field, name, "must be a standard resource type or fully qualified"));
  return errors;
}

export function checkContainerResourceName(field: string, name: string): FieldError[] {
  const errors = checkResourceName(field, name);
  if (name.split("/").length === 1) {
    if (!COMPUTE.includes(name) && !isHuge(name))
      errors.push(invalid(field, name, "must be a standard resource for containers"));
  } else if (!isNative(name) && !isExtended(name)) {
    errors.push(invalid(field, name, "doesn't follow extended resource name standard"));
  }
  return errors;
}

function checkPodResourceName(field: string, name: string): FieldError[] {
  const errors = checkResourceName(field, name);
  if (errors.length > 0 || name === "cpu" || name === "memory" || isHuge(name)) return errors;
  return [notSupported(field, name, ["cpu", "hugepages-", "memory"])];
}

export function checkQuotaResourceName(field: string, name: string): FieldError[] {
  const errors = checkResourceName(field, name);
  if (name.split("/").length === 1 && !isStandardQuotaResource(name))
    errors.push(invalid(field, name, "must be a standard resource for quota"));
  return errors;
}

export function checkNonnegativeQuantity(field: string, value: unknown): FieldError[] {
  return nanoUnits(value) < 0n ? [invalid(field, canonicalQuantity(String(value)), NOT_NEGATIVE)] : [];
}

export function checkPositiveQuantity(field: string, value: unknown): FieldError[] {
  return nanoUnits(value) <= 0n ? [invalid(field, canonicalQuantity(String(value)), "must be greater than zero")] : [];
}

export function checkResourceValue(field: string, name: string, value: unknown): FieldError[] {
  const errors = checkNonnegativeQuantity(field, value);
  if ((COUNTED.includes(name) || isExtended(name)) && !isWhole(value))
    errors.push(invalid(field, canonicalQuantity(String(value)), "must be an integer"));
  return errors;
}

function checkHugeValue(field: string, name: string, value: unknown): FieldError[] {
  if (!isHuge(name)) return [];
  const size = parseQuantity(name.slice(HUGE.length))?.value ?? 0n;
  const shown = canonicalQuantity(String(value));
  if (size > 0n && isWhole(name.slice(HUGE.length)) && nanoUnits(value) % size === 0n) return [];
  return [invalid(field, shown, `${shown} is not positive integer multiple of ${name}`)];
}

export interface RequirementRule {
  /** Names of the pod's resource claims; not known for overhead and quotas. */
  readonly claims: readonly string[];
  readonly ofPod?: boolean;
}

/** Requests and limits of a container, or of a whole pod. */
export function checkRequirements(path: string, resources: JsonObject, rule: RequirementRule): FieldError[] {
  const checkName = rule.ofPod === true ? checkPodResourceName : checkContainerResourceName;
  const [limits, requests] = [objectAt(resources, "limits"), objectAt(resources, "requests")];
  const errors: FieldError[] = [];
  for (const [name, value] of Object.entries(limits)) {
    const field = `${path}.limits[${name}]`;
    errors.push(
      ...checkName(field, name),
      ...checkResourceValue(field, name, value),
      ...checkHugeValue(field, name, value),
    );
  }
  for (const [name, value] of Object.entries(requests)) {
    const field = `${path}.requests[${name}]`;
    errors.push(...checkName(field, name), ...checkResourceValue(field, name, value));
    errors.push(...checkAgainstLimit(path, name, { value, limit: limits[name] }));
    errors.push(...checkHugeValue(field, name, value));
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHuge) && !names.includes("cpu") && !names.includes("memory"))
    errors.push(forbidden(path, "HugePages require cpu or memory"));
  return [...errors, ...checkClaims(`${path}.claims`, resources, rule.claims)];
}

function checkAgainstLimit(
  path: string,
  name: string,
  { value, limit }: { readonly value: unknown; readonly limit: unknown },
): FieldError[] {
  if (limit === undefined) {
    if (isOvercommitAllowed(name)) return [];
    return [required(`${path}.limits`, "Limit must be set for non overcommitable resources")];
  }
  const [shown, most] = [canonicalQuantity(String(value)), canonicalQuantity(String(limit))];
  if (nanoUnits(value) !== nanoUnits(limit) && !isOvercommitAllowed(name))
    return [invalid(`${path}.requests`, shown, `must be equal to ${name} limit of ${most}`)];
  if (nanoUnits(value) > nanoUnits(limit))
    return [invalid(`${path}.requests`, shown, `must be less than or equal to ${name} limit of ${most}`)];
  return [];
}

function checkClaims(path: string, resources: JsonObject, known: readonly string[]): FieldError[] {
  const seen: string[] = [];
  return objectsAt(resources, "claims").flatMap((claim, index) => {
    const field = `${path}[${index}]`;
    const [name, request] = [stringAt(claim, "name"), stringAt(claim, "request")];
    if (name === "") return [required(field)];
    const key = request === "" ? name : `${name}/${request}`;
    const errors = request === "" ? [] : invalids(`${field}.request`, request, dnsLabel(request));
    if (seen.includes(name) || seen.includes(key)) errors.push(duplicate(field, seen.includes(name) ? name : key));
    else if (request === "" && seen.some((other) => other.startsWith(`${name}/`))) errors.push(duplicate(field, name));
    seen.push(key);
    if (known.includes(name)) return errors;
    const list = known.length === 0 ? " which is empty" : `: ${[...known].sort().join(", ")}`;
    return [...errors, notFound(field, name, `must be one of the names in pod.spec.resourceClaims${list}`)];
  });
}
