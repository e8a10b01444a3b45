// Expressions that choose devices, and the names that attributes of devices have.
import type { FieldError } from "../api-errors.ts";
import { DYN, mapOf, objectOf, scalar, typeText } from "../cel/cel-type.ts";
import { compileExpression } from "../cel/compile.ts";
import type { JsonObject } from "../contract.ts";
import { isObject, stringAt } from "../json.ts";
import { invalid, invalids, required, tooLong, tooMany } from "./field-errors.ts";
import { bytes, cIdentifier, dnsSubdomain } from "./formats.ts";

const MOST_SELECTORS = 32;
const LONGEST_EXPRESSION = 10 * 1024;
const LONGEST_NAME = 32;
const LONGEST_DRIVER = 63;

const STRING = scalar("string");
const DEVICE = objectOf({
  driver: STRING,
  attributes: mapOf(STRING, mapOf(STRING, DYN)),
  capacity: mapOf(STRING, mapOf(STRING, scalar("kubernetes.Quantity"))),
});

export function checkSelectors(path: string, selectors: readonly JsonObject[]): FieldError[] {
  if (selectors.length > MOST_SELECTORS) return [tooMany(path, selectors.length, MOST_SELECTORS)];
  return selectors.flatMap(({ cel }, index) => {
    const field = `${path}[${index}].cel`;
    return isObject(cel) ? checkExpression(`${field}.expression`, stringAt(cel, "expression")) : [required(field)];
  });
}

function checkExpression(field: string, expression: string): FieldError[] {
  if (bytes(expression) > LONGEST_EXPRESSION) return [tooLong(field, LONGEST_EXPRESSION)];
  const { issues, type } = compileExpression(expression, { device: DEVICE });
  if (issues !== "") return [invalid(field, expression, `compilation failed: ${issues}`)];
  if (type.name === "bool" || type.name === "any") return [];
  const why = `must evaluate to bool or the unknown type, not ${typeText(type)}`;
  return [invalid(field, expression, why)];
}

export function checkDriver(field: string, driver: string): FieldError[] {
  if (driver === "") return [required(field)];
  const errors = bytes(driver) > LONGEST_DRIVER ? [tooLong(field, LONGEST_DRIVER)] : [];
  return [...errors, ...invalids(field, driver, dnsSubdomain(driver.toLowerCase()))];
}

/** With or without the domain of a driver before it. */
export function checkDeviceName(field: string, name: string): FieldError[] {
  const parts = name.split("/");
  if (parts.length > 2) return [];
  const [id = "", domain] = parts.reverse();
  if (domain === undefined) return checkIdentifier(field, id);
  return [
    ...(domain === "" ? [invalid(field, "", "the domain must not be empty")] : checkDriver(field, domain)),
    ...(id === "" ? [invalid(field, "", "the name must not be empty")] : checkIdentifier(field, id)),
  ];
}

export function checkFullDeviceName(field: string, name: string): FieldError[] {
  const errors = checkDeviceName(field, name);
  if (name.includes("/")) return errors;
  return [...errors, invalid(field, name, "a fully qualified name must be a domain and a name separated by a slash")];
}

const checkIdentifier = (field: string, id: string): FieldError[] => [
  ...(bytes(id) > LONGEST_NAME ? [tooLong(field, LONGEST_NAME)] : []),
  ...invalids(field, id, cIdentifier(id)),
];
