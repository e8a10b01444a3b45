// Server-side apply by several managers: conflicts, force, shared fields, removals, mixes with other writes.
import { apiVersionOf, builtin, type PatchType, type SequenceBuilder, type TemplateKind } from "../generate/builder.ts";
import type { JsonMap } from "../step.ts";
import type { Area } from "./area.ts";

/** For each kind the bodies that managers apply: each is whole, and two of them overlap often. */
const APPLIED: readonly { group: string; kind: string; bodies: readonly JsonMap[] }[] = [
  {
    group: "",
    kind: "ConfigMap",
    bodies: [
      { data: { key: "one" } },
      { data: { key: "two", other: "x" } },
      { data: { other: "x" }, metadata: { labels: { app: "a" } } },
      { metadata: { labels: { app: "b" }, annotations: { note: "n" } } },
      { metadata: { finalizers: ["example.com/one"] } },
      { metadata: { finalizers: ["example.com/two"], labels: {} } },
      { data: { key: null } },
      { metadata: { managedFields: [] } },
      {},
    ],
  },
  {
    group: "",
    kind: "Service",
    bodies: [
      { spec: { ports: [{ port: 80 }], selector: { app: "a" } } },
      {
        spec: {
          ports: [
            { port: 80, name: "http" },
            { port: 443, name: "https" },
          ],
        },
      },
      { spec: { ports: [{ port: 80, protocol: "TCP", targetPort: 8080 }] } },
      { spec: { ports: [{ port: 53, protocol: "UDP" }, { port: 53 }] } },
      { spec: { ports: [{ port: 80 }, { port: 80 }] } },
      { spec: { selector: { app: "b", tier: "x" } } },
      { spec: { type: "NodePort", ports: [{ port: 80 }] } },
      { metadata: { labels: { app: "a" } } },
    ],
  },
  {
    group: "apps",
    kind: "Deployment",
    bodies: [
      deployment({ replicas: 1 }, [{ name: "main", image: "example.com/a:1" }]),
      deployment({ replicas: 2 }, [{ name: "main", image: "example.com/a:2" }]),
      deployment({}, [{ name: "main", image: "example.com/a:1", env: [{ name: "A", value: "1" }] }]),
      deployment({}, [
        { name: "main", image: "example.com/a:1", env: [{ name: "B", value: "2" }], ports: [{ containerPort: 80 }] },
      ]),
      deployment({}, [{ name: "side", image: "example.com/b:1" }]),
      { spec: { replicas: 3 } },
      { metadata: { annotations: { note: "n" } } },
      { spec: { template: { spec: { volumes: [{ name: "v", emptyDir: {} }] } } } },
      { spec: { template: { spec: { containers: [{ name: "main", resources: { limits: { cpu: "1" } } }] } } } },
      { spec: { replicas: "three" } },
      { spec: { unknownField: 1 } },
    ],
  },
  {
    group: "rbac.authorization.k8s.io",
    kind: "Role",
    bodies: [
      { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
      { rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }] },
      { metadata: { labels: { app: "a" } } },
    ],
  },
  {
    group: "",
    kind: "ServiceAccount",
    bodies: [
      { secrets: [{ name: "s1" }] },
      { secrets: [{ name: "s2" }], imagePullSecrets: [{ name: "p1" }] },
      { imagePullSecrets: [{ name: "p1" }, { name: "p2" }] },
      { automountServiceAccountToken: true },
    ],
  },
  {
    group: "discovery.k8s.io",
    kind: "EndpointSlice",
    bodies: [
      { addressType: "IPv4", endpoints: [{ addresses: ["10.1.2.3"] }], ports: [{ name: "http", port: 80 }] },
      { addressType: "IPv4", endpoints: [{ addresses: ["10.1.2.4"] }] },
      { addressType: "IPv4", endpoints: [], metadata: { labels: { "kubernetes.io/service-name": "svc" } } },
    ],
  },
  {
    group: "apps",
    kind: "Deployment",
    bodies: [
      container({ args: ["a", "b"] }),
      container({ args: [] }),
      container({ args: null }),
      container({ env: [] }),
      container({ env: null }),
      container({ env: [{ name: "A", value: "1" }, { name: "A" }] }),
      container({ env: [{ value: "1" }] }),
      container({ ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }] }),
      container({ ports: [{ containerPort: 80, protocol: "TCP", name: "http" }] }),
      container({ ports: [{ name: "none" }] }),
      container({
        volumeMounts: [
          { name: "v", mountPath: "/a" },
          { name: "v", mountPath: "/b" },
        ],
      }),
      container({ resources: { limits: { cpu: 1, memory: "1Gi" } } }),
      container({ resources: { limits: { cpu: "1000m" } } }),
      container({ resources: { limits: { cpu: "much" } } }),
      container({ resources: null }),
      container({ securityContext: {} }),
      container({ securityContext: { capabilities: { add: ["NET_ADMIN", "SYS_TIME"] } } }),
      container({ securityContext: { capabilities: { add: ["SYS_TIME"] } } }),
      container({ livenessProbe: { httpGet: { path: "/", port: "http" } } }),
      container({ livenessProbe: { exec: { command: ["true"] }, periodSeconds: 3 } }),
      container({ image: 5 }),
      container({ tty: "yes" }),
      container({ command: "sh" }),
      container({ command: [1] }),
      deployment({ strategy: { type: "Recreate" } }, [{ name: "main", image: "example.com/a:1" }]),
      deployment({ strategy: { rollingUpdate: { maxSurge: 1 } } }, [{ name: "main", image: "example.com/a:1" }]),
      deployment({ strategy: { type: "Recreate", rollingUpdate: null } }, [{ name: "main", image: "example.com/a:1" }]),
      deployment({ replicas: 1.5 }, [{ name: "main", image: "example.com/a:1" }]),
      deployment({ replicas: null }, [{ name: "main", image: "example.com/a:1" }]),
      deployment({}, []),
      deployment({}, [{ image: "example.com/a:1" }]),
      { spec: null },
      { spec: [] },
      { spec: "text" },
      { spec: {}, status: { replicas: 7 } },
      { metadata: { labels: null } },
      { metadata: { labels: [] } },
      { metadata: { labels: { app: 1 } } },
      { metadata: "a" },
      { metadata: { namespace: "other" } },
      { metadata: { generation: 7, uid: "1", creationTimestamp: null } },
      { metadata: { resourceVersion: "1" } },
      { metadata: { name: "b" } },
      { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "o", uid: "u1" }] } },
      { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "p", uid: "u2" }] } },
      { apiVersion: "apps/v2" },
      { apiVersion: "v1" },
      { kind: "Pod" },
      { apiVersion: "" },
    ],
  },
  {
    group: "",
    kind: "Pod",
    bodies: [
      { spec: { containers: [{ name: "main", image: "example.com/a:1" }] } },
      { spec: { containers: [{ name: "main", image: "example.com/a:2" }] } },
      { spec: { tolerations: [{ key: "a", operator: "Exists" }] } },
      { spec: { containers: [{ name: "main", image: "example.com/a:1" }], tolerations: [{ key: "b" }] } },
      { spec: { containers: [{ name: "main" }], topologySpreadConstraints: [] } },
      { spec: { hostAliases: [{ ip: "127.0.0.1", hostnames: ["a"] }] } },
      { spec: { schedulingGates: [{ name: "example.com/gate" }] } },
      { spec: { imagePullSecrets: [{ name: "p1" }] } },
      { spec: { nodeSelector: { a: "b" } } },
      { spec: { securityContext: { supplementalGroups: [1, 2] } } },
      { metadata: { labels: { app: "a" } }, status: { phase: "Running" } },
    ],
  },
  {
    group: "",
    kind: "Secret",
    bodies: [
      { data: { key: "b25l" } },
      { stringData: { key: "one" } },
      { stringData: { key: "two" }, type: "Opaque" },
      { data: { key: "no base64!" } },
      { immutable: true },
    ],
  },
  {
    group: "networking.k8s.io",
    kind: "NetworkPolicy",
    bodies: [
      { spec: { podSelector: {} } },
      { spec: { podSelector: { matchLabels: { app: "a" } }, policyTypes: ["Ingress"] } },
      { spec: { podSelector: {}, ingress: [] } },
      { spec: { podSelector: {}, ingress: [{}], egress: [{ ports: [{ port: "http" }, { port: 80 }] }] } },
      { spec: { policyTypes: null } },
    ],
  },
  {
    group: "autoscaling",
    kind: "HorizontalPodAutoscaler",
    bodies: [
      { spec: { maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "a" } } },
      { spec: { maxReplicas: 5 } },
      { spec: { minReplicas: 2 } },
      { spec: { maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "b", apiVersion: "apps/v1" } } },
      { metadata: { annotations: { note: "n" } } },
    ],
  },
  {
    group: "batch",
    kind: "CronJob",
    bodies: [
      { spec: { schedule: "* * * * *", suspend: true } },
      { spec: { suspend: false } },
      { spec: { successfulJobsHistoryLimit: 0 } },
      { metadata: { labels: { app: "b" } } },
    ],
  },
];

function deployment(spec: JsonMap, containers: JsonMap[]): JsonMap {
  const template = { metadata: { labels: { app: "a" } }, spec: { containers } };
  return { spec: { ...spec, selector: { matchLabels: { app: "a" } }, template } };
}

function container(more: JsonMap): JsonMap {
  return deployment({}, [{ name: "main", image: "example.com/a:1", ...more }]);
}

const MANAGERS = ["m1", "m2", "m3", "kubectl"];
/** Written by `kubectl apply` without the server's help; an apply of the manager kubectl takes over what it names. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

export const apply: Area = {
  name: "apply",
  weight: 12,
  make(builder) {
    const { random } = builder;
    builder.namespace();
    const { group, kind: name, bodies } = random.pick(APPLIED);
    const kind = builtin(group, name);
    if (random.chance(0.3)) builder.create(kind, "a");
    const turns = 4 + random.int(8);
    for (let i = 0; i < turns; i++) {
      if (random.chance(0.75)) applyOnce(builder, kind, random.pick(bodies));
      else other(builder, kind, random.pick(bodies));
    }
    builder.get(kind, "a");
  },
};

function applyOnce(builder: SequenceBuilder, kind: TemplateKind, body: JsonMap): void {
  const { random } = builder;
  const { metadata: given = {}, ...rest } = body;
  const named = random.chance(0.7) ? { name: "a" } : {};
  const metadata = typeof given === "object" && given !== null ? { ...named, ...(given as JsonMap) } : given;
  const whole: JsonMap = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...rest, metadata };
  const query = {
    fieldManager: random.chance(0.95) ? random.pick(MANAGERS) : undefined,
    force: random.pick([undefined, undefined, "true", "false"]),
    dryRun: random.chance(0.1) ? "All" : undefined,
    fieldValidation: random.pick([undefined, undefined, "Strict", "Ignore"]),
  };
  const subresource = random.chance(0.1)
    ? random.pick(kind.subresources.filter((name) => DOORS.has(name)).concat(""))
    : "";
  builder.patch(kind, "a", { type: "apply", body: whole, subresource }, { query });
}

/** Doors that show the object itself. */
const DOORS = new Set(["status"]);

/** Another way of writing what managers own. */
function other(builder: SequenceBuilder, kind: TemplateKind, body: JsonMap): void {
  const { random } = builder;
  const query = { fieldManager: random.pick(["m1", "hand", undefined]) };
  const type = random.pick<PatchType>(["merge", "strategic"]);
  const roll = random.int(10);
  if (roll < 4) builder.patch(kind, "a", { type, body }, { query });
  else if (roll < 7) builder.update(kind, "a", { of: builder.get(kind, "a"), edit: body }, { query });
  else if (roll < 8) builder.patch(kind, "a", { type: "merge", body: random.pick(OWNERS) }, { query });
  else if (roll < 9) {
    const text = JSON.stringify({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...body });
    builder.patch(
      kind,
      "a",
      { type: "merge", body: { metadata: { annotations: { [LAST_APPLIED]: text } } } },
      { query },
    );
  } else builder.delete(kind, "a");
}

const entry = (more: JsonMap): JsonMap => ({
  manager: "edited",
  operation: "Update",
  apiVersion: "v1",
  time: "2026-01-01T00:00:00Z",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:metadata": { "f:labels": { "f:app": {} } }, "f:data": { ".": {}, "f:key": {} } },
  ...more,
});

/** What clients may write into managedFields themselves. */
const OWNERS: readonly JsonMap[] = [
  [],
  [{}],
  [entry({})],
  [entry({ operation: "Apply", manager: "m1" })],
  [entry({}), entry({ manager: "second", subresource: "status" })],
  [entry({ apiVersion: "nowhere.example.com/v1" })],
  [entry({ operation: "Own" })],
  [entry({ fieldsType: "FieldsV2" })],
  [entry({ apiVersion: "" })],
  null,
].map((managedFields) => ({ metadata: { managedFields } }));
