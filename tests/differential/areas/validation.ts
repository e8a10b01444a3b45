// Bodies that are nearly right: a field missing, unknown, twice, of the wrong type; names that may not be; and what
// fieldValidation makes of them.
import { replaced } from "../generate/any-field.ts";
import { FREE_KINDS, type TemplateKind } from "../generate/builder.ts";
import type { Random } from "../generate/random.ts";
import { isMap } from "../run/fill-in.ts";
import type { Body, Json, JsonMap } from "../step.ts";
import type { Area } from "./area.ts";

export const validation: Area = {
  name: "validation",
  weight: 14,
  held: true,
  make(builder) {
    const { random } = builder;
    const kind = random.pick(FREE_KINDS);
    if (kind.namespaced) builder.namespace();
    const turns = 4 + random.int(5);
    for (let i = 0; i < turns; i++) {
      const name = builder.name(kind);
      const object = builder.object(kind, name);
      const body = random.weighted(MUTATIONS).make(object, random, { kind });
      const query = {
        fieldValidation: random.pick([
          undefined,
          "Strict",
          "Warn",
          "Ignore",
          "Ignore",
          random.chance(0.1) ? "Own" : undefined,
        ]),
        dryRun: random.pick([undefined, undefined, undefined, "All"]),
      };
      builder.create(kind, name, { body, query });
    }
  },
};

type Mutation = (object: JsonMap, random: Random, about: { readonly kind: TemplateKind }) => Body;

const WRONG_VALUES: readonly Json[] = ["text", 7, true, null, [], {}, [1], -1, 1.5, "", "0", [null], [{}]];

const MUTATIONS: readonly { weight: number; make: Mutation }[] = [
  { weight: 2, make: (object) => ({ json: object }) },
  {
    weight: 4,
    make(object, random) {
      const paths = pathsOf(object).filter((path) => path.length > 0 && path[0] !== "metadata" && path[0] !== "kind");
      const path = paths.length > 0 ? random.pick(paths) : ["spec"];
      return { json: random.chance(0.5) ? without(object, path) : replaced(object, path, random.pick(WRONG_VALUES)) };
    },
  },
  {
    weight: 2,
    make: (object, random) => ({
      json: replaced(object, [...mapPath(object, random), "unknownField"], random.pick(["x", 1, {}])),
    }),
  },
  {
    weight: 1,
    make(object) {
      const text = JSON.stringify(object);
      return {
        raw: `${text.slice(0, -1)},"metadata":{"name":"twice-{{seq}}"},"kind":${JSON.stringify(object["kind"])}}`,
      };
    },
  },
  { weight: 1, make: (object) => ({ raw: JSON.stringify(object).replace('"name":', '"name":"x","name":') }) },
  {
    weight: 3,
    make: (object, random) => ({
      json: replaced(
        object,
        ["metadata", "name"],
        random.pick<Json>(["", "UPPER", "a b", "-a", "a".repeat(260), "a.b", "a_b", "a/b", "..", null, 5]),
      ),
    }),
  },
  {
    weight: 3,
    make: (object, random) => ({
      json: replaced(
        object,
        ["metadata", random.pick(["labels", "annotations"])],
        random.pick<Json>([
          { "bad key!": "x" },
          { a: "bad value!" },
          { a: 1 },
          { "example.com/": "x" },
          { "/x": "x" },
          { a: "x".repeat(70) },
          "text",
          null,
        ]),
      ),
    }),
  },
  {
    weight: 2,
    make: (object, random) => ({ json: merged(object, random.pick(METADATA)) }),
  },
  {
    weight: 2,
    make: (object, random) => {
      const { refused = [] } = random.pick(FREE_KINDS.filter(({ kind }) => kind === object["kind"])).template;
      return { json: refused.length === 0 ? object : merged(object, random.pick(refused)) };
    },
  },
  {
    weight: 1,
    make: (object, random) => ({
      json: {
        ...object,
        ...random.pick<JsonMap>([
          { kind: "Own" },
          { apiVersion: "v9" },
          { kind: "" },
          { apiVersion: "" },
          { kind: "Pod", apiVersion: "v1" },
        ]),
      },
    }),
  },
  {
    weight: 1,
    make: (object, random) => ({
      raw: random.pick([
        "",
        "{",
        "[]",
        "null",
        '"text"',
        JSON.stringify(object).slice(0, -2),
        `${JSON.stringify(object)} x`,
      ]),
    }),
  },
];

const METADATA: readonly JsonMap[] = [
  { metadata: { namespace: "other" } },
  { metadata: { uid: "33333333-3333-3333-3333-333333333333" } },
  { metadata: { resourceVersion: "5" } },
  { metadata: { creationTimestamp: "2001-02-03T04:05:06Z", generation: 9 } },
  { metadata: { creationTimestamp: "yesterday" } },
  { metadata: { finalizers: ["x"] } },
  { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "o" }] } },
  {
    metadata: {
      ownerReferences: [
        { apiVersion: "v1", kind: "Pod", name: "o", uid: "1", controller: true },
        { apiVersion: "v1", kind: "Pod", name: "p", uid: "2", controller: true },
      ],
    },
  },
  {
    metadata: {
      managedFields: [
        { manager: "x", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:data": {} } },
      ],
    },
  },
  { metadata: { managedFields: [{ operation: "Own" }] } },
  { metadata: { selfLink: "/x" } },
  { metadata: { generateName: "Bad Name" } },
];

function pathsOf(value: Json, path: string[] = []): string[][] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item, index) => pathsOf(item, [...path, String(index)]))];
  if (!isMap(value)) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function mapPath(object: JsonMap, random: Random): string[] {
  const at = (path: string[]) =>
    path.reduce<Json | undefined>(
      (value, key) => (Array.isArray(value) ? value[Number(key)] : isMap(value) ? value[key] : undefined),
      object,
    );
  const maps = pathsOf(object).filter(
    (path) =>
      isMap(at(path)) &&
      !/^(data|stringData|binaryData|labels|annotations|selector|matchLabels|hard|parameters|nodeSelector|max|min|default|defaultRequest|requests|limits|capacity|podFixed)$/.test(
        path.at(-1) ?? "",
      ),
  );
  return random.pick(maps);
}

function without(value: Json, path: readonly string[]): Json {
  const [first, ...rest] = path;
  if (Array.isArray(value)) {
    return rest.length === 0
      ? value.filter((_item, index) => String(index) !== first)
      : value.map((item, index) => (String(index) === first ? without(item, rest) : item));
  }
  if (!isMap(value) || first === undefined) return value;
  const { [first]: inner, ...others } = value;
  return rest.length === 0 || inner === undefined ? others : { ...others, [first]: without(inner, rest) };
}

function merged(value: Json, edit: Json): Json {
  if (!isMap(edit)) return edit;
  const map = isMap(value) ? value : {};
  return Object.fromEntries([
    ...Object.entries(map).filter(([key]) => !(key in edit)),
    ...Object.entries(edit).map(([key, inner]) => [key, merged(map[key] ?? null, inner)] as const),
  ]);
}
