// Watches: from now, from a version, with initial events, through selectors, as tables; and versions that are too old.
import { builtin, type SequenceBuilder, type TemplateKind } from "../generate/builder.ts";
import type { JsonMap } from "../step.ts";
import type { Area } from "./area.ts";

const WATCHED = [
  builtin("", "ConfigMap"),
  builtin("", "Secret"),
  builtin("", "Service"),
  builtin("apps", "Deployment"),
  builtin("", "Node"),
  builtin("coordination.k8s.io", "Lease"),
  builtin("networking.k8s.io", "IngressClass"),
];

const ACCEPTS = [
  undefined,
  undefined,
  "application/json;as=Table;g=meta.k8s.io;v=v1,application/json",
  "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
];

/** Comes last, so that a watcher knows that it has seen everything. */
const END = "zz-end";

export const watches: Area = {
  name: "watch",
  weight: 10,
  make(builder) {
    const { random } = builder;
    const kind = random.pick(WATCHED);
    builder.namespace();
    const before = random.int(3);
    for (let i = 0; i < before; i++) builder.create(kind, builder.name(kind));
    const list = builder.list(kind);
    const from = `{{${list}:metadata.resourceVersion}}`;
    const filter = filterOf(builder, kind);
    const end = kind.namespaced ? END : `${END}-{{seq}}`;
    const headers = headersOf(random.pick(ACCEPTS));
    const initial = random.pick<Record<string, string | undefined>>([
      { resourceVersion: from },
      { resourceVersion: from },
      { resourceVersion: from, allowWatchBookmarks: "true" },
      {},
      { resourceVersion: "0" },
      { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: "true" },
      {
        sendInitialEvents: "true",
        resourceVersionMatch: "NotOlderThan",
        allowWatchBookmarks: "true",
        resourceVersion: from,
      },
      { sendInitialEvents: "false", resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: "true" },
    ]);
    const query = { ...filter, ...initial };
    // A live watch begins at a version: what counts as the initial state of one without is a matter of chance.
    const live =
      "resourceVersion" in initial && initial["sendInitialEvents"] === undefined && initial["resourceVersion"] === from;
    const whole = initial["sendInitialEvents"] === "true" && random.chance(0.5) ? "BOOKMARK" : end;
    if (live) builder.watch(kind, { endsAt: end, open: "w" }, { query, ...headers });
    const turns = 3 + random.int(8);
    for (let i = 0; i < turns; i++) change(builder, kind);
    const metadata = { labels: { app: "a", tier: "x", differential: "{{seq}}" }, finalizers: null };
    builder.create(kind, end, { more: { metadata: withoutNull(metadata) } });
    if (live) builder.watch(kind, { endsAt: end, collect: "w" }, { query, ...headers });
    else builder.watch(kind, { endsAt: whole }, { query, ...headers });
    if (random.chance(0.3)) builder.watch(kind, { endsAt: end }, { query: { ...filter, resourceVersion: from } });
    if (random.chance(0.3)) refused(builder, kind);
  },
};

const headersOf = (accept: string | undefined) => (accept === undefined ? {} : { headers: { accept } });

function withoutNull(map: JsonMap): JsonMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}

function filterOf({ random }: SequenceBuilder, kind: TemplateKind): Record<string, string | undefined> {
  const roll = random.int(6);
  if (roll === 0) return { labelSelector: "app=a" };
  if (roll === 1) return { labelSelector: "tier in (x,y)" };
  if (roll === 2 && kind.namespaced) return { fieldSelector: "metadata.name!=a" };
  return {};
}

function change(builder: SequenceBuilder, kind: TemplateKind): void {
  const { random } = builder;
  const name = builder.name(kind);
  const roll = random.int(10);
  if (roll < 4) builder.create(kind, name);
  else if (roll < 7) {
    const body = random.pick<JsonMap>([
      { metadata: { labels: { app: "a" } } },
      { metadata: { labels: { app: "b", tier: "x" } } },
      { metadata: { labels: { app: null } } },
      { metadata: { annotations: { note: "changed" } } },
      { metadata: { finalizers: ["example.com/one"] } },
      { metadata: { finalizers: null } },
    ]);
    builder.patch(kind, name, { type: "merge", body });
  } else if (roll < 9) builder.delete(kind, name);
  else builder.update(kind, name, { of: builder.get(kind, name), edit: { metadata: { annotations: { put: "1" } } } });
}

function refused(builder: SequenceBuilder, kind: TemplateKind): void {
  const query = builder.random.pick<Record<string, string>>([
    { resourceVersion: "abc" },
    { sendInitialEvents: "true" },
    { sendInitialEvents: "true", resourceVersionMatch: "Exact" },
    { resourceVersionMatch: "NotOlderThan" },
    { labelSelector: "a b" },
    { fieldSelector: "spec.none=1" },
    { allowWatchBookmarks: "maybe" },
    { timeoutSeconds: "soon" },
  ]);
  builder.watch(kind, { endsAt: "never" }, { query: { timeoutSeconds: 1, ...query } });
}
