// A definition may name formats of texts that nobody checks: its maker is told once.
import type { JsonObject } from "../contract.ts";
import { deepEqual, isObject, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";

const NETWORK = ["uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac"];
const NUMBERS = ["bsonobjectid", "uuid", "uuid3", "uuid4", "uuid5", "isbn", "isbn10", "isbn13", "creditcard", "ssn"];
const OTHERS = ["hexcolor", "rgbcolor", "byte", "password", "date", "duration", "datetime"];
/** Without their dashes. */
const KNOWN = new Set([...NETWORK, ...NUMBERS, ...OTHERS, "k8sshortname", "k8slongname"]);

/** Of formats that `old` has not. */
export function formatWarnings(definition: JsonObject, old: JsonObject | undefined): string[] {
  const before = new Set(old === undefined ? [] : unknownFormats(old));
  return unknownFormats(definition)
    .filter((format) => !before.has(format))
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

function unknownFormats(definition: JsonObject): string[] {
  const schemas = objectsAt(definition, "spec", "versions").map((version) =>
    valueAt(version, "schema", "openAPIV3Schema"),
  );
  const [first] = schemas;
  // What all versions share is looked at once.
  const all = schemas.every((schema) => deepEqual(schema, first)) ? schemas.slice(0, 1) : schemas;
  return all.flatMap((schema) => (isObject(schema) ? formatsIn(schema) : []));
}

function formatsIn(schema: JsonObject): string[] {
  const format = stringAt(schema, "format");
  const strange = format !== "" && schema["type"] === "string" && !KNOWN.has(format.replaceAll("-", ""));
  const single = ["items", "additionalProperties", "not"].map((key) => schema[key]).filter(isObject);
  const lists = ["allOf", "anyOf", "oneOf"].flatMap((key) => objectsAt(schema, key));
  const fields = Object.values(objectAt(schema, "properties")).filter(isObject);
  return [...(strange ? [format] : []), ...[...single, ...lists, ...fields].flatMap(formatsIn)];
}
