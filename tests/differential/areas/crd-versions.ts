// Custom resources of two versions that differ in their fields, converted by nobody or by a webhook, while the version in
// which they are kept changes.
import { builtin, type Kind, type PatchType, type SequenceBuilder } from "../generate/builder.ts";
import type { Random } from "../generate/random.ts";
import type { JsonMap } from "../step.ts";

const crd = builtin("apiextensions.k8s.io", "CustomResourceDefinition");
/** On a busy machine a real server takes its time to serve a definition. */
export const PATIENT = { seconds: 60 };

const DEFINITION = "widgets.g{{seq}}.example.com";
const TEXT: JsonMap = { type: "string" };

interface Fields {
  readonly fields: Readonly<Record<string, JsonMap>>;
  readonly specs: Readonly<Record<string, readonly JsonMap[]>>;
}

const FIELDS: Readonly<Record<string, JsonMap>> = {
  v1: { host: TEXT, port: { type: "integer", default: 80 }, note: TEXT, tags: { type: "array", items: TEXT } },
  v1alpha1: { hostPort: TEXT, note: { type: "string", default: "old" }, level: { type: "integer", default: 3 } },
};
const SPECS: Readonly<Record<string, readonly JsonMap[]>> = {
  v1: [{}, { host: "a", port: 1 }, { host: "b", note: "n" }, { port: 7, tags: ["x"] }, { host: "c", unknown: 1 }],
  v1alpha1: [{}, { hostPort: "a:1" }, { hostPort: "b:", note: "m" }, { level: 5 }, { hostPort: "c:9", host: "c" }],
};

const CONVERTED: Fields = { fields: FIELDS, specs: SPECS };

/**
 * Where nobody converts, an object may hold fields that the other version does not declare. A real server names any of
 * them: there is never more than one.
 */
const RELABELLED: Fields = {
  fields: {
    v1: { host: TEXT, note: TEXT },
    v1alpha1: { note: { type: "string", default: "old" }, level: { type: "integer", default: 3 } },
  },
  specs: {
    v1: [{}, { host: "a" }, { host: "b", note: "n" }, { note: "m" }],
    v1alpha1: [{}, { note: "m" }, { level: 5 }, { note: "k", level: 1 }],
  },
};

const GOOD = ["convert", "convert", "convert", "convert-label", "convert-no-labels"];
/** Nothing is ever seen in the other version. */
const BAD = [
  "convert-bad-label",
  "convert-number-label",
  "convert-list-labels",
  "convert-other-name",
  "convert-other-uid",
  "convert-other-kind",
  "convert-no-change",
  "convert-no-version",
  "convert-no-metadata",
  "convert-text-metadata",
  "convert-refused",
  "convert-failed",
  "convert-other-status",
  "convert-no-status",
  "convert-no-response",
  "convert-other-uid-told",
  "convert-no-objects",
  "convert-twice",
  "convert-review-version",
  "convert-review-kind",
  "error",
  "not-found",
  "no-json",
  "list",
  "no-kind",
];

const kindIn = (version: string): Kind => ({
  group: "g{{seq}}.example.com",
  version,
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
  subresources: [],
});

function definition(conversion: JsonMap, { fields }: Fields = CONVERTED): JsonMap {
  const version = (name: string): JsonMap => ({
    name,
    served: true,
    storage: name === "v1",
    subresources: { status: {} },
    schema: {
      openAPIV3Schema: {
        type: "object",
        properties: {
          spec: { type: "object", properties: fields[name] ?? {} },
          status: { type: "object", properties: { phase: TEXT } },
        },
      },
    },
  });
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: DEFINITION, labels: { differential: "{{seq}}" } },
    spec: {
      group: "g{{seq}}.example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: [version("v1"), version("v1alpha1")],
      conversion,
    },
  };
}

const webhook = (path: string, versions: string[] = ["v1"]): JsonMap => ({
  strategy: "Webhook",
  webhook: {
    conversionReviewVersions: versions,
    clientConfig: { url: `{{webhook}}/${path}`, caBundle: "{{webhookCa}}" },
  },
});

/** Definitions of two versions, their objects through both doors, and another storage version halfway. */
export function versions(builder: SequenceBuilder): void {
  if (builder.random.chance(0.2)) wrongConversions(builder);
  else converted(builder);
}

function converted(builder: SequenceBuilder): void {
  const { random } = builder;
  const bad = random.chance(0.35);
  const reviews = random.pick([["v1"], ["v1"], ["v1", "v1beta1"], ["v1beta1", "v1"], ["v2", "v1"]]);
  const byWebhook = webhook(random.pick(bad ? BAD : GOOD), reviews);
  const asked = bad || random.chance(0.7);
  const shape = asked ? CONVERTED : RELABELLED;
  const conversion = asked ? byWebhook : { strategy: "None" };
  const patient = { ...PATIENT, after: builder.create(crd, "", { body: { json: definition(conversion, shape) } }) };
  builder.get(crd, DEFINITION, {
    until: { contains: '"reason":"InitialNamesAccepted"', ...patient },
    verb: "await-crd",
  });
  for (const version of ["v1", "v1alpha1"])
    builder.list(kindIn(version), { until: { status: 200, ...patient }, verb: "await-crd" });
  const turns = 5 + random.int(6);
  for (let i = 0; i < turns; i++) turn(builder, shape, bad);
  if (bad) return;
  if (random.chance(0.5)) changeStorage(builder, shape);
  for (let i = 0; i < 4; i++) turn(builder, shape, bad);
}

function turn(builder: SequenceBuilder, shape: Fields, bad: boolean): void {
  const { random } = builder;
  const kind = kindIn(random.pick(["v1", "v1alpha1"]));
  const name = builder.name(kind);
  const roll = random.int(12);
  if (roll < 3) {
    const query = { dryRun: random.chance(0.2) ? "All" : undefined };
    const json = { ...body(random, shape, kind.version), metadata: { name, labels: { app: random.pick(["a", "b"]) } } };
    builder.send("POST", builder.collection(kind), { verb: "create", kindName: "Widget", body: { json }, query });
  } else if (roll < 5) builder.get(kind, name);
  else if (roll < 9) patch(builder, shape, { kind, name });
  else if (roll < 10) {
    const read = builder.get(kind, name);
    builder.update(kind, name, { of: read, edit: { spec: random.pick(shape.specs[kind.version] ?? []) } });
    // What a real server lists it has watched before: when it failed to, its answer is chance.
  } else if (roll < 11 && !bad) builder.list(kind);
  else builder.delete(kind, name);
}

const body = (random: Random, { specs }: Fields, version: string): JsonMap => ({
  apiVersion: `g{{seq}}.example.com/${version}`,
  kind: "Widget",
  spec: random.pick(specs[version] ?? []),
});

function patch(builder: SequenceBuilder, shape: Fields, { kind, name }: { kind: Kind; name: string }): void {
  const { random } = builder;
  if (random.chance(0.2)) {
    const status = { status: { phase: random.pick(["Up", "Down"]) } };
    builder.patch(kind, name, { type: "merge", body: status, subresource: "status" }, { kindName: "Widget/status" });
    return;
  }
  const type = random.pick<PatchType>(["merge", "apply", "apply"]);
  const whole = body(random, shape, kind.version);
  const query =
    type === "apply" ? { fieldManager: random.pick(["m1", "m2"]), force: random.pick([undefined, "true"]) } : {};
  builder.patch(kind, name, { type, body: type === "apply" ? whole : { spec: whole["spec"] ?? {} } }, { query });
}

function changeStorage(builder: SequenceBuilder, shape: Fields): void {
  const change = [
    { op: "replace", path: "/spec/versions/0/storage", value: false },
    { op: "replace", path: "/spec/versions/1/storage", value: true },
  ];
  builder.patch(crd, DEFINITION, { type: "json", body: change });
  builder.get(crd, DEFINITION);
  // A moment later objects are kept in the other version: its default of the level shows then in what is read anew.
  const json = { ...body(builder.random, shape, "v1alpha1"), metadata: { name: "await" }, spec: {} };
  builder.send("POST", builder.collection(kindIn("v1alpha1")), {
    verb: "await-crd",
    kindName: "Widget",
    body: { json },
    query: { dryRun: "All" },
    until: { contains: '"level":3', ...PATIENT },
  });
  // A real server reads the objects of each version anew then, and lists none until it has.
  for (const version of ["v1", "v1alpha1"])
    builder.list(kindIn(version), { until: { status: 200, ...PATIENT }, verb: "await-crd" });
}

const WRONG: readonly JsonMap[] = [
  webhook("convert", []),
  webhook("convert", ["v9"]),
  webhook("convert", ["v1", "v1"]),
  webhook("convert", ["V 1"]),
  { strategy: "None", webhook: webhook("convert")["webhook"] ?? null },
  { strategy: "Own" },
  { strategy: "" },
  { strategy: "Webhook" },
  ...[
    {},
    { url: "http://example.com" },
    { url: "https://user:secret@example.com/a?b#c" },
    { url: ":::" },
    { url: "https://example.com", service: { name: "a", namespace: "b" } },
    { service: { name: "", namespace: "", path: "a//b", port: 99_999 } },
    { service: { name: "a", namespace: "b", path: "/a/B" } },
    { url: "https://example.com", caBundle: "eHk=" },
  ].map((clientConfig) => ({
    strategy: "Webhook",
    webhook: { conversionReviewVersions: ["v1"], clientConfig: clientConfig as JsonMap },
  })),
];

function wrongConversions(builder: SequenceBuilder): void {
  for (let i = 0; i < 4; i++) {
    const json = definition(builder.random.pick(WRONG));
    builder.create(crd, "", { body: { json }, query: { dryRun: "All" } });
  }
}
