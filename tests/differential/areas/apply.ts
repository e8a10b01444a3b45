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
];

function deployment(spec: JsonMap, containers: JsonMap[]): JsonMap {
  const template = { metadata: { labels: { app: "a" } }, spec: { containers } };
  return { spec: { ...spec, selector: { matchLabels: { app: "a" } }, template } };
}

const MANAGERS = ["m1", "m2", "m3"];

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
  const metadata = { ...(random.chance(0.7) ? { name: "a" } : {}), ...(body["metadata"] as JsonMap | undefined) };
  const whole = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...body, metadata };
  const query = {
    fieldManager: random.chance(0.95) ? random.pick(MANAGERS) : undefined,
    force: random.pick([undefined, undefined, "true", "false"]),
    dryRun: random.chance(0.1) ? "All" : undefined,
    fieldValidation: random.pick([undefined, undefined, "Strict", "Ignore"]),
  };
  builder.patch(kind, "a", { type: "apply", body: whole }, { query });
}

/** Another way of writing what managers own. */
function other(builder: SequenceBuilder, kind: TemplateKind, body: JsonMap): void {
  const { random } = builder;
  const query = { fieldManager: random.pick(["m1", "hand", undefined]) };
  const type = random.pick<PatchType>(["merge", "strategic"]);
  if (random.chance(0.6)) builder.patch(kind, "a", { type, body }, { query });
  else builder.update(kind, "a", { of: builder.get(kind, "a"), edit: body }, { query });
}
