// Sets of fields in the form of managedFields' fieldsV1: a tree whose edges are `f:name` (field), `k:{...}` (item of a
// keyed list) and `v:...` (item of a set). A node is a member when the field itself is owned, not only parts of it.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { atomOf, type Type } from "./atoms.ts";
import { keyEdge, valueEdge } from "./list-items.ts";

export interface FieldSet {
  member: boolean;
  readonly children: Map<string, FieldSet>;
}

export function emptySet(): FieldSet {
  return { member: false, children: new Map() };
}

export function isEmpty(set: FieldSet): boolean {
  if (set.member) return false;
  for (const child of set.children.values()) if (!isEmpty(child)) return false;
  return true;
}

/** The node at an edge, made when absent. */
export function childOf(set: FieldSet, edge: string): FieldSet {
  let child = set.children.get(edge);
  if (child === undefined) {
    child = emptySet();
    set.children.set(edge, child);
  }
  return child;
}

/** The set of one field. */
export function setOf(...paths: readonly (readonly string[])[]): FieldSet {
  const set = emptySet();
  for (const path of paths) path.reduce((node, name) => childOf(node, `f:${name}`), set).member = true;
  return set;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map(a.children);
  for (const [edge, child] of b.children) {
    const own = children.get(edge);
    children.set(edge, own === undefined ? child : union(own, child));
  }
  return { member: a.member || b.member, children };
}

/** Members of `a` that are not members of `b`; what lies below a member of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const out: FieldSet = { member: a.member && !b.member, children: new Map() };
  for (const [edge, child] of a.children) {
    const other = b.children.get(edge);
    const rest = other === undefined ? child : difference(child, other);
    if (!isEmpty(rest)) out.children.set(edge, rest);
  }
  return out;
}

/** Members of `a` that neither are members of `b` nor lie below one. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  const out: FieldSet = { member: a.member && !b.member, children: new Map() };
  for (const [edge, child] of a.children) {
    const other = b.children.get(edge);
    if (other?.member === true) continue;
    const rest = other === undefined ? child : recursiveDifference(child, other);
    if (!isEmpty(rest)) out.children.set(edge, rest);
  }
  return out;
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const out: FieldSet = { member: a.member && b.member, children: new Map() };
  for (const [edge, child] of a.children) {
    const other = b.children.get(edge);
    if (other === undefined) continue;
    const part = intersection(child, other);
    if (!isEmpty(part)) out.children.set(edge, part);
  }
  return out;
}

/** The set with every field that the schema names a member as soon as anything in it is. */
export function withNamedFields(set: FieldSet, type: Type | undefined): FieldSet {
  const out: FieldSet = { member: set.member, children: new Map() };
  const atom = type === undefined ? {} : atomOf(type);
  for (const [edge, child] of set.children) {
    const field = edge.startsWith("f:") ? atom.map?.field(edge.slice(2)) : undefined;
    const below = edge.startsWith("k:") ? atom.list?.element : field?.type;
    const full = withNamedFields(child, below);
    if (field?.named === true && child.children.size > 0) full.member = true;
    out.children.set(edge, full);
  }
  return out;
}

export function toFieldsV1(set: FieldSet): JsonObject {
  const out: JsonObject = {};
  if (set.member && set.children.size > 0) out["."] = {};
  for (const edge of [...set.children.keys()].sort(byEdge)) {
    const child = set.children.get(edge);
    if (child !== undefined && !isEmpty(child)) out[edge] = toFieldsV1(child);
  }
  return out;
}

export function fromFieldsV1(fields: JsonObject): FieldSet {
  return { member: false, children: childrenFrom(fields) };
}

function childrenFrom(fields: JsonObject): Map<string, FieldSet> {
  const children = new Map<string, FieldSet>();
  for (const [text, value] of Object.entries(fields)) {
    const edge = text === "." ? undefined : edgeFrom(text);
    if (edge === undefined || !isObject(value)) continue;
    const below = childrenFrom(value);
    children.set(edge, { member: below.size === 0 || Object.hasOwn(value, "."), children: below });
  }
  return children;
}

/** As this program writes it, whoever wrote it; undefined for sorts of edges that nobody knows yet. */
function edgeFrom(text: string): string | undefined {
  if (text.startsWith("f:") || text.startsWith("i:")) return text;
  try {
    const value = JSON.parse(text.slice(2)) as JsonValue;
    if (text.startsWith("v:")) return valueEdge(value);
    return text.startsWith("k:") && isObject(value) ? keyEdge(value) : undefined;
  } catch {
    return undefined;
  }
}

const SORTS = "fkvi";

/** Fields before keyed items before values; numbers by their value. */
function byEdge(a: string, b: string): number {
  if (a[0] !== b[0]) return SORTS.indexOf(a[0] ?? "") - SORTS.indexOf(b[0] ?? "");
  if (a.startsWith("f:")) return a < b ? -1 : 1;
  return compareValues(JSON.parse(a.slice(2)) as JsonValue, JSON.parse(b.slice(2)) as JsonValue);
}

function compareValues(a: JsonValue | undefined, b: JsonValue | undefined): number {
  if (isObject(a) && isObject(b)) return compareKeys(Object.entries(a), Object.entries(b));
  if (a === b) return 0;
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : 1;
  return typeof a === "number" || typeof b === "boolean" ? -1 : 1;
}

function compareKeys(a: readonly [string, JsonValue][], b: readonly [string, JsonValue][]): number {
  for (const [index, [name, value]] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = name === other[0] ? compareValues(value, other[1]) : name < other[0] ? -1 : 1;
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Every member as people read it: `.spec.containers[name="c"].image`. */
export function paths(set: FieldSet, prefix = ""): string[] {
  const edges = [...set.children.keys()].sort(byEdge);
  const own = edges.filter((edge) => set.children.get(edge)?.member === true).map((edge) => prefix + edgeText(edge));
  return [...own, ...edges.flatMap((edge) => paths(set.children.get(edge) ?? emptySet(), prefix + edgeText(edge)))];
}

export function edgeText(edge: string): string {
  const text = edge.slice(2);
  if (edge.startsWith("f:")) return `.${text}`;
  if (edge.startsWith("i:")) return `[${text}]`;
  if (!edge.startsWith("k:")) return `[=${JSON.stringify(JSON.parse(text))}]`;
  const keys = Object.entries(JSON.parse(text) as JsonObject);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
}

/** Adds the field at a path; the object as a whole is nobody's. */
export function insert(set: FieldSet, path: readonly string[]): void {
  if (path.length === 0) return;
  path.reduce((node, edge) => childOf(node, edge), set).member = true;
}
