// What structured merge makes of a schema: for each type the forms that its values may have, and whether the parts of a
// list or map are owned one by one or only together.

import type { JsonValue } from "../contract.ts";
import { zeroValues } from "../gen/zero-values.ts";
import { isObject } from "../json.ts";
import { isRawObject, resolve, type Schema } from "../schema/schema.ts";

/** A schema where it stands; `open` when something above it says that unknown fields are kept. */
export interface Type {
  readonly schema: Schema;
  readonly open: boolean;
}

export type Scalar = "numeric" | "string" | "boolean" | "untyped";

export interface ListForm {
  /** undefined: the list is one value; empty: a set; else a list whose items are named by these fields. */
  readonly keys: readonly string[] | undefined;
  readonly element: Type;
}

export interface MapForm {
  readonly atomic: boolean;
  /** The type of a field and whether the schema names it; undefined for one that may not be. */
  field(name: string): { readonly type: Type; readonly named: boolean } | undefined;
}

/** The forms that values of a type may have; one in most types. */
export interface Atom {
  readonly map?: MapForm;
  readonly scalar?: Scalar;
  readonly list?: ListForm;
}

const ANY: Schema = {};
/** Any value, divided as far as it is maps. */
const DEDUCED: Type = { schema: ANY, open: false };
/** Any value, undivided. */
const UNDIVIDED: Type = { schema: {}, open: false };

const deducedAtom: Atom = {
  scalar: "untyped",
  list: { keys: undefined, element: UNDIVIDED },
  map: { atomic: false, field: () => ({ type: DEDUCED, named: false }) },
};
const undividedAtom: Atom = {
  scalar: "untyped",
  list: { keys: undefined, element: UNDIVIDED },
  map: { atomic: true, field: () => ({ type: UNDIVIDED, named: false }) },
};

export const typeOf = (schema: Schema): Type => ({ schema, open: false });

const atoms: readonly WeakMap<Schema, Atom>[] = [new WeakMap(), new WeakMap()];

export function atomOf(type: Type): Atom {
  if (type === DEDUCED) return deducedAtom;
  if (type === UNDIVIDED) return undividedAtom;
  const known = atoms[type.open ? 1 : 0];
  let atom = known?.get(type.schema);
  if (atom === undefined) {
    atom = makeAtom(type);
    known?.set(type.schema, atom);
  }
  return atom;
}

const SCALARS: Readonly<Record<string, Scalar>> = { integer: "numeric", number: "numeric", boolean: "boolean" };

function makeAtom({ schema: raw, open }: Type): Atom {
  const schema = resolve(raw) ?? ANY;
  if (schema.format === "quantity") return { scalar: "untyped" };
  const kept = open || schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (isRawObject(schema)) return undividedAtom;
  if (schema.type === "object") return { map: mapForm(schema, kept) };
  if (schema.type === "array") return { list: listForm(schema, kept) };
  if (schema.type === undefined) {
    return { scalar: "untyped", list: listForm(schema, kept), map: mapForm(schema, kept) };
  }
  const text = schema.format === undefined || schema.format === "byte" ? "string" : "untyped";
  return { scalar: SCALARS[schema.type] ?? text };
}

function mapForm(schema: Schema, open: boolean): MapForm {
  const fields = schema.properties ?? {};
  const known = new Map<string, { type: Type; named: boolean }>();
  const rest = restOf(schema, open);
  return {
    atomic: schema["x-kubernetes-map-type"] === "atomic",
    field(name) {
      const child = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (child === undefined) return rest === undefined ? undefined : { type: rest, named: false };
      let field = known.get(name);
      if (field === undefined) {
        field = { type: { schema: child, open: open && child.$ref === undefined }, named: true };
        known.set(name, field);
      }
      return field;
    },
  };
}

/** The type of fields that the schema does not name. */
function restOf(schema: Schema, open: boolean): Type | undefined {
  const rest = schema.additionalProperties;
  if (typeof rest === "object") return { schema: rest, open: open && rest.$ref === undefined };
  if (rest === true) return DEDUCED;
  if (rest === false) return undefined;
  return open || Object.keys(schema.properties ?? {}).length === 0 ? DEDUCED : undefined;
}

function listForm(schema: Schema, open: boolean): ListForm {
  const { items } = schema;
  const element = items === undefined ? UNDIVIDED : { schema: items, open: open && items.$ref === undefined };
  return { keys: keysOf(schema), element };
}

function keysOf(schema: Schema): readonly string[] | undefined {
  const type = schema["x-kubernetes-list-type"];
  if (type === "map") return schema["x-kubernetes-list-map-keys"] ?? [];
  if (type === "set") return [];
  const merges = /^merge\b/.test(schema["x-kubernetes-patch-strategy"] ?? "");
  if (type !== undefined || !merges) return undefined;
  const key = schema["x-kubernetes-patch-merge-key"];
  return key === undefined ? [] : [key];
}

/** The forms of a type that fit a value; all of them when none does. */
export function atomFor(atom: Atom, value: JsonValue | undefined): Atom {
  if (value === undefined || value === null) return atom;
  if (Array.isArray(value)) return atom.list === undefined ? atom : { list: atom.list };
  if (isObject(value)) return atom.map === undefined ? atom : { map: atom.map };
  return atom.scalar === undefined ? atom : { scalar: atom.scalar };
}

export type Form =
  | { readonly kind: "map"; readonly map: MapForm }
  | { readonly kind: "scalar"; readonly scalar: Scalar }
  | { readonly kind: "list"; readonly list: ListForm };

/** The first form of an atom: maps before scalars before lists. */
export function formOf(atom: Atom): Form {
  if (atom.map !== undefined) return { kind: "map", map: atom.map };
  if (atom.scalar !== undefined) return { kind: "scalar", scalar: atom.scalar };
  return { kind: "list", list: atom.list ?? { keys: undefined, element: UNDIVIDED } };
}

/** The form of a value of a type. */
export const formFor = (type: Type, value: JsonValue | undefined): Form => formOf(atomFor(atomOf(type), value));

/** Keys of list items that may be left out, with what they mean then. */
const KEY_DEFAULTS: Readonly<Record<string, JsonValue>> = { protocol: "TCP" };
const NAMED = "io.k8s.api.core.v1.LocalObjectReference";
const REF_PREFIX = "#/components/schemas/";

/** What a key field of a list's items means when an item leaves it out. */
export function keyDefault({ element }: ListForm, key: string): JsonValue | undefined {
  const name = element.schema.$ref?.slice(REF_PREFIX.length);
  const field = resolve(element.schema)?.properties?.[key];
  if (field?.default !== undefined) return field.default;
  if (name === undefined) return undefined;
  if (name === NAMED && key === "name") return "";
  return KEY_DEFAULTS[key] ?? zeroValues[name]?.shown[key] ?? undefined;
}
