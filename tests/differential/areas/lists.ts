// Lists: selectors by label and field, pages, versions, forms of answers.
import { apiVersionOf, builtin, QUIET_KINDS, type SequenceBuilder, type TemplateKind } from "../generate/builder.ts";
import type { Area } from "./area.ts";

const LISTED = [
  builtin("", "ConfigMap"),
  builtin("", "Secret"),
  builtin("", "Pod"),
  builtin("", "Service"),
  builtin("", "Event"),
  builtin("apps", "Deployment"),
  builtin("batch", "Job"),
  builtin("", "Node"),
  builtin("", "PersistentVolume"),
  builtin("networking.k8s.io", "Ingress"),
  builtin("", "ServiceAccount"),
  builtin("apps", "ReplicaSet"),
];

const LABELS = [
  "app=a",
  "app==b",
  "app!=a",
  "app",
  "!app",
  "app in (a,b)",
  "app notin (a)",
  "app=a,tier=x",
  "app in (a),tier!=y",
  "",
  "tier in (x, y)",
  "app=a,",
  "=a",
  "app in",
  "app in (a",
  "app=bad value",
  "app>1",
  "tier<5",
  "a b",
  "example.com/x=1",
  "tier in ()",
  "app in (a,)",
  "app notin (a,b),tier",
  "!app,!tier",
  "tier in (x y)",
  "app in a)",
  "app=a=b",
  "app=,",
  ",app=a",
  "app!in (a)",
  "-app=a",
  "app=a_",
  "app>",
];

const FIELDS = [
  "metadata.name=a",
  "metadata.name!=a",
  "metadata.namespace={{ns}}",
  "metadata.namespace=other",
  "metadata.name=a,metadata.name=b",
  "metadata.name",
  "status.phase=Pending",
  "spec.nodeName=",
  "spec.nodeName=n",
  "status.phase!=Running",
  "type=Opaque",
  "spec.unknown=1",
  "reason=Started",
  "involvedObject.kind=Pod",
  "spec.type=ClusterIP",
  "spec.restartPolicy=Always",
  "=x",
  "metadata.name=b-{{seq}}",
  "status.successful=0",
  "spec.unschedulable=true",
  "status.podIP=",
  "status.replicas=0",
  "spec.host=n",
  "spec.hostNetwork=false",
  "status.podIPs=",
  "spec.clusterIP=None",
  "involvedObject.name=a",
  "source=test",
  "reportingComponent!=x",
  "type!=Warning",
  "spec.unschedulable!=true",
  "metadata.name=a=b",
  "metadata.name=a\\,b",
  "metadata.name=a\\b",
  "metadata.name=a\\",
  "metadata.name!=a,metadata.name!=b,",
  "status.phase==Pending",
  "metadata.uid=x",
  "spec.signerName=x",
];

const ACCEPTS = [
  "application/json;as=Table;g=meta.k8s.io;v=v1,application/json",
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
  "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
  "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1",
];

/** None of a list of this kind, and none at all. */
const TOKENS = [
  "bad-token",
  "a",
  "bm8",
  "e30",
  "W10",
  ...[
    { v: "meta.k8s.io/v0", rv: 1, start: "a" },
    { v: "meta.k8s.io/v1", start: "a" },
    { v: "meta.k8s.io/v1", rv: -1 },
    { v: "meta.k8s.io/v1", rv: -1, start: "../a" },
    { v: "meta.k8s.io/v1", rv: -1, start: "/a//b" },
    { v: "meta.k8s.io/v1", rv: -1, start: "/b" },
    { v: "meta.k8s.io/v1", rv: -1, start: "b\0" },
    { v: "meta.k8s.io/v1", rv: -1, start: "b" },
  ].map((token) => Buffer.from(JSON.stringify(token)).toString("base64url")),
];

const TOO_LARGE = "9007199254740000";

export const lists: Area = {
  name: "lists",
  weight: 12,
  held: true,
  make(builder) {
    const { random } = builder;
    const kind = random.chance(0.7) ? random.pick(LISTED) : random.pick(QUIET_KINDS);
    builder.namespace();
    if (!kind.namespaced) behindAll(builder, kind);
    for (const name of [...builder.names(kind), ...["d", "e"].map((n) => (kind.namespaced ? n : `${n}-{{seq}}`))])
      if (random.chance(0.85)) builder.create(kind, name);
    const turns = 4 + random.int(6);
    for (let i = 0; i < turns; i++) random.weighted(TURNS).take(builder, kind);
  },
};

/**
 * Whether something follows the last object of a page must not depend on what other sequences make meanwhile: an object
 * behind all of the sequence's own, which no list of it shows.
 */
function behindAll(builder: SequenceBuilder, kind: TemplateKind): void {
  builder.create(kind, "zzzz-{{seq}}", { more: { metadata: { labels: { behind: "all" } } } });
}

const TURNS: readonly { weight: number; take(builder: SequenceBuilder, kind: TemplateKind): void }[] = [
  {
    weight: 4,
    take(builder, kind) {
      const { random } = builder;
      builder.list(kind, {
        query: {
          labelSelector: random.chance(0.6) ? random.pick(LABELS) : undefined,
          fieldSelector: random.chance(0.5) ? random.pick(FIELDS) : undefined,
        },
        ...(random.chance(0.2) ? { headers: { accept: random.pick(ACCEPTS) } } : {}),
      });
    },
  },
  { weight: 4, take: pages },
  { weight: 3, take: versions },
  {
    weight: 2,
    take(builder, kind) {
      const { random } = builder;
      const headers = { accept: random.pick(ACCEPTS) };
      const includeObject = random.pick([undefined, undefined, "Object", "None", "Metadata", "Own"]);
      if (random.chance(0.2)) builder.get(kind, builder.name(kind), { headers });
      else builder.list(kind, { headers, query: { limit: random.pick([undefined, 2]), includeObject } });
    },
  },
  {
    weight: 1,
    take: (builder) =>
      void builder.send("GET", "/api/v1/configmaps?labelSelector=differential%3D{{seq}}", {
        verb: "list",
        kindName: "ConfigMap",
      }),
  },
  { weight: 1, take: (builder, kind) => void builder.create(kind, builder.name(kind)) },
  { weight: 1, take: (builder, kind) => void builder.delete(kind, builder.name(kind)) },
  {
    weight: 1,
    take(builder, kind) {
      const { random } = builder;
      builder.send("DELETE", builder.collection(kind), {
        verb: "deletecollection",
        kindName: kind.kind,
        query: {
          labelSelector: kind.namespaced ? random.pick(["app=a", "app!=a", undefined]) : "differential={{seq}},app=a",
          fieldSelector: random.pick([undefined, "metadata.name=a", "metadata.name!=b"]),
          limit: random.pick([undefined, undefined, undefined, 1, 2]),
          resourceVersion: random.pick([undefined, undefined, undefined, "abc"]),
          dryRun: random.pick([undefined, undefined, "All"]),
        },
      });
    },
  },
  {
    weight: 1,
    take(builder, kind) {
      const object = { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind) };
      builder.send("POST", builder.collection(kind), { verb: "create", kindName: kind.kind, body: { json: object } });
    },
  },
];

/** Lists in a version: any, an old one, one to come. */
function versions(builder: SequenceBuilder, kind: TemplateKind): void {
  const { random } = builder;
  const before = `{{${builder.list(kind)}:metadata.resourceVersion}}`;
  const changes = random.int(3);
  for (let i = 0; i < changes; i++) {
    if (random.chance(0.5)) builder.create(kind, builder.name(kind));
    else builder.delete(kind, builder.name(kind));
  }
  // What a server has heard of by now is chance until it was asked for the newest state.
  builder.list(kind, { query: { limit: 1 } });
  const version = random.chance(0.5)
    ? before
    : random.pick([
        "0",
        "",
        "abc",
        "-1",
        "18446744073709551616",
        ...(random.chance(0.1) ? [TOO_LARGE] : []),
        undefined,
      ]);
  builder.list(kind, {
    query: {
      resourceVersion: version,
      resourceVersionMatch: random.pick([undefined, undefined, "NotOlderThan", "Exact", "Exact", "Own"]),
      limit: random.pick([undefined, undefined, 2]),
      fieldSelector: random.pick([undefined, undefined, undefined, "metadata.name=a", "metadata.name!=a"]),
      sendInitialEvents: random.chance(0.05) ? "true" : undefined,
    },
  });
}

/** All pages; sometimes something changes between them, sometimes the token is wrong. */
function pages(builder: SequenceBuilder, kind: TemplateKind): void {
  const { random } = builder;
  const limit = random.pick([1, 2, 3]);
  const labelSelector = random.chance(0.3) ? "app=a" : undefined;
  const fieldSelector = random.chance(0.1) ? "metadata.name!=a" : undefined;
  const first = builder.list(kind, { query: { limit, labelSelector, fieldSelector } });
  let last = first;
  for (let i = 0; i < 3; i++) {
    if (random.chance(0.25)) builder.create(kind, builder.name(kind));
    if (random.chance(0.25)) builder.delete(kind, builder.name(kind));
    const token = random.chance(0.9) ? `{{${last}:metadata.continue}}` : random.pick(TOKENS);
    const resourceVersion = random.chance(0.1)
      ? random.pick(["0", `{{${first}:metadata.resourceVersion}}`, "abc"])
      : undefined;
    const resourceVersionMatch = random.chance(0.03) ? "Exact" : undefined;
    last = builder.list(kind, {
      query: { limit, labelSelector, fieldSelector, continue: token, resourceVersion, resourceVersionMatch },
    });
  }
}
