// What makes a slice of the devices of a driver valid: whose they are, and where.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, stringAt } from "../json.ts";
import { checkDriver } from "./devices.ts";
import { duplicate, IMMUTABLE, invalid, invalids, required, tooLong, tooMany } from "./field-errors.ts";
import { bytes, dnsLabel, dnsSubdomain } from "./formats.ts";

const MOST_DEVICES = 128;
const LONGEST_POOL = 253;

export function checkResourceSlice(slice: JsonObject, old?: JsonObject): FieldError[] {
  const spec = objectAt(slice, "spec");
  return [
    ...checkDriver("spec.driver", stringAt(spec, "driver")),
    ...checkPool(objectAt(spec, "pool")),
    ...(old === undefined ? [] : checkFixed(spec, objectAt(old, "spec"))),
    ...checkPlace(spec),
    ...checkDevices(spec),
  ];
}

function checkPool(pool: JsonObject): FieldError[] {
  const path = "spec.pool";
  const name = stringAt(pool, "name");
  const [count, generation] = [numberAt(pool, "resourceSliceCount") ?? 0, numberAt(pool, "generation") ?? 0];
  const errors = name === "" ? [required(`${path}.name`)] : [];
  if (bytes(name) > LONGEST_POOL) errors.push(tooLong(`${path}.name`, LONGEST_POOL));
  if (name !== "") {
    for (const part of name.split("/")) errors.push(...invalids(`${path}.name`, part, dnsSubdomain(part)));
  }
  if (count <= 0) errors.push(invalid(`${path}.resourceSliceCount`, count, "must be greater than zero"));
  if (generation < 0) errors.push(invalid(`${path}.generation`, generation, "must be greater than or equal to zero"));
  return errors;
}

function checkFixed(spec: JsonObject, old: JsonObject): FieldError[] {
  const changed = (field: string, now: unknown, before: unknown) =>
    now === before ? [] : [invalid(`spec.${field}`, now, IMMUTABLE)];
  return [
    ...changed("pool.name", stringAt(spec, "pool", "name"), stringAt(old, "pool", "name")),
    ...changed("driver", stringAt(spec, "driver"), stringAt(old, "driver")),
    ...changed("nodeName", spec["nodeName"], old["nodeName"]),
  ];
}

const PLACES = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

function checkPlace(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const given: string[] = [];
  const name = spec["nodeName"];
  if (name === "") errors.push(invalid("spec.nodeName", name, "must be either unset or set to a non-empty string"));
  else if (typeof name === "string") {
    given.push("`nodeName`");
    errors.push(...invalids("spec.nodeName", name, dnsSubdomain(name)));
  }
  if (isObject(spec["nodeSelector"])) given.push("`nodeSelector`");
  for (const flag of ["allNodes", "perDeviceNodeSelection"]) {
    if (spec[flag] === true) given.push(`\`${flag}\``);
    if (spec[flag] === false) errors.push(invalid(`spec.${flag}`, false, "must be either unset or set to true"));
  }
  if (given.length === 0) return [...errors, required("spec", PLACES)];
  if (given.length === 1) return errors;
  return [...errors, invalid("spec", `{${given.join(", ")}}`, `${PLACES}, but multiple fields are set`)];
}

function checkDevices(spec: JsonObject): FieldError[] {
  const devices = arrayAt(spec, "devices").map((device) => (isObject(device) ? device : {}));
  if (devices.length > MOST_DEVICES) return [tooMany("spec.devices", devices.length, MOST_DEVICES)];
  const names = devices.map((device) => stringAt(device, "name"));
  return [
    ...names.flatMap((name, index) => invalids(`spec.devices[${index}].name`, name, dnsLabel(name))),
    ...names.flatMap((name, index) => (names.indexOf(name) < index ? [duplicate(`spec.devices[${index}]`, name)] : [])),
  ];
}
