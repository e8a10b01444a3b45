// What makes a slice of the devices of a driver valid: whose they are, and where.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { checkDeviceName, checkDriver } from "./device-selectors.ts";
import { duplicate, IMMUTABLE, invalid, invalids, required, tooLong, tooMany } from "./field-errors.ts";
import { bytes, dnsLabel, dnsSubdomain } from "./formats.ts";
import { checkNodeSelector } from "./pods/scheduling.ts";

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
  const selector = spec["nodeSelector"];
  if (isObject(selector)) {
    given.push("`nodeSelector`");
    errors.push(...checkNodeSelector("spec.nodeSelector", selector));
    const terms = objectsAt(selector, "nodeSelectorTerms");
    if (terms.length !== 1)
      errors.push(
        invalid(
          "spec.nodeSelector.nodeSelectorTerms",
          Array.isArray(selector["nodeSelectorTerms"]) ? terms.map(shownTerm) : null,
          "must have exactly one node selector term",
        ),
      );
  }
  for (const flag of ["allNodes", "perDeviceNodeSelection"]) {
    if (spec[flag] === true) given.push(`\`${flag}\``);
    if (spec[flag] === false) errors.push(invalid(`spec.${flag}`, false, "must be either unset or set to true"));
  }
  if (given.length === 0) return [...errors, required("spec", PLACES)];
  if (given.length === 1) return errors;
  return [...errors, invalid("spec", `{${given.join(", ")}}`, `${PLACES}, but multiple fields are set`)];
}

/** A term with Go's names. */
const shownTerm = (term: JsonObject): JsonObject => {
  const shown = (field: string) =>
    term[field] === undefined
      ? null
      : objectsAt(term, field).map((one) => ({
          Key: stringAt(one, "key"),
          Operator: stringAt(one, "operator"),
          Values: one["values"] ?? null,
        }));
  return { MatchExpressions: shown("matchExpressions"), MatchFields: shown("matchFields") };
};

function checkDevices(spec: JsonObject): FieldError[] {
  const devices = objectsAt(spec, "devices");
  if (devices.length > MOST_DEVICES) return [tooMany("spec.devices", devices.length, MOST_DEVICES)];
  const names = devices.map((device) => stringAt(device, "name"));
  return [
    ...devices.flatMap((device, index) => checkDevice(`spec.devices[${index}]`, device)),
    ...names.flatMap((name, index) => (names.indexOf(name) < index ? [duplicate(`spec.devices[${index}]`, name)] : [])),
  ];
}

const MOST_FACTS = 32;

function checkDevice(path: string, device: JsonObject): FieldError[] {
  const name = stringAt(device, "name");
  const [attributes, capacity] = [objectAt(device, "attributes"), objectAt(device, "capacity")];
  const facts = Object.keys(attributes).length + Object.keys(capacity).length;
  const errors = invalids(`${path}.name`, name, dnsLabel(name));
  if (facts > MOST_FACTS)
    errors.push(invalid(path, facts, `the total number of attributes and capacities must not exceed ${MOST_FACTS}`));
  return [
    ...errors,
    ...Object.entries(attributes).flatMap(([key, value]) => [
      ...checkDeviceName(`${path}.attributes[${key}]`, key),
      ...checkAttribute(`${path}.attributes[${key}]`, objectAt(value)),
    ]),
    ...Object.keys(capacity).flatMap((key) => checkDeviceName(`${path}.capacity[${key}]`, key)),
  ];
}

const LONGEST_VALUE = 64;
const IDENTIFIER = "(0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)";
const NUMBER = "(0|[1-9]\\d*)";
const BUILD = "[0-9a-zA-Z-]+";
const VERSION = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(-${IDENTIFIER}(\\.${IDENTIFIER})*)?(\\+${BUILD}(\\.${BUILD})*)?$`,
);

/** Just one value of one of four sorts. */
function checkAttribute(path: string, attribute: JsonObject): FieldError[] {
  const given = ["int", "bool", "string", "version"].filter((sort) => attribute[sort] !== undefined);
  const { string: text, version } = attribute;
  const errors: FieldError[] = [];
  if (typeof text === "string" && bytes(text) > LONGEST_VALUE) errors.push(tooLong(`${path}.string`, LONGEST_VALUE));
  if (typeof version === "string") {
    const why = "must be a string compatible with semver.org spec 2.0.0";
    if (!VERSION.test(version)) errors.push(invalid(`${path}.version`, version, why));
    if (bytes(version) > LONGEST_VALUE) errors.push(tooLong(`${path}.version`, LONGEST_VALUE));
  }
  if (given.length === 1) return errors;
  const shown = {
    IntValue: attribute["int"] ?? null,
    BoolValue: attribute["bool"] ?? null,
    StringValue: text ?? null,
    VersionValue: version ?? null,
  };
  return [...errors, invalid(path, given.length === 0 ? "" : shown, "exactly one value must be specified")];
}
