// PersistentVolumeClaims, and the claims inside pods and StatefulSets.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, clone, deepEqual, isObject, objectAt, stringAt, valueAt } from "../json.ts";
import { nanoUnits } from "../quantity.ts";
import { forbidden, IMMUTABLE, invalid, invalids, notSupported, required } from "./field-errors.ts";
import { dnsLabel, dnsSubdomain } from "./formats.ts";
import { specDiff } from "./internal-form.ts";
import { checkLabelSelector } from "./label-selectors.ts";
import { checkPositiveQuantity } from "./resources.ts";

const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
export const VOLUME_MODES = ["Block", "Filesystem"];

export function checkAccessModes(field: string, modes: readonly JsonValue[]): FieldError[] {
  const errors = modes.flatMap((mode) =>
    ACCESS_MODES.includes(String(mode)) ? [] : [notSupported(field, mode, ACCESS_MODES)],
  );
  const others = modes.some((mode) => mode !== "ReadWriteOncePod" && ACCESS_MODES.includes(String(mode)));
  if (modes.includes("ReadWriteOncePod") && others)
    errors.push(forbidden(field, "may not use ReadWriteOncePod with other access modes"));
  return errors;
}

export function checkClaimSpec(path: string, spec: JsonObject): FieldError[] {
  const modes = arrayAt(spec, "accessModes");
  const field = `${path}.resources[storage]`;
  const storage = valueAt(spec, "resources", "requests", "storage");
  const [storageClass, mode] = [stringAt(spec, "storageClassName"), spec["volumeMode"]];
  const attributes = stringAt(spec, "volumeAttributesClassName");
  return [
    ...(modes.length === 0 ? [required(`${path}.accessModes`, "at least 1 access mode is required")] : []),
    ...checkLabelSelector(`${path}.selector`, spec["selector"]),
    ...checkAccessModes(`${path}.accessModes`, modes),
    ...(storage === undefined ? [required(field)] : checkPositiveQuantity(field, storage)),
    ...(storageClass === "" ? [] : invalids(`${path}.storageClassName`, storageClass, dnsSubdomain(storageClass))),
    ...(mode === undefined || VOLUME_MODES.includes(String(mode))
      ? []
      : [notSupported(`${path}.volumeMode`, mode, VOLUME_MODES)]),
    ...checkSources(path, spec),
    ...(attributes === "" ? [] : invalids(`${path}.volumeAttributesClassName`, attributes, dnsSubdomain(attributes))),
  ];
}

function checkSources(path: string, spec: JsonObject): FieldError[] {
  const [source, reference] = [spec["dataSource"], spec["dataSourceRef"]];
  const errors = [
    ...(isObject(source) ? checkDataSource(`${path}.dataSource`, source) : []),
    ...(isObject(reference) ? checkDataSource(`${path}.dataSourceRef`, reference) : []),
  ];
  const namespace = stringAt(reference, "namespace");
  if (namespace !== "") errors.push(...invalids(`${path}.dataSourceRef.namespace`, namespace, dnsLabel(namespace)));
  if (!isObject(source) || !isObject(reference)) return errors;
  const same = ["apiGroup", "kind", "name"].every((field) => deepEqual(source[field], reference[field]));
  if (namespace !== "") {
    errors.push(invalid(path, {}, "may not be specified when dataSourceRef.namespace is specified"));
  } else if (!same) errors.push(invalid(path, {}, "must match dataSourceRef"));
  return errors;
}

function checkDataSource(path: string, source: JsonObject): FieldError[] {
  const [group, kind] = [stringAt(source, "apiGroup"), stringAt(source, "kind")];
  const errors = ["name", "kind"].flatMap((field) =>
    stringAt(source, field) === "" ? [required(`${path}.${field}`)] : [],
  );
  if (group === "" && kind !== "PersistentVolumeClaim")
    errors.push(invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  return group === "" ? errors : [...errors, ...invalids(`${path}.apiGroup`, group, dnsSubdomain(group))];
}

const FIXED =
  "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

/** A claim may grow once it is bound, and get a volume and a class once. */
export function checkClaimUpdate(claim: JsonObject, old: JsonObject): FieldError[] {
  const [next, before] = [clone(objectAt(claim, "spec")), clone(objectAt(old, "spec"))];
  if (stringAt(before, "volumeName") === "") setOrDrop(before, "volumeName", next["volumeName"]);
  if (before["storageClassName"] === undefined) delete next["storageClassName"];
  if (stringAt(claim, "status", "phase") === "Bound") {
    // The new one may say another size and class: it is compared with those of the old one.
    const requests = valueAt(next, "resources", "requests");
    const size = valueAt(before, "resources", "requests", "storage") ?? "0";
    if (isObject(requests)) requests["storage"] = size;
    setOrDrop(next, "volumeAttributesClassName", before["volumeAttributesClassName"]);
  }
  const errors: FieldError[] = deepEqual(next, before)
    ? []
    : [forbidden("spec", `${FIXED}\n${specDiff("PersistentVolumeClaimSpec", before, next)}`)];
  const size = (object: JsonObject, ...steps: string[]) => nanoUnits(valueAt(object, ...steps, "storage") ?? "0");
  const wanted = size(claim, "spec", "resources", "requests");
  if (wanted < size(old, "spec", "resources", "requests") && wanted <= size(old, "status", "capacity"))
    errors.push(forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
  const [mode, former] = [valueAt(claim, "spec", "volumeMode"), valueAt(old, "spec", "volumeMode")];
  if (mode !== former) errors.push(invalid("volumeMode", mode, IMMUTABLE));
  return [...errors, ...checkAttributesUpdate(objectAt(claim, "spec"), old)];
}

/** A volume that has got a class of attributes keeps one. */
function checkAttributesUpdate(spec: JsonObject, old: JsonObject): FieldError[] {
  const name = spec["volumeAttributesClassName"];
  const has = objectAt(old, "status")["currentVolumeAttributesClassName"] !== undefined;
  const same = name === objectAt(old, "spec")["volumeAttributesClassName"];
  if (!has || same || (name !== undefined && name !== "")) return [];
  const to = name === undefined ? "nil" : "empty string";
  const why = `update to ${to} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  return [forbidden("spec.volumeAttributesClassName", why)];
}

function setOrDrop(object: JsonObject, field: string, value: JsonValue | undefined): void {
  if (value === undefined) delete object[field];
  else object[field] = value;
}
