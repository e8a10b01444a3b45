// ConfigMaps, Secrets and Namespaces.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, deepEqual, objectAt, stringAt } from "../json.ts";
import { forbidden, IMMUTABLE, invalid, invalids, required, tooLong } from "./field-errors.ts";
import { bytes, configMapKey, qualifiedName } from "./formats.ts";
import { kubeFinalizer } from "./object-meta.ts";

const LARGEST = 1024 * 1024;
const keysOf = (field: string, data: JsonObject) =>
  Object.keys(data).flatMap((key) => invalids(`${field}[${key}]`, key, configMapKey(key)));
const decoded = (value: JsonValue) => Buffer.byteLength(String(value), "base64");

export function checkConfigMap(map: JsonObject): FieldError[] {
  const [data, binary] = [objectAt(map, "data"), objectAt(map, "binaryData")];
  const errors = Object.keys(data).flatMap((key) => [
    ...invalids(`data[${key}]`, key, configMapKey(key)),
    ...(Object.hasOwn(binary, key) ? [invalid(`data[${key}]`, key, "duplicate of key present in binaryData")] : []),
  ]);
  errors.push(...keysOf("binaryData", binary));
  const size =
    Object.values(data).reduce((sum: number, value) => sum + bytes(String(value)), 0) +
    Object.values(binary).reduce((sum: number, value) => sum + decoded(value), 0);
  return size > LARGEST ? [...errors, tooLong("[]", LARGEST)] : errors;
}

const FROZEN = "field is immutable when `immutable` is set";

function checkFrozen(object: JsonObject, old: JsonObject, fields: readonly string[]): FieldError[] {
  if (old["immutable"] !== true) return [];
  const thawed = object["immutable"] === true ? [] : [forbidden("immutable", FROZEN)];
  return [
    ...thawed,
    ...fields.flatMap((field) => (deepEqual(object[field], old[field]) ? [] : [forbidden(field, FROZEN)])),
  ];
}

/** Data is always a map, empty or not; binary data that is empty is another than none. */
export const checkConfigMapUpdate = (map: JsonObject, old: JsonObject) =>
  checkFrozen({ ...map, data: objectAt(map, "data") }, { ...old, data: objectAt(old, "data") }, ["data", "binaryData"]);

/** Keys of which all are needed. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};
const JSON_KEYS = [".dockercfg", ".dockerconfigjson"];
const ACCOUNT = "kubernetes.io/service-account.name";

export function checkSecret(secret: JsonObject): FieldError[] {
  const data = objectAt(secret, "data");
  const errors = keysOf("data", data);
  const size = Object.values(data).reduce((sum: number, value) => sum + decoded(value), 0);
  if (size > LARGEST) errors.push(tooLong("data", LARGEST));
  return [...errors, ...checkSecretType(secret, data)];
}

function checkSecretType(secret: JsonObject, data: JsonObject): FieldError[] {
  const type = stringAt(secret, "type");
  if (type === "kubernetes.io/service-account-token") {
    const account = objectAt(secret, "metadata", "annotations")[ACCOUNT] ?? "";
    return account === "" ? [required(`metadata.annotations[${ACCOUNT}]`)] : [];
  }
  if (type === "kubernetes.io/basic-auth") {
    const keys = ["username", "password"];
    return keys.some((key) => Object.hasOwn(data, key)) ? [] : keys.map((key) => required(`data[${key}]`));
  }
  return (NEEDED[type] ?? []).flatMap((key) => {
    const value = data[key];
    const missing = value === undefined || (type === "kubernetes.io/ssh-auth" && value === "");
    if (missing) return [required(`data[${key}]`)];
    return JSON_KEYS.includes(key) ? checkJson(`data[${key}]`, String(value)) : [];
  });
}

function checkJson(field: string, base64: string): FieldError[] {
  const text = Buffer.from(base64, "base64").toString();
  const hidden = "<secret contents redacted>";
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && !Array.isArray(value)) return [];
    const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
    return [invalid(field, hidden, `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`)];
  } catch {
    const first = text.trim()[0];
    const why =
      first === undefined
        ? "unexpected end of JSON input"
        : `invalid character '${first}' looking for beginning of value`;
    return [invalid(field, hidden, why)];
  }
}

export function checkSecretUpdate(secret: JsonObject, old: JsonObject): FieldError[] {
  const [type, former] = [stringAt(secret, "type"), stringAt(old, "type")];
  const changed = type === former ? [] : [invalid("type", type, IMMUTABLE)];
  return [...changed, ...checkFrozen(secret, old, ["data"])];
}

export function checkNamespace(namespace: JsonObject): FieldError[] {
  return arrayAt(namespace, "spec", "finalizers").flatMap((name) => [
    ...invalids("spec.finalizers", name, qualifiedName(String(name))),
    ...invalids("spec.finalizers", name, kubeFinalizer(String(name))),
  ]);
}

export function checkNamespaceStatus(namespace: JsonObject): FieldError[] {
  const phase = stringAt(namespace, "status", "phase");
  const ending = stringAt(namespace, "metadata", "deletionTimestamp") !== "";
  if (phase === (ending ? "Terminating" : "Active")) return [];
  const why = ending
    ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
    : "may only be 'Active' if `deletionTimestamp` is empty";
  return [invalid("status.Phase", phase, why)];
}
