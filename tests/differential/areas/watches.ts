// Watches: from now, from a version, with initial events, through selectors, as tables; and versions that are too old.
import { builtin, QUIET_KINDS, type SequenceBuilder, type TemplateKind } from "../generate/builder.ts";
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
  "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
];

/** Comes last, so that a watcher knows that it has seen everything. */
const END = "zz-end";

export const watches: Area = {
  name: "watch",
  weight: 10,
  held: true,
  make(builder) {
    const { random } = builder;
    const kind = random.chance(0.75) ? random.pick(WATCHED) : random.pick(QUIET_KINDS);
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
      { allowWatchBookmarks: "true" },
      { resourceVersion: "0", allowWatchBookmarks: "1" },
      { sendInitialEvents: "1", resourceVersionMatch: "NotOlderThan", resourceVersion: "0" },
      { sendInitialEvents: "0", resourceVersionMatch: "NotOlderThan", resourceVersion: from },
    ]);
    const query = { ...filter, ...initial };
    const initially = initial["sendInitialEvents"];
    const versioned = initial["resourceVersion"] === from;
    // A live watch begins at a version: what counts as the initial state of one without is a matter of chance.
    const live = versioned && (initially === undefined || initially === "0");
    // Where the initial state ends is told at once; when a server tells later how far it came is a matter of chance.
    const marked =
      initial["allowWatchBookmarks"] !== undefined && (initially === "true" || (initially === undefined && !versioned));
    const whole = marked ? "BOOKMARK" : end;
    if (live) builder.watch(kind, { endsAt: end, open: "w" }, { query, ...headers });
    const turns = 3 + random.int(8);
    for (let i = 0; i < turns; i++) change(builder, kind);
    const metadata = { labels: { app: "a", tier: "x", differential: "{{seq}}" }, finalizers: null };
    builder.create(kind, end, { more: { metadata: withoutNull(metadata) } });
    if (live) builder.watch(kind, { endsAt: end, collect: "w" }, { query, ...headers });
    // From now on nothing happens any more.
    else if (initially === "false")
      builder.watch(kind, { endsAt: "never" }, { query: { ...query, timeoutSeconds: 1 } });
    else {
      builder.list(kind, { query: { limit: 1 } });
      builder.watch(kind, { endsAt: whole }, { query, ...headers });
    }
    if (random.chance(0.3)) builder.watch(kind, { endsAt: end }, { query: { ...filter, resourceVersion: from } });
    if (random.chance(0.3)) refused(builder, kind);
  },
};

const headersOf = (accept: string | undefined) => (accept === undefined ? {} : { headers: { accept } });

function withoutNull(map: JsonMap): JsonMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}

function filterOf({ random }: SequenceBuilder, kind: TemplateKind): Record<string, string | undefined> {
  const roll = random.int(7);
  if (roll === 0) return { labelSelector: "app=a" };
  if (roll === 1) return { labelSelector: "tier in (x,y)" };
  if (roll === 2 && kind.namespaced) return { fieldSelector: "metadata.name!=a" };
  if (roll === 3 && kind.namespaced) return { fieldSelector: `metadata.name=${END}` };
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

const TOO_LARGE = "9007199254740000";
const NOT_OLDER = { resourceVersionMatch: "NotOlderThan" };

function refused(builder: SequenceBuilder, kind: TemplateKind): void {
  const { random } = builder;
  const query = random.pick<Record<string, string>>([
    { resourceVersion: "abc" },
    { resourceVersion: "-1" },
    { resourceVersion: "18446744073709551616" },
    { sendInitialEvents: "true" },
    { sendInitialEvents: "true", resourceVersionMatch: "Exact" },
    NOT_OLDER,
    { resourceVersionMatch: "Exact", continue: "x" },
    { sendInitialEvents: "true", continue: "x", ...NOT_OLDER },
    { labelSelector: "a b" },
    { fieldSelector: "spec.none=1" },
    { fieldSelector: "none" },
    { timeoutSeconds: "soon" },
    { timeoutSeconds: "" },
    { limit: "x", timeoutSeconds: "y" },
    // Still to come: silence, or an error.
    { resourceVersion: TOO_LARGE },
    // When to ask again for events is a matter of chance.
    ...(kind.kind !== "Event" && random.chance(0.2)
      ? [{ resourceVersion: TOO_LARGE, sendInitialEvents: "true", ...NOT_OLDER, timeoutSeconds: "20" }]
      : []),
    { watch: "false" },
    { watch: "0" },
  ]);
  builder.watch(kind, { endsAt: "never" }, { query: { timeoutSeconds: 1, ...query } });
  if (random.chance(0.2)) oldPaths(builder, kind);
}

/** Watches of before there was a parameter for them. */
function oldPaths(builder: SequenceBuilder, kind: TemplateKind): void {
  const { random } = builder;
  const name = random.chance(0.5) ? `/${builder.name(kind)}` : "";
  if (!kind.namespaced && name === "") return;
  const path = builder.collection(kind).replace(/^(\/api\/v1|\/apis\/[^/]+\/[^/]+)/, "$1/watch") + name;
  const query = random.pick<Record<string, string>>([
    {},
    { allowWatchBookmarks: "true" },
    { sendInitialEvents: "true", ...NOT_OLDER },
    { fieldSelector: "metadata.name=zz" },
  ]);
  builder.send("GET", path, {
    verb: "watch",
    kindName: kind.kind,
    query: { timeoutSeconds: 1, ...query },
    watch: { endsAt: "never" },
  });
}
