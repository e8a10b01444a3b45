// What Kubernetes says of a value that does not fit its field when it reads objects from maps and not from JSON.
import type { JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import type { DecodeReport, Mistyped } from "../validation/decode-object.ts";

/** The first fault of an object; undefined when there is none. */
export function unstructuredFault({ mistyped, malformed }: DecodeReport): string | undefined {
  const [first] = mistyped;
  if (first !== undefined) return wrongType(first);
  const [text] = malformed;
  return text?.startsWith("illegal base64") === true ? `error decoding from json: ${text}` : text;
}

function wrongType({ value, expected, goType }: Mistyped): string {
  if (expected === "array") return `cannot restore slice from ${goKind(value)}`;
  if (expected === "object") {
    return goType.startsWith("map[") || goType === RESOURCES
      ? `cannot restore map from ${goKind(value)}`
      : `cannot restore struct from: ${goKind(value)}`;
  }
  if (expected === "integer or string") {
    return `json: cannot unmarshal ${jsonType(value)} into Go value of type int32`;
  }
  const wholeToText = expected === "string" && Number.isInteger(value);
  const partToWhole = expected === "integer" && typeof value === "number";
  if (wholeToText || partToWhole) return `cannot convert ${goKind(value)} to ${goType}`;
  return `unrecognized type: ${KINDS[expected] ?? goType}`;
}

/** The one map that has a name of its own. */
const RESOURCES = "v1.ResourceList";

const KINDS: Readonly<Record<string, string>> = { string: "string", boolean: "bool", number: "float64" };

/** Go's word for the sort of a value that was read from JSON. */
function goKind(value: JsonValue): string {
  if (Array.isArray(value)) return "slice";
  if (isObject(value)) return "map";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
}

function jsonType(value: JsonValue): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
