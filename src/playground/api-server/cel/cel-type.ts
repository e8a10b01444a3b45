// Types of expressions, as the checker reasons about them and as its messages call them.
import { randomInt } from "node:crypto";
import { resolve, type Schema } from "../schema/schema.ts";
import { escapeName } from "./values.ts";

/** `name` is a scalar's, an opaque type's, `list`, `map`, `optional_type`, `object` or `dyn`; A and B stand for any type. */
export interface CelType {
  readonly name: string;
  readonly of: readonly CelType[];
  /** Fields of an object. */
  readonly fields?: () => Readonly<Record<string, CelType>>;
  /** What messages call an object by: where it stands below the value of a rule. */
  readonly place?: string;
}

export const scalar = (name: string): CelType => ({ name, of: [] });
export const DYN = scalar("dyn");
export const listOf = (item: CelType): CelType => ({ name: "list", of: [item] });
/** An optional value of an optional value is one. */
export const optionalOf = (value: CelType): CelType =>
  value.name === "optional_type" ? value : { name: "optional_type", of: [value] };
export const mapOf = (key: CelType, value: CelType): CelType => ({ name: "map", of: [key, value] });

/** An object with just these fields. */
export const objectOf = (fields: Readonly<Record<string, CelType>>): CelType => ({
  name: "object",
  of: [],
  fields: () => fields,
});

/** Kubernetes' own types. */
const FULL_NAMES: Readonly<Record<string, string>> = {
  quantity: "kubernetes.Quantity",
  url: "kubernetes.URL",
  semver: "kubernetes.Semver",
  ip: "net.IP",
  cidr: "net.CIDR",
};

/** The name alone, without what a list or a map holds. */
export function typeName(type: CelType): string {
  if (type.name === "timestamp") return "google.protobuf.Timestamp";
  if (type.name === "duration") return "google.protobuf.Duration";
  return type.place ?? FULL_NAMES[type.name] ?? type.name;
}

export function typeText(type: CelType): string {
  if (type.name === "null_type") return "null";
  // What a list or map holds that is empty.
  if (type.name === "A" || type.name === "B") return "dyn";
  if (type.name === "timestamp" || type.name === "duration") return type.name;
  const name = typeName(type);
  return type.of.length === 0 ? name : `${name}(${type.of.map(typeText).join(", ")})`;
}

const META: Schema = { type: "object", properties: { name: { type: "string" }, generateName: { type: "string" } } };
const ROOT = { apiVersion: { type: "string" }, kind: { type: "string" }, metadata: META };

const ANY_NUMBER = 1_000_000_000;
/** A name for the type of a rule's value, another one each time. */
const newPlace = () => `selfType${randomInt(ANY_NUMBER)}`;

/** The type of values of a schema at a place; undefined for values that no expression may name. */
export function typeOfSchema(given: Schema | undefined, root = false, place = newPlace()): CelType | undefined {
  const schema = resolve(given);
  if (schema === undefined) return undefined;
  if (schema["x-kubernetes-int-or-string"] === true) return DYN;
  if (schema.type === "array") {
    const item = typeOfSchema(schema.items, false, `${place}.@idx`);
    return item && listOf(item);
  }
  if (schema.type === "object" || root) return objectType(schema, root, place);
  const text = schema.type === "string" ? TEXT_FORMATS[schema.format ?? ""] : undefined;
  const name = text ?? SCALARS[schema.type ?? ""];
  return name === undefined ? undefined : scalar(name);
}

const SCALARS: Readonly<Record<string, string>> = {
  string: "string",
  boolean: "bool",
  integer: "int",
  number: "double",
};
const TEXT_FORMATS: Readonly<Record<string, string>> = {
  "date-time": "timestamp",
  date: "timestamp",
  duration: "duration",
  byte: "bytes",
};

function objectType(schema: Schema, root: boolean, place: string): CelType | undefined {
  if (typeof schema.additionalProperties === "object") {
    const value = typeOfSchema(schema.additionalProperties, false, `${place}.@elem`);
    return value && mapOf(scalar("string"), value);
  }
  if (schema.additionalProperties === true) return mapOf(scalar("string"), DYN);
  const embedded = root || schema["x-kubernetes-embedded-resource"] === true;
  const properties = { ...schema.properties, ...(embedded ? ROOT : {}) };
  let known: Record<string, CelType> | undefined;
  const fields = () => {
    known ??= Object.fromEntries(
      Object.entries(properties).flatMap(([name, child]) => {
        const type = typeOfSchema(child, false, `${place}.${name}`);
        return type === undefined ? [] : [[escapeName(name), type] as const];
      }),
    );
    return known;
  };
  return { name: "object", of: [], fields, place };
}

const isParameter = ({ name }: CelType) => name === "A" || name === "B";

/** Whether a value of type `given` may stand where `wanted` is asked for; binds the parameters of `wanted`. */
export function fits(wanted: CelType, given: CelType, bound: Map<string, CelType>): boolean {
  if (isParameter(wanted)) {
    // The items of an empty list bind nothing.
    if (isParameter(given)) return true;
    const before = bound.get(wanted.name);
    if (before === undefined || before.name === "dyn") {
      bound.set(wanted.name, given);
      return true;
    }
    return fits(before, given, bound) || fits(given, before, bound);
  }
  // Of an empty list or map the items may be of any type.
  if (wanted.name === "dyn" || given.name === "dyn" || isParameter(given)) return true;
  // null is an absent object or time.
  if (given.name === "null_type") return ["object", "timestamp", "duration", "null_type"].includes(wanted.name);
  if (wanted.name === "null_type") return fits(given, wanted, bound);
  if (wanted.name !== given.name) return false;
  if (wanted.name === "object") return wanted === given || sameFields(wanted, given);
  return wanted.of.every((part, index) => fits(part, given.of[index] ?? DYN, bound));
}

/** Schemas of one place make types anew each time. */
function sameFields(a: CelType, b: CelType): boolean {
  const [one, other] = [Object.keys(a.fields?.() ?? {}), Object.keys(b.fields?.() ?? {})];
  return one.length === other.length && one.every((name) => other.includes(name));
}

/** `type` with its parameters replaced by what they were bound to. */
export function settled(type: CelType, bound: ReadonlyMap<string, CelType>): CelType {
  if (isParameter(type)) return bound.get(type.name) ?? type;
  return type.of.length === 0 ? type : { ...type, of: type.of.map((part) => settled(part, bound)) };
}
