// Whether an applied configuration fits its type, in the words in which clients are told.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { formFor, type ListForm, type MapForm, type Scalar, type Type } from "./atoms.ts";
import { edgeText } from "./field-set.ts";
import { itemEdge } from "./list-items.ts";

interface Fault {
  readonly path: string;
  readonly text: string;
}

/** What is wrong with a value, as one text; undefined when nothing is. Objects that are there may hold doubles. */
export function typeFaults(type: Type, value: JsonValue, doubles?: "doubles allowed"): string | undefined {
  const all = validate(type, value, "").filter(({ text }) => doubles === undefined || !text.startsWith(DOUBLE));
  const faults = all.map(({ path, text }) => (path === "" ? text : `${path}: ${text}`));
  return faults.length > 1 ? ["errors:", ...faults.map((fault) => `  ${fault}`)].join("\n") : faults[0];
}

const DOUBLE = "duplicate entries for key";

function validate(type: Type, value: JsonValue, path: string): Fault[] {
  const form = formFor(type, value);
  if (value === null) return [];
  if (form.kind === "map") {
    return isObject(value)
      ? mapFaults(form.map, value, path)
      : [{ path, text: `expected map, got ${goPointer(value)}` }];
  }
  if (form.kind === "list") {
    return Array.isArray(value)
      ? listFaults(form.list, value, path)
      : [{ path, text: `expected list, got ${goPointer(value)}` }];
  }
  const text = scalarFault(form.scalar, value);
  return text === undefined ? [] : [{ path, text }];
}

function mapFaults(map: MapForm, value: JsonObject, path: string): Fault[] {
  const faults: Fault[] = [];
  for (const [key, child] of Object.entries(value)) {
    const field = map.field(key);
    if (field === undefined) return [...faults, { path: `${path}.${key}`, text: "field not declared in schema" }];
    faults.push(...validate(field.type, child, `${path}.${key}`));
  }
  return faults;
}

function listFaults(list: ListForm, items: readonly JsonValue[], path: string): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (list.keys === undefined) {
      faults.push(...validate(list.element, item, `${path}[${index}]`));
      continue;
    }
    const named = itemEdge(list, item);
    if ("fault" in named) return [...faults, { path, text: `element ${index}: ${named.fault}` }];
    const text = edgeText(named.edge);
    if (seen.has(named.edge)) faults.push({ path, text: `${DOUBLE} ${text}` });
    seen.add(named.edge);
    faults.push(...validate(list.element, item, path + text));
  }
  return faults;
}

function scalarFault(scalar: Scalar, value: JsonValue): string | undefined {
  if (scalar === "numeric") {
    return typeof value === "number" ? undefined : `expected numeric (int or float), got ${goType(value)}`;
  }
  if (scalar === "string") {
    return typeof value === "string"
      ? undefined
      : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
  }
  if (scalar === "boolean") {
    return typeof value === "boolean" ? undefined : `expected boolean, got ${goPointer(value)}`;
  }
  return typeof value === "object" ? `expected any scalar, got ${goPointer(value)}` : undefined;
}

function goType(value: JsonValue): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (isObject(value)) return "map[string]interface {}";
  return typeof value === "boolean" ? "bool" : typeof value === "number" ? "float64" : "string";
}

const sorted = (value: JsonObject) => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));

/** As Go's `%v` prints a pointer to the value's holder. */
const goPointer = (value: JsonValue) => `&{${goPlain(value)}}`;

function goPlain(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(goPlain).join(" ")}]`;
  if (isObject(value)) {
    return `map[${sorted(value)
      .map(([key, child]) => `${key}:${goPlain(child)}`)
      .join(" ")}]`;
  }
  return value === null ? "<nil>" : String(value);
}

/** As Go's `%#v` prints the value. */
function goSyntax(value: JsonValue): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  if (isObject(value)) {
    const fields = sorted(value).map(([key, child]) => `${JSON.stringify(key)}:${goSyntax(child)}`);
    return `map[string]interface {}{${fields.join(", ")}}`;
  }
  if (value === null) return "interface {}(nil)";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
