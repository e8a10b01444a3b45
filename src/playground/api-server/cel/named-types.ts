// Types by what stands for them in an expression.
import { type CelType, DYN, listOf, mapOf, scalar, typeText } from "./cel-type.ts";

/** Types that an expression may name. */
export const TYPE_NAMES: ReadonlyMap<string, CelType> = new Map([
  ...["int", "uint", "double", "bool", "string", "bytes", "null_type", "type", "timestamp", "duration"].map(
    (name) => [name, scalar(name)] as const,
  ),
  ["list", listOf(DYN)],
  ["map", mapOf(DYN, DYN)],
]);

/** Of what is written out, by the parser's word for it. */
export const CONSTANT_TYPES: Readonly<Record<string, string>> = {
  boolValue: "bool",
  bytesValue: "bytes",
  doubleValue: "double",
  int64Value: "int",
  uint64Value: "uint",
  stringValue: "string",
  nullValue: "null_type",
};

/** Types of values that have an order. */
export const COMPARED: ReadonlySet<string> = new Set("int uint double bool duration timestamp string bytes".split(" "));

/** Kubernetes' own types that stand for objects of no known fields. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set(["url", "quantity", "semver"]);

/** The type of a field; what is said of a type that has no such one. */
export function fieldType(own: CelType, field: string): CelType | string {
  if (own.name === "dyn" || own.name === "A" || own.name === "B") return DYN;
  if (own.name === "map") return own.of[1] ?? DYN;
  if (own.name === "object") {
    const fields = own.fields?.() ?? {};
    const type = Object.hasOwn(fields, field) ? fields[field] : undefined;
    return type ?? `undefined field '${field}'`;
  }
  return PLAIN_FIELDS.has(own.name)
    ? `unexpected failed resolution of '${typeText(own)}'`
    : `type '${typeText(own)}' does not support field selection`;
}
