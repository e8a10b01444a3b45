// Custom resources: definitions with defaults, pruning, rules, list types, subresources and columns; their objects; what
// changes when the definition does; and its end.
import { builtin, type Kind, type PatchType, type SequenceBuilder } from "../generate/builder.ts";
import type { Random } from "../generate/random.ts";
import type { Json, JsonMap } from "../step.ts";
import type { Area } from "./area.ts";
import { expensive, RULED, WRONG_FIELDS, WRONG_PARTS } from "./crd-rules.ts";
import { PATIENT, versions } from "./crd-versions.ts";

const crd = builtin("apiextensions.k8s.io", "CustomResourceDefinition");

interface Shape {
  readonly properties: JsonMap;
  readonly required?: string[];
  readonly rules?: JsonMap[];
  /** Specs, right and wrong. */
  readonly specs: readonly Json[];
}

const SHAPES: readonly Shape[] = [
  {
    properties: {
      replicas: { type: "integer", minimum: 0, maximum: 10, default: 1 },
      mode: { type: "string", enum: ["fast", "slow"], default: "fast" },
      name: { type: "string", maxLength: 8, pattern: "^[a-z]+$" },
      nested: {
        type: "object",
        default: {},
        properties: { level: { type: "integer", default: 3 }, on: { type: "boolean" } },
      },
    },
    specs: [
      {},
      { replicas: 2, mode: "slow" },
      { replicas: 11 },
      { replicas: -1, mode: "own" },
      { replicas: "two" },
      { name: "UPPER" },
      { name: "waytoolongname" },
      { nested: { level: 5, extra: 1 } },
      { unknown: { a: 1 }, replicas: 1 },
      { nested: null },
      { replicas: null },
      { replicas: 1.5 },
      null,
    ],
  },
  {
    properties: {
      minimum: { type: "integer" },
      maximum: { type: "integer" },
      fixed: {
        type: "string",
        "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "fixed may not change" }],
      },
      items: { type: "array", maxItems: 5, items: { type: "string", maxLength: 20 } },
    },
    rules: [
      {
        rule: "!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum",
        message: "minimum must not be above maximum",
      },
      {
        rule: "!has(self.items) || self.items.all(i, i.startsWith('x'))",
        messageExpression: "'items must begin with x, ' + (has(self.minimum) ? 'with' : 'without') + ' a minimum'",
        reason: "FieldValueForbidden",
        fieldPath: ".items",
      },
    ],
    specs: [
      {},
      { minimum: 1, maximum: 2 },
      { minimum: 3, maximum: 2 },
      { fixed: "a" },
      { fixed: "b" },
      { items: ["xa", "xb"] },
      { items: ["a"] },
      { items: ["xa"], minimum: 9, maximum: 1 },
      { items: ["x", "x", "x", "x", "x", "x"] },
    ],
  },
  {
    required: ["ports"],
    properties: {
      ports: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["port", "protocol"],
        items: {
          type: "object",
          required: ["port"],
          properties: {
            port: { type: "integer", format: "int32" },
            protocol: { type: "string", default: "TCP" },
            name: { type: "string" },
          },
        },
      },
      tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
      target: { "x-kubernetes-int-or-string": true },
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      labels: { type: "object", additionalProperties: { type: "string" } },
      when: { type: "string", format: "date-time" },
    },
    specs: [
      { ports: [{ port: 80 }] },
      {
        ports: [
          { port: 80, name: "http" },
          { port: 80, protocol: "UDP" },
        ],
      },
      { ports: [{ port: 80 }, { port: 80 }] },
      { ports: [], tags: ["a", "b"] },
      { ports: [{ port: 1 }], tags: ["a", "a"] },
      { ports: [{ name: "x" }] },
      { ports: [{ port: 2 }], target: "http", free: { any: [1, { b: null }] } },
      { ports: [{ port: 2 }], target: 8080, labels: { a: "1" } },
      { ports: [{ port: 2 }], target: true, labels: { a: 1 } },
      { ports: [{ port: 2 }], when: "yesterday" },
      { ports: [{ port: 2 }], when: "2001-02-03T04:05:06Z" },
      {},
      { ports: { port: 1 } },
    ],
  },
];

const ALL_SHAPES: readonly Shape[] = [...SHAPES, ...RULED];

interface Custom {
  readonly kind: Kind;
  readonly shape: Shape;
  readonly versions: readonly string[];
  readonly definition: JsonMap;
}

function custom({ random }: SequenceBuilder): Custom {
  const shape = random.pick(ALL_SHAPES);
  const versions = random.chance(0.25) ? ["v1", "v1alpha1"] : ["v1"];
  const namespaced = random.chance(0.8);
  const kind: Kind = {
    group: "g{{seq}}.example.com",
    version: "v1",
    kind: "Widget",
    plural: "widgets",
    namespaced,
    subresources: [],
  };
  const withSubresources = random.chance(0.5);
  const rows = versions.map((name, index) => ({
    name,
    served: true,
    storage: index === 0,
    schema: { openAPIV3Schema: schemaOf(shape) },
    ...(withSubresources
      ? {
          subresources: {
            status: {},
            ...(shape === SHAPES[0]
              ? {
                  scale: {
                    specReplicasPath: ".spec.replicas",
                    statusReplicasPath: ".status.replicas",
                    labelSelectorPath: ".status.selector",
                  },
                }
              : {}),
          },
        }
      : {}),
    ...(random.chance(0.5)
      ? {
          additionalPrinterColumns: [
            { name: "Mode", type: "string", jsonPath: ".spec.mode" },
            { name: "Replicas", type: "integer", jsonPath: ".spec.replicas", priority: 1, description: "how many" },
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
        }
      : {}),
    ...(shape === SHAPES[0] && random.chance(0.4) ? { selectableFields: [{ jsonPath: ".spec.mode" }] } : {}),
    ...(index === 1 ? { deprecated: true } : {}),
  }));
  const definition: JsonMap = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.g{{seq}}.example.com", labels: { differential: "{{seq}}" } },
    spec: {
      group: kind.group,
      scope: namespaced ? "Namespaced" : "Cluster",
      names: {
        plural: "widgets",
        singular: "widget",
        kind: "Widget",
        listKind: "WidgetList",
        shortNames: ["w{{seq}}"],
        categories: ["all{{seq}}"],
      },
      versions: rows,
    },
  };
  return { kind, shape, versions, definition };
}

function schemaOf({ properties, required, rules }: Shape): JsonMap {
  return {
    type: "object",
    properties: {
      spec: {
        type: "object",
        properties,
        ...(required === undefined ? {} : { required }),
        ...(rules === undefined ? {} : { "x-kubernetes-validations": rules }),
      },
      status: {
        type: "object",
        properties: { replicas: { type: "integer" }, selector: { type: "string" }, phase: { type: "string" } },
      },
    },
  };
}

const DEFINITION = "widgets.g{{seq}}.example.com";

export const crds: Area = {
  name: "crd",
  held: true,
  weight: 6,
  make(builder) {
    const { random } = builder;
    builder.namespace();
    if (random.chance(0.2)) return versions(builder);
    const made = custom(builder);
    if (random.chance(0.25)) return wrongDefinitions(builder, made);
    awaitEstablished(builder, made, builder.create(crd, "", { body: { json: made.definition } }));
    const turns = 6 + random.int(10);
    for (let i = 0; i < turns; i++) random.weighted(TURNS).take(builder, made);
    if (random.chance(0.4)) changeDefinition(builder, made);
    if (random.chance(0.4)) end(builder, made);
  },
};

/** Established, then served, then in discovery: each a moment after the other. */
function awaitEstablished(builder: SequenceBuilder, { kind }: Custom, created: number): void {
  const patient = { ...PATIENT, after: created };
  builder.get(crd, DEFINITION, {
    until: { contains: '"reason":"InitialNamesAccepted"', ...patient },
    verb: "await-crd",
  });
  builder.list(kind, { until: { status: 200, ...patient }, verb: "await-crd" });
  builder.send("GET", `/apis/${kind.group}/v1`, { until: { status: 200, ...patient }, verb: "discovery" });
}

type Turn = (builder: SequenceBuilder, custom: Custom) => void;

const object = (random: Random, { kind, shape }: Custom, version: string, name?: string): JsonMap => {
  const spec = random.pick(shape.specs);
  return {
    apiVersion: `${kind.group}/${version}`,
    kind: "Widget",
    metadata: {
      ...(name === undefined ? {} : { name }),
      labels: { app: random.pick(["a", "b"]), differential: "{{seq}}" },
    },
    ...(spec === null ? {} : { spec }),
    ...(random.chance(0.2) ? { status: { phase: "Set", unknown: 1 } } : {}),
    ...(random.chance(0.1) ? { extra: { field: 1 } } : {}),
  };
};

/** Of several things that an apply's body may not hold, the real server names them in any order. */
function withoutExtra({ extra: _, status, ...rest }: JsonMap): JsonMap {
  return status === undefined ? rest : { ...rest, status: { phase: "Set" } };
}

const versioned = ({ kind, versions }: Custom, random: Random): Kind => ({ ...kind, version: random.pick(versions) });

const validation = (random: Random) => random.pick([undefined, undefined, "Strict", "Ignore", "Warn"]);

const TURNS: readonly { weight: number; take: Turn }[] = [
  {
    weight: 6,
    take(builder, made) {
      const { random } = builder;
      const kind = versioned(made, random);
      const json = object(random, made, kind.version, builder.name(kind));
      builder.send("POST", builder.collection(kind), {
        verb: "create",
        kindName: "Widget",
        body: { json },
        query: { fieldValidation: validation(random), dryRun: random.chance(0.1) ? "All" : undefined },
      });
    },
  },
  {
    weight: 4,
    take(builder, made) {
      const { random } = builder;
      const kind = versioned(made, random);
      const name = builder.name(kind);
      const read = builder.get(kind, name);
      const spec = random.pick(made.shape.specs);
      builder.update(kind, name, { of: read, edit: { spec } }, { query: { fieldValidation: validation(random) } });
    },
  },
  {
    weight: 5,
    take(builder, made) {
      const { random } = builder;
      const kind = versioned(made, random);
      const type = random.pick<PatchType>(["merge", "json", "apply", "apply", "strategic"]);
      const whole = object(random, made, kind.version);
      const body =
        type === "json"
          ? [{ op: random.pick(["add", "replace"]), path: "/spec", value: whole["spec"] ?? {} }]
          : type === "apply"
            ? withoutExtra(whole)
            : { spec: whole["spec"] ?? null };
      const query = {
        ...(type === "apply"
          ? { fieldManager: random.pick(["m1", "m2"]), force: random.pick([undefined, undefined, "true"]) }
          : {}),
        fieldValidation: validation(random),
      };
      builder.patch(kind, builder.name(kind), { type, body }, { query });
    },
  },
  { weight: 2, take: (builder, made) => void builder.get(versioned(made, builder.random), builder.name(made.kind)) },
  {
    weight: 2,
    take(builder, made) {
      const { random } = builder;
      const accept = random.pick([
        undefined,
        "application/json;as=Table;g=meta.k8s.io;v=v1,application/json",
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
      ]);
      const fieldSelector = random.pick([undefined, undefined, "spec.mode=fast", "metadata.name=a"]);
      builder.list(made.kind, { query: { fieldSelector }, ...(accept === undefined ? {} : { headers: { accept } }) });
    },
  },
  {
    weight: 2,
    take(builder, made) {
      const { random } = builder;
      const body = random.pick<JsonMap>([
        { status: { replicas: 2, phase: "Up", selector: "app=a" } },
        { status: { replicas: "x" } },
        { status: { phase: "Up" }, spec: { replicas: 9 } },
      ]);
      builder.patch(
        made.kind,
        builder.name(made.kind),
        { type: "merge", body, subresource: "status" },
        { kindName: "Widget/status" },
      );
    },
  },
  {
    weight: 1,
    take(builder, made) {
      const { random } = builder;
      const name = builder.name(made.kind);
      if (random.chance(0.5)) builder.get(made.kind, `${name}/scale`, { kindName: "Widget/scale" });
      else
        builder.patch(
          made.kind,
          name,
          { type: "merge", body: { spec: { replicas: random.pick([3, 20]) } }, subresource: "scale" },
          { kindName: "Widget/scale" },
        );
    },
  },
  { weight: 2, take: (builder, made) => void builder.delete(made.kind, builder.name(made.kind)) },
];

function changeDefinition(builder: SequenceBuilder, made: Custom): void {
  const { random } = builder;
  const schema = "/spec/versions/0/schema/openAPIV3Schema";
  const body = random.pick<JsonMap[]>([
    [{ op: "add", path: `${schema}/properties/spec/properties/added`, value: { type: "string", default: "new" } }],
    [{ op: "add", path: `${schema}/properties/spec/required`, value: ["added"] }],
    [{ op: "replace", path: "/spec/scope", value: "Own" }],
    [{ op: "replace", path: "/spec/names/kind", value: "Gadget" }],
    [{ op: "add", path: `${schema}/properties/spec/properties/bad`, value: { type: "own" } }],
    [
      {
        op: "add",
        path: `${schema}/properties/spec/properties/bad`,
        value: { type: "string", "x-kubernetes-validations": [{ rule: "self.nothing ==" }] },
      },
    ],
    [{ op: "replace", path: "/spec/versions/0/storage", value: false }],
    [{ op: "remove", path: `${schema}/properties/status` }],
    [{ op: "replace", path: "/spec/group", value: "other.example.com" }],
  ]);
  builder.patch(crd, DEFINITION, { type: "json", body });
  builder.get(crd, DEFINITION);
  if (JSON.stringify(body).includes('"new"')) {
    // The new schema counts a moment later; a dry run shows when.
    const json = { ...object(random, made, "v1", "await"), spec: made.shape.specs[0] ?? {} };
    builder.send("POST", builder.collection(made.kind), {
      verb: "await-crd",
      kindName: "Widget",
      body: { json },
      query: { dryRun: "All" },
      until: { contains: '"added":"new"', ...PATIENT },
    });
    // A real server reads the objects anew then, and lists none until it has.
    builder.list(made.kind, { until: { status: 200, ...PATIENT }, verb: "await-crd" });
    builder.get(made.kind, "a");
  }
}

function end(builder: SequenceBuilder, made: Custom): void {
  builder.delete(crd, DEFINITION);
  builder.get(crd, DEFINITION, { until: { status: 404, ...PATIENT }, verb: "await-crd" });
  builder.list(made.kind, { until: { status: 404, ...PATIENT }, verb: "await-crd" });
}

const schemaWith = (properties: JsonMap): JsonMap => ({
  type: "object",
  properties: { spec: { type: "object", properties } },
});

/** Definitions that may not be. */
function wrongDefinitions(builder: SequenceBuilder, made: Custom): void {
  const { random } = builder;
  for (let i = 0; i < 4; i++) {
    const spec = made.definition["spec"] as JsonMap;
    const names = spec["names"] as JsonMap;
    const version = (openAPIV3Schema: JsonMap, more: JsonMap = {}): JsonMap => ({
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema }, ...more }],
    });
    const roll = random.int(10);
    const field = roll < 3 ? random.pick(WRONG_FIELDS) : expensive(random);
    const parts = random.pick(WRONG_PARTS);
    const own = version(schemaWith({ a: roll < 6 ? field : { type: "string" } }), roll < 6 ? {} : parts);
    const change =
      roll < 8
        ? own
        : random.pick<JsonMap>([
            { group: "nodots" },
            { scope: "Own" },
            { names: { ...names, plural: "gadgets" } },
            { names: { ...names, kind: "bad kind" } },
            { versions: [] },
            version({ type: "string" }),
            version({ properties: {} }),
            version(schemaWith({ a: { type: "string", default: 1 } })),
            version(schemaWith({ a: { type: "own" } })),
            version(schemaWith({ a: { type: "array" } })),
            version(schemaWith({ a: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "map" } })),
            version(schemaWith({ a: {} })),
            version(
              schemaWith({
                a: { type: "object", properties: { b: { type: "string" } }, additionalProperties: { type: "string" } },
              }),
            ),
            version(schemaWith({ a: { type: "string", "x-kubernetes-validations": [{ rule: "self.size() >" }] } })),
            version(schemaWith({ a: { type: "string", "x-kubernetes-validations": [{ rule: "self + 1 == 2" }] } })),
            version(schemaWith({ a: { type: "string", "x-kubernetes-validations": [{ rule: "", message: "none" }] } })),
            version(schemaWith({}), { additionalPrinterColumns: [{ name: "X", type: "own", jsonPath: "x" }] }),
            version(schemaWith({}), {
              subresources: { scale: { specReplicasPath: "replicas", statusReplicasPath: ".status.replicas" } },
            }),
            version(schemaWith({}), { name: "Bad" }),
            { versions: [{ name: "v1", served: true, storage: true }] },
            { versions: [{ name: "v1", served: true, storage: false, schema: { openAPIV3Schema: schemaWith({}) } }] },
            { conversion: { strategy: "Webhook" } },
            { preserveUnknownFields: true },
          ]);
    const json = { ...made.definition, spec: { ...spec, ...change } };
    builder.create(crd, "", { body: { json }, query: { dryRun: "All", fieldValidation: validation(random) } });
  }
}
