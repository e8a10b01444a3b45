// Fields of the pod and its resources as files or environment variables.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject } from "../../contract.ts";
import { isObject, stringAt } from "../../json.ts";
import { canonicalQuantity, nanoUnits } from "../../quantity.ts";
import { invalid, invalids, notSupported, required } from "../field-errors.ts";
import { qualifiedName } from "../formats.ts";
import { localUnreservedPath } from "../paths.ts";
import { checkMode } from "./volume-sources.ts";

export const VOLUME_FIELDS = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];
export const ENVIRONMENT_FIELDS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
/** What a path may name at all, whoever asks. */
const KNOWN_FIELDS = new Set([
  ...VOLUME_FIELDS,
  ...ENVIRONMENT_FIELDS,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
]);
const RESOURCES = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

export function checkFieldRef(path: string, reference: JsonObject, supported: readonly string[]): FieldError[] {
  const [version, field] = [stringAt(reference, "apiVersion"), stringAt(reference, "fieldPath")];
  if (version === "") return [required(`${path}.apiVersion`)];
  if (field === "") return [required(`${path}.fieldPath`)];
  const refuse = (why: string) => [invalid(`${path}.fieldPath`, field, `error converting fieldPath: ${why}`)];
  if (version !== "v1") return refuse(`unsupported pod version: ${version}`);
  const subscripted = /^([^[]*)\['(.*)'\]$/.exec(field);
  if (subscripted !== null) return checkSubscript(path, subscripted[1] ?? "", subscripted[2] ?? "", refuse);
  if (field === "spec.host") return checkName(path, "spec.nodeName", supported);
  if (!KNOWN_FIELDS.has(field)) return refuse(`field label not supported: ${field}`);
  return checkName(path, field, supported);
}

const checkName = (path: string, field: string, supported: readonly string[]) =>
  supported.includes(field) ? [] : [notSupported(`${path}.fieldPath`, field, supported)];

function checkSubscript(path: string, field: string, key: string, refuse: (why: string) => FieldError[]): FieldError[] {
  if (field === "metadata.annotations") return invalids(path, key.toLowerCase(), qualifiedName(key.toLowerCase()));
  if (field === "metadata.labels") return invalids(path, key, qualifiedName(key));
  return refuse(`field label does not support subscript: ${field}['${key}']`);
}

const SIZES = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
const DIVISORS: readonly { readonly of: RegExp; readonly allowed: readonly string[]; readonly name: string }[] = [
  { of: /^(limits|requests)\.cpu$/, allowed: ["1m", "1"], name: "cpu resource" },
  { of: /^(limits|requests)\.memory$/, allowed: SIZES, name: "memory resource" },
  { of: /^(limits|requests)\.ephemeral-storage$/, allowed: SIZES, name: "local ephemeral storage resource" },
  { of: /^(limits|requests)\.hugepages-/, allowed: SIZES, name: "hugepages resource" },
];

export function checkResourceFieldRef(path: string, reference: JsonObject, inVolume: boolean): FieldError[] {
  const [container, resource] = [stringAt(reference, "containerName"), stringAt(reference, "resource")];
  const errors: FieldError[] = [];
  if (inVolume && container === "") errors.push(required(`${path}.containerName`));
  else if (resource === "") errors.push(required(`${path}.resource`));
  else if (!RESOURCES.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource))
    errors.push(notSupported(`${path}.resource`, resource, RESOURCES));
  return [...errors, ...checkDivisor(path, reference, resource)];
}

function checkDivisor(path: string, reference: JsonObject, resource: string): FieldError[] {
  const divisor = reference["divisor"];
  if (nanoUnits(divisor) === 0n) return [];
  const rule = DIVISORS.find(({ of }) => of.test(resource));
  if (rule === undefined || rule.allowed.includes(canonicalQuantity(String(divisor)))) return [];
  const list = rule.allowed.length === 2 ? "1m and 1" : SIZES.join(", ");
  const detail = `only divisor's values ${list} are supported with the ${rule.name}`;
  return [invalid(`${path}.divisor`, resource, detail)];
}

/** A file of a downwardAPI volume. */
export function checkDownwardFile(path: string, file: JsonObject): FieldError[] {
  const [field, resource] = [file["fieldRef"], file["resourceFieldRef"]];
  const errors: FieldError[] = stringAt(file, "path") === "" ? [required(`${path}.path`)] : [];
  errors.push(...localUnreservedPath(`${path}.path`, stringAt(file, "path")));
  if (isObject(field)) {
    errors.push(...checkFieldRef(`${path}.fieldRef`, field, VOLUME_FIELDS));
    if (isObject(resource))
      errors.push(invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
  } else if (isObject(resource)) errors.push(...checkResourceFieldRef(`${path}.resourceFieldRef`, resource, true));
  else errors.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  return [...errors, ...checkMode(`${path}.mode`, file["mode"])];
}
