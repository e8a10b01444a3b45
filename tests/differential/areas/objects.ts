// The everyday life of objects of all kinds: create, read, change in every way, list, delete.

import { FREE_KINDS, type PatchType, type SequenceBuilder, type TemplateKind } from "../generate/builder.ts";
import type { JsonMap } from "../step.ts";
import type { Area } from "./area.ts";

export const objects: Area = {
  name: "objects",
  weight: 30,
  held: true,
  make(builder) {
    const { random } = builder;
    const kind = random.pick(FREE_KINDS);
    if (kind.namespaced) builder.namespace();
    let last = builder.create(kind, builder.name(kind));
    const turns = 4 + random.int(10);
    for (let i = 0; i < turns; i++) last = random.weighted(TURNS).take(builder, kind, last) ?? last;
    builder.list(kind);
  },
};

/** `last` answered the object last. Gives the step that does so now, if any. */
type Turn = (builder: SequenceBuilder, kind: TemplateKind, last: number) => number | undefined;

const changeOf = (builder: SequenceBuilder, kind: TemplateKind): JsonMap => {
  const { random } = builder;
  const { changes = [], refused = [] } = kind.template;
  const roll = random.int(10);
  if (roll < 5 && changes.length > 0) return random.pick(changes);
  if (roll < 7 && refused.length > 0) return random.pick(refused);
  return random.pick(METADATA_CHANGES);
};

const METADATA_CHANGES: readonly JsonMap[] = [
  { metadata: { labels: { app: "b" } } },
  { metadata: { labels: { tier: "z", app: "c" } } },
  { metadata: { annotations: { note: "three", more: 'text with "quotes"' } } },
  { metadata: { labels: { app: null } } },
  { metadata: { finalizers: ["example.com/one"] } },
  { metadata: { finalizers: null } },
  {
    metadata: {
      ownerReferences: [
        { apiVersion: "v1", kind: "ConfigMap", name: "o", uid: "11111111-1111-1111-1111-111111111111" },
      ],
    },
  },
  { metadata: { labels: { "bad key!": "x" } } },
  { metadata: { labels: { app: "bad value!" } } },
  { metadata: { annotations: { "example.com/x": "1" } } },
  { metadata: { generation: 77 } },
  { metadata: { finalizers: ["noslash", "example.com/two"] } },
  { kind: "Secret" },
  { apiVersion: "" },
  { apiVersion: "v9" },
  {},
];

const VERSIONS = (last: number): (string | null)[] => [`{{${last}:metadata.resourceVersion}}`, "1", null, "", "abc"];

const TURNS: readonly { weight: number; take: Turn }[] = [
  {
    weight: 2,
    take: (builder, kind, last) => builder.get(kind, `{{${last}:metadata.name}}`),
  },
  {
    weight: 1,
    take: (builder, kind) => void builder.get(kind, builder.random.chance(0.5) ? builder.name(kind) : "zz"),
  },
  {
    weight: 4,
    take(builder, kind, last) {
      const name = builder.name(kind);
      return builder.update(kind, name, { of: last, edit: changeOf(builder, kind) });
    },
  },
  {
    weight: 5,
    take(builder, kind, last) {
      const edit = changeOf(builder, kind);
      const version = builder.random.weighted(
        VERSIONS(last).map((value, index) => ({ value, weight: index === 0 ? 6 : 1 })),
      );
      const metadata = { ...(edit["metadata"] as JsonMap), resourceVersion: version.value };
      return builder.update(kind, `{{${last}:metadata.name}}`, { of: last, edit: { ...edit, metadata } });
    },
  },
  {
    weight: 5,
    take(builder, kind, last) {
      const type = builder.random.pick<PatchType>(["merge", "strategic", "json", "apply"]);
      const body = type === "json" ? jsonPatch(builder, kind) : changeOf(builder, kind);
      const applied =
        type === "apply"
          ? { apiVersion: builder.random.pick([api(kind), api(kind), undefined]) ?? null, kind: kind.kind }
          : {};
      const query = {
        ...(type === "apply"
          ? {
              fieldManager: builder.random.pick(["m1", "m2", undefined]),
              force: builder.random.pick(["true", undefined]),
            }
          : {}),
        ...dryRun(builder),
      };
      const patch = { type, body: type === "json" ? body : { ...applied, ...(body as JsonMap) } };
      return builder.patch(kind, `{{${last}:metadata.name}}`, patch, { query });
    },
  },
  {
    weight: 2,
    take: (builder, kind) => builder.create(kind, builder.name(kind), { query: dryRun(builder) }),
  },
  {
    weight: 2,
    take(builder, kind, last) {
      const name = `{{${last}:metadata.name}}`;
      const version = builder.random.chance(0.8) ? { resourceVersion: `{{${last}:metadata.resourceVersion}}` } : {};
      return builder.replace(kind, name, builder.object(kind, name, { metadata: version }));
    },
  },
  {
    weight: 1,
    take(builder, kind) {
      // Two of them would stand in lists in the order of their chance.
      if (builder.steps.some(({ body }) => JSON.stringify(body ?? null).includes("generateName"))) return undefined;
      const generateName = kind.namespaced ? "gen-" : "gen-{{seq}}-";
      return builder.create(kind, "", { more: { metadata: { name: "", generateName } } });
    },
  },
  {
    weight: 2,
    take(builder, kind, last) {
      const { status = [] } = kind.template;
      if (!kind.subresources.includes("status")) return undefined;
      const name = `{{${last}:metadata.name}}`;
      const edit = status.length > 0 ? builder.random.pick(status) : {};
      if (builder.random.chance(0.5)) {
        const type = builder.random.pick<PatchType>(["merge", "strategic"]);
        return builder.patch(kind, name, { type, body: edit, subresource: "status" });
      }
      const put = builder.send("PUT", builder.at(kind, name, "status"), {
        verb: "update-status",
        kindName: kind.kind,
        body: { copyOf: last, edit },
      });
      return put;
    },
  },
  { weight: 1, take: (builder, kind) => void builder.list(kind) },
  {
    weight: 2,
    take(builder, kind, last) {
      builder.delete(kind, `{{${last}:metadata.name}}`, {
        query: builder.random.pick([
          {},
          { propagationPolicy: "Background" },
          { gracePeriodSeconds: 0 },
          { dryRun: "All" },
        ]),
      });
      return undefined;
    },
  },
];

const dryRun = (builder: SequenceBuilder) => (builder.random.chance(0.15) ? { dryRun: "All" } : {});

const api = (kind: TemplateKind) => (kind.group === "" ? kind.version : `${kind.group}/${kind.version}`);

function jsonPatch(builder: SequenceBuilder, kind: TemplateKind): JsonMap[] {
  const { random } = builder;
  const edit = changeOf(builder, kind);
  const operations: JsonMap[] = Object.entries(edit).flatMap(([top, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([field, inner]) => ({
          op: random.pick(["add", "replace"]),
          path: `/${top}/${field}`,
          value: inner,
        }))
      : [{ op: "add", path: `/${top}`, value }],
  );
  return [...operations, ...random.some(JSON_PATCHES).slice(0, 1)];
}

const JSON_PATCHES: readonly JsonMap[] = [
  { op: "test", path: "/metadata/name", value: "a" },
  { op: "remove", path: "/metadata/labels/app" },
  { op: "add", path: "/metadata/labels", value: { app: "a" } },
  { op: "copy", from: "/metadata/name", path: "/metadata/labels/copied" },
  { op: "move", from: "/metadata/labels/app", path: "/metadata/labels/moved" },
  { op: "replace", path: "/metadata/nowhere/deep", value: 1 },
];
