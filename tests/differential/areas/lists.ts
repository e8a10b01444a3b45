// Lists: selectors by label and field, pages, versions, forms of answers.
import { apiVersionOf, builtin, type SequenceBuilder, type TemplateKind } from "../generate/builder.ts";
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
];

const ACCEPTS = [
  "application/json;as=Table;g=meta.k8s.io;v=v1,application/json",
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
  "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
];

export const lists: Area = {
  name: "lists",
  weight: 12,
  make(builder) {
    const { random } = builder;
    const kind = random.pick(LISTED);
    builder.namespace();
    for (const name of [...builder.names(kind), ...["d", "e"].map((n) => (kind.namespaced ? n : `${n}-{{seq}}`))])
      if (random.chance(0.85)) builder.create(kind, name);
    const turns = 4 + random.int(6);
    for (let i = 0; i < turns; i++) random.weighted(TURNS).take(builder, kind);
  },
};

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
  {
    weight: 2,
    take(builder, kind) {
      const { random } = builder;
      builder.list(kind, {
        query: {
          resourceVersion: random.pick(["0", "", "1", "abc", "-1", undefined]),
          resourceVersionMatch: random.pick([undefined, "NotOlderThan", "Exact", "Own"]),
          limit: random.pick([undefined, undefined, 2]),
        },
      });
    },
  },
  {
    weight: 2,
    take(builder, kind) {
      const { random } = builder;
      builder.list(kind, { headers: { accept: random.pick(ACCEPTS) }, query: { limit: random.pick([undefined, 2]) } });
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
          fieldSelector: random.pick([undefined, "metadata.name=a"]),
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

/** All pages; sometimes something changes between them, sometimes the token is wrong. */
function pages(builder: SequenceBuilder, kind: TemplateKind): void {
  const { random } = builder;
  const limit = random.pick([1, 2, 3]);
  const labelSelector = random.chance(0.3) ? "app=a" : undefined;
  let last = builder.list(kind, { query: { limit, labelSelector } });
  for (let i = 0; i < 3; i++) {
    if (random.chance(0.25)) builder.create(kind, builder.name(kind));
    if (random.chance(0.25)) builder.delete(kind, builder.name(kind));
    const token = random.chance(0.95) ? `{{${last}:metadata.continue}}` : "bad-token";
    last = builder.list(kind, {
      query: { limit, labelSelector, continue: token, resourceVersion: random.chance(0.05) ? "5" : undefined },
    });
  }
}
