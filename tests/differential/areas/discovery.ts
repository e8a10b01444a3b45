// What is served: discovery in its old and its aggregated form, OpenAPI and its index, versions.

import { KINDS, type SequenceBuilder } from "../generate/builder.ts";
import type { Random } from "../generate/random.ts";
import type { JsonMap, Until } from "../step.ts";
import type { Area } from "./area.ts";

export const discovery: Area = {
  name: "discovery",
  weight: 2,
  held: true,
  make(builder) {
    if (builder.random.chance(0.04)) return lifeOfDefinition(builder);
    const turns = 2 + builder.random.int(4);
    for (let i = 0; i < turns; i++) builder.random.weighted(TURNS).take(builder);
  },
};

const form = (version: string, more = "") =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList${more}`;

const AGGREGATED = [
  `${form("v2")},${form("v2beta1")}`,
  form("v2"),
  form("v2beta1"),
  form("v2", ";profile=nopeer"),
  `${form("v3")},application/json`,
  `application/json,${form("v2")}`,
  `application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io`,
];

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const OWN = "/openapi/v3/apis/g{{seq}}.example.com/v1";

/** What OpenAPI says of a definition that comes, changes and goes; a real server says so some time later. */
function lifeOfDefinition(builder: SequenceBuilder): void {
  const { random } = builder;
  const schema = (size: JsonMap): JsonMap => ({
    type: "object",
    ...(random.chance(0.5) ? { description: "A widget." } : {}),
    properties: {
      size,
      whole: {
        type: "object",
        "x-kubernetes-embedded-resource": true,
        ...(random.chance(0.5) ? { "x-kubernetes-preserve-unknown-fields": true } : { properties: { own: size } }),
      },
      ...part(random),
      list: { type: "array", nullable: random.chance(0.5), items: { type: "string", default: "a" } },
    },
  });
  const version = (size: JsonMap): JsonMap => ({
    name: "v1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema: schema(size) },
    subresources: random.chance(0.5)
      ? { status: {}, scale: { specReplicasPath: ".spec.a", statusReplicasPath: ".status.a" } }
      : {},
    ...(random.chance(0.3) ? { selectableFields: [{ jsonPath: ".size" }] } : {}),
  });
  const names = { plural: "widgets", singular: "widget", kind: random.pick(["Widget", "Order", "Classes"]) };
  const definition: JsonMap = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.g{{seq}}.example.com" },
    spec: {
      group: "g{{seq}}.example.com",
      scope: random.pick(["Namespaced", "Cluster"]),
      names: { ...names, listKind: `${names.kind}List` },
      versions: [version({ type: "integer", maximum: 9, description: "first {{seq}}" })],
    },
  };
  const one = `${DEFINITIONS}/widgets.g{{seq}}.example.com`;
  builder.send("POST", DEFINITIONS, { verb: "create", body: { json: definition } });
  toldAs(builder, { contains: "first {{seq}}" });
  const edit = [
    { op: "replace", path: "/spec/versions/0", value: version({ type: "string", description: "second {{seq}}" }) },
  ];
  const headers = { "content-type": "application/json-patch+json" };
  builder.send("PATCH", one, { verb: "patch", headers, body: { json: edit } });
  toldAs(builder, { contains: "second {{seq}}" });
  builder.send("DELETE", one, { verb: "delete" });
  builder.send("GET", OWN, { verb: "openapi", until: { status: 404 } });
  builder.send("GET", V2, { verb: "openapi", ownOnly: true, until: { lacks: "g{{seq}}.example.com" } });
}

const V2 = "/openapi/v2";

const EITHER = { anyOf: [{ type: "integer" }, { type: "string" }] };
const PARTS: readonly JsonMap[] = [
  { "x-kubernetes-int-or-string": true },
  { "x-kubernetes-int-or-string": true, ...EITHER },
  { "x-kubernetes-int-or-string": true, allOf: [EITHER, { pattern: "^[0-9]+%?$" }] },
  { "x-kubernetes-int-or-string": true, anyOf: [{ minimum: 2 }, { maxLength: 3 }] },
  { type: "object", additionalProperties: { type: "string", nullable: true }, maxProperties: 3, nullable: false },
  { type: "object", additionalProperties: { type: "array", items: { type: "object", properties: {} } } },
  { type: "string", enum: ["a", "b", ""], format: "date-time", pattern: "^a$", minLength: 0, maxLength: 9, title: "t" },
  { type: "string", oneOf: [{ pattern: "a" }, { pattern: "b" }], not: { pattern: "c" }, example: "x" },
  { type: "number", minimum: 0, maximum: 0.5, exclusiveMinimum: true, multipleOf: 0.1, default: 0.2 },
  {
    type: "object",
    required: ["a"],
    properties: { a: { type: "string", nullable: true }, b: { type: "boolean", default: false } },
  },
  { type: "object", "x-kubernetes-map-type": "atomic", externalDocs: { description: "d", url: "http://a" } },
  { type: "array", "x-kubernetes-list-type": "set", uniqueItems: false, minItems: 0, items: { type: "string" } },
  {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["k"],
    items: { type: "object", required: ["k"], properties: { k: { type: "string" } } },
  },
  { type: "integer", format: "int64", "x-kubernetes-validations": [{ rule: "self > 1", message: "too small" }] },
];

const part = (random: Random): JsonMap =>
  Object.fromEntries(random.some(["one", "two", "three", "four"]).map((name) => [name, random.pick(PARTS)]));

function toldAs(builder: SequenceBuilder, until: Until): void {
  builder.send("GET", OWN, { verb: "openapi", until });
  builder.send("GET", V2, { verb: "openapi", ownOnly: true, until });
}

/** Without the lists of all groups, in which the definitions of other sequences stand. */
const TURNS: readonly { weight: number; take(builder: SequenceBuilder): void }[] = [
  {
    weight: 6,
    take(builder) {
      builder.send("GET", rootOf(builder), { verb: "discovery" });
    },
  },
  {
    weight: 2,
    take(builder) {
      const { group } = builder.random.pick(KINDS);
      builder.send("GET", group === "" ? "/api" : `/apis/${group}`, { verb: "discovery" });
    },
  },
  {
    weight: 2,
    take(builder) {
      const { random } = builder;
      const headers = { accept: random.pick(AGGREGATED), ...(random.chance(0.2) ? { "if-none-match": '"x"' } : {}) };
      builder.send("GET", random.pick(["/api", "/api", "/api", "/api/v1", "/version"]), { verb: "discovery", headers });
    },
  },
  {
    weight: 3,
    take(builder) {
      const { random } = builder;
      const headers = random.chance(0.2) ? { "if-none-match": random.pick(['"x"', "*", 'W/"x", "y"']) } : {};
      builder.send("GET", `/openapi/v3${rootOf(builder)}`, { verb: "openapi", headers });
    },
  },
  {
    weight: 1,
    take(builder) {
      const { random } = builder;
      const headers = random.chance(0.2) ? { "if-none-match": random.pick(['"x"', "*", 'W/"x", "y"']) } : {};
      const accept = random.chance(0.3) ? { accept: random.pick(["application/json", "*/*", "text/html"]) } : {};
      builder.send("GET", V2, { verb: "openapi", ownOnly: true, headers: { ...headers, ...accept } });
    },
  },
  {
    weight: 2,
    take(builder) {
      const { random } = builder;
      const { group } = random.pick(KINDS);
      const own = group === "" ? "api" : `apis/${group}`;
      const path = random.pick([
        own,
        own,
        "api",
        "apis",
        "version",
        "openid/v1/jwks",
        ".well-known/openid-configuration",
      ]);
      builder.send("GET", `/openapi/v3/${path}`, { verb: "openapi" });
    },
  },
  {
    weight: 1,
    take(builder) {
      const { random } = builder;
      // A hash that is none leads to the right one; a path that is none, nowhere.
      const path = random.pick([
        `/openapi/v3${rootOf(builder)}?hash=old`,
        "/openapi/v3/apis/none/v1",
        "/openapi/v3/api/v9",
      ]);
      builder.send("GET", path, { verb: "openapi" });
    },
  },
  {
    weight: 1,
    take(builder) {
      const { random } = builder;
      const accept = random.pick(["application/json", "*/*", "application/yaml", "text/html"]);
      builder.send("GET", random.pick(["/version", "/api/v1", rootOf(builder)]), {
        verb: "discovery",
        headers: { accept },
      });
    },
  },
];

function rootOf({ random }: SequenceBuilder): string {
  const { group, version } = random.pick(KINDS);
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}
