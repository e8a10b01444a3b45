// Sets of fields in the form of managedFields' fieldsV1: a tree whose edges are `f:name` (field), `k:{...}` (item of a
// keyed list) and `v:...` (item of a set). A node is a member when the field itself is owned, not only parts of it.
import type { JsonObject } from "../contract.ts";
import { isObject } from "../json.ts";

export interface FieldSet {
  member: boolean;
  readonly children: Map<string, FieldSet>;
}

export function emptySet(): FieldSet {
  return { member: false, children: new Map() };
}

export function isEmpty(set: FieldSet): boolean {
  return !set.member && [...set.children.values()].every(isEmpty);
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

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map(a.children);
  for (const [edge, child] of b.children) {
    const own = children.get(edge);
    children.set(edge, own === undefined ? child : union(own, child));
  }
  return { member: a.member || b.member, children };
}

/** Members of `a` that are not members of `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const out: FieldSet = { member: a.member && !b.member, children: new Map() };
  for (const [edge, child] of a.children) {
    const other = b.children.get(edge);
    const rest = other === undefined ? child : difference(child, other);
    if (!isEmpty(rest)) out.children.set(edge, rest);
  }
  return out;
}

/** Members of `a` that are members of `b` or lie below one: what is removed as a whole is removed in all its parts. */
export function within(a: FieldSet, b: FieldSet): FieldSet {
  if (b.member && b.children.size === 0) return a;
  const out: FieldSet = { member: a.member && b.member, children: new Map() };
  for (const [edge, child] of a.children) {
    const other = b.children.get(edge);
    if (other === undefined) continue;
    const part = within(child, other);
    if (!isEmpty(part)) out.children.set(edge, part);
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

export function toFieldsV1(set: FieldSet): JsonObject {
  const out: JsonObject = {};
  if (set.member && set.children.size > 0) out["."] = {};
  for (const edge of [...set.children.keys()].sort()) {
    const child = set.children.get(edge);
    if (child !== undefined && !isEmpty(child)) out[edge] = toFieldsV1(child);
  }
  return out;
}

export function fromFieldsV1(fields: JsonObject): FieldSet {
  return { member: Object.hasOwn(fields, "."), children: childrenFrom(fields) };
}

function childrenFrom(fields: JsonObject): Map<string, FieldSet> {
  const children = new Map<string, FieldSet>();
  for (const [edge, value] of Object.entries(fields)) {
    if (edge === "." || !isObject(value)) continue;
    const below = childrenFrom(value);
    children.set(edge, { member: below.size === 0 || Object.hasOwn(value, "."), children: below });
  }
  return children;
}

/** Every member as people read it: `.spec.containers[name="c"].image`. */
export function paths(set: FieldSet, prefix = ""): string[] {
  const own = set.member && prefix !== "" ? [prefix] : [];
  const below = [...set.children].flatMap(([edge, child]) => paths(child, prefix + edgeText(edge)));
  return [...own, ...below];
}

function edgeText(edge: string): string {
  const text = edge.slice(2);
  if (edge.startsWith("f:")) return `.${text}`;
  if (!edge.startsWith("k:")) return `[=${text}]`;
  const keys = Object.entries(JSON.parse(text) as JsonObject);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
}
