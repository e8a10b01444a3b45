// Any field of a kind at any depth with a value that may or may not fit: from the kind's schema, so that no field is left
// out because nobody thought of it.
import { fieldsTexts } from "../../../src/playground/api-server/gen/open-api-facts.ts";
import { definition, resolve, type Schema } from "../../../src/playground/api-server/schema/schema.ts";
import { isMap } from "../run/fill-in.ts";
import type { Json, JsonMap } from "../step.ts";
import type { Random } from "./random.ts";

export interface AnyField {
  /** Names of fields and indexes of items, from the object's root. */
  readonly path: readonly string[];
  readonly value: Json;
}

/** Fields of the server, and those with which one object would change what becomes of other sequences. */
const LEFT_OUT = new Set(["apiVersion", "kind", "metadata", "globalDefault", "nominalConcurrencyShares", "cidrs"]);

interface Place {
  readonly random: Random;
  /** Full name of the struct that has the field, and the field. */
  readonly owner: string;
}

/** A field that an object of this definition has or could have. */
export function anyField(random: Random, object: JsonMap, definitionName: string): AnyField {
  const path: string[] = [];
  const value = choose(definition(definitionName), object, path, { random, owner: definitionName });
  return { path, value };
}

function choose(raw: Schema, value: Json | undefined, path: string[], place: Place): Json {
  const { random } = place;
  const schema = resolve(raw) ?? {};
  const struct = raw.$ref?.slice(raw.$ref.lastIndexOf("/") + 1) ?? place.owner;
  const isRoot = path.length === 0;
  if (!isRoot && random.chance(0.06)) return random.pick<Json>(WRONG);
  const fields = fieldsOf(schema, value, { random, isRoot });
  if (fields !== undefined && fields.length > 0 && (isRoot || random.chance(0.85))) {
    const name = random.pick(fields);
    path.push(name);
    const child = schema.properties?.[name] ?? {};
    return choose(child, isMap(value) ? value[name] : undefined, path, { random, owner: `${struct}.${name}` });
  }
  if (schema.type === "array" && Array.isArray(value) && value.length > 0 && random.chance(0.75)) {
    const index = random.int(value.length);
    path.push(String(index));
    return choose(schema.items ?? {}, value[index], path, place);
  }
  return made(raw, place, 0);
}

/** Of a struct: those that are there more often than those that could be. */
function fieldsOf(
  schema: Schema,
  value: Json | undefined,
  { random, isRoot }: { random: Random; isRoot: boolean },
): string[] | undefined {
  if (schema.properties === undefined) return undefined;
  const left = (name: string) => (isRoot && name === "status" ? false : !LEFT_OUT.has(name));
  const all = Object.keys(schema.properties).filter(left);
  const present = isMap(value) ? all.filter((name) => Object.hasOwn(value, name)) : [];
  return present.length > 0 && random.chance(isRoot ? 0.8 : 0.55) ? present : all;
}

const WRONG: readonly Json[] = [null, {}, [], "", 0, "text", true, [null], [{}], -1, 1.5];
const TEXTS = [
  "",
  "",
  "a",
  "b",
  "Bad_Name",
  "a b",
  "example.com/a",
  "/a",
  "..",
  "192.0.2.1",
  "a.example.com",
  "-",
  "é",
];
const NUMBERS = [0, 0, 1, -1, 2, 80, 101, 70_000, 2_147_483_647];
const AMOUNTS: readonly Json[] = ["0", "1", "-1", "1Gi", "1.5", "100m", 0, 3, "x", "", "1e3", "0.5n"];
const TIMES = ["2001-02-03T04:05:06Z", "2001-02-03T04:05:06.123456Z", "yesterday", "", "2001-02-03"];
const KEYS = ["a", "a", "cpu", "example.com/a", "bad key!", ""];

/** A value that fits the schema, mostly. */
function made(raw: Schema, place: Place, depth: number): Json {
  const { random, owner } = place;
  const schema = resolve(raw) ?? {};
  if (schema.format === "quantity") return random.pick(AMOUNTS);
  if (schema["x-kubernetes-int-or-string"] === true)
    return random.pick<Json>([0, 1, -1, 80, 70_000, "a", "10%", "-5%", "101%", "", "A b"]);
  if (schema.format === "date-time") return random.pick(TIMES);
  if (schema.format === "byte") return random.pick(["", "AA==", "c2VjcmV0", "x", "%%"]);
  if (schema.type === "string") return textOf(random, owner);
  if (schema.type === "boolean") return random.chance(0.5);
  if (schema.type === "integer" || schema.type === "number") return random.pick(NUMBERS);
  if (schema.type === "array") return listOf(schema, place, depth);
  return schema.properties === undefined ? mapOf(schema, place, depth) : structOf(raw, schema, place, depth);
}

function textOf(random: Random, owner: string): Json {
  const [, known] = /"enum":(\[[^\]]*\])/.exec(fieldsTexts[owner] ?? "") ?? [];
  if (known === undefined || random.chance(0.2)) return random.pick(TEXTS);
  return random.pick(JSON.parse(known) as string[]);
}

function listOf(schema: Schema, place: Place, depth: number): Json {
  const { random } = place;
  const roll = random.int(10);
  if (roll === 0) return [];
  if (roll === 1) return [null];
  const items = schema.items ?? {};
  const first = made(items, place, depth + 1);
  // Ports of nodes are chosen for each of them, in messages too.
  if (place.owner.endsWith("ServiceSpec.ports")) return [first];
  return roll < 8 ? [first] : [first, roll === 8 ? first : made(items, place, depth + 1)];
}

function mapOf(schema: Schema, place: Place, depth: number): Json {
  const { random } = place;
  const values = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  if (values === undefined || random.chance(0.2)) return {};
  return { [random.pick(KEYS)]: random.chance(0.1) ? null : made(values, place, depth + 1) };
}

/** What a struct needs, and a field or two beyond it. */
function structOf(raw: Schema, schema: Schema, place: Place, depth: number): Json {
  const { random } = place;
  const struct = raw.$ref?.slice(raw.$ref.lastIndexOf("/") + 1) ?? place.owner;
  const names = Object.keys(schema.properties ?? {}).filter((name) => !LEFT_OUT.has(name));
  if (names.length === 0 || random.chance(0.1)) return {};
  // Of two sources of one metric the real server tells in the order of its chance.
  if (struct.endsWith(".MetricSpec"))
    return { type: "Resource", resource: { name: "cpu", target: { type: "Utilization" } } };
  const more = depth > 4 ? [] : [random.pick(names), ...(random.chance(0.3) ? [random.pick(names)] : [])];
  const wanted = names.filter(
    (name) => more.includes(name) || (schema.required?.includes(name) === true && random.chance(0.9)),
  );
  const inside = (name: string) =>
    made(schema.properties?.[name] ?? {}, { random, owner: `${struct}.${name}` }, depth + 1);
  return Object.fromEntries(wanted.map((name) => [name, inside(name)]));
}

/** The value with another one at a place inside it. */
export function replaced(value: Json, path: readonly string[], next: Json): Json {
  const [first, ...rest] = path;
  if (first === undefined) return next;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === first ? replaced(item, rest, next) : item));
  const map = isMap(value) ? value : {};
  return { ...map, [first]: replaced(map[first] ?? {}, rest, next) };
}
