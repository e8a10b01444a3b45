// Quotas. No controller counts here: the sequence writes the status itself, and admission charges it.
import { builtin, type SequenceBuilder, type TemplateKind } from "../../generate/builder.ts";
import type { JsonMap } from "../../step.ts";
import { claimOf, podWith } from "./limits.ts";

const quota = builtin("", "ResourceQuota");
const pod = builtin("", "Pod");
const service = builtin("", "Service");
const claim = builtin("", "PersistentVolumeClaim");
const probe = builtin("", "PodTemplate");

const COUNTED: readonly TemplateKind[] = [
  builtin("", "ConfigMap"),
  builtin("", "Secret"),
  builtin("", "ReplicationController"),
  builtin("apps", "Deployment"),
  builtin("", "ServiceAccount"),
];

const HARD: readonly JsonMap[] = [
  { pods: "2" },
  { "count/pods": "1", pods: "3" },
  { "requests.cpu": "500m" },
  { cpu: "1", memory: "256Mi" },
  { "limits.cpu": "2", "requests.memory": "1Gi" },
  { "requests.ephemeral-storage": "2Gi", "requests.example.com/gpu": "1" },
  { configmaps: "2", "count/configmaps": "3" },
  { secrets: "1" },
  { "count/deployments.apps": "1", replicationcontrollers: "1" },
  { services: "2", "services.nodeports": "1" },
  { "services.loadbalancers": "1", "services.nodeports": "3" },
  { persistentvolumeclaims: "2", "requests.storage": "3Gi" },
  { "none.storageclass.storage.k8s.io/requests.storage": "1Gi", "count/persistentvolumeclaims": "5" },
  { "count/serviceaccounts": "1" },
];

/** Scopes go with few resources only. */
const SCOPED: readonly JsonMap[] = [
  { scopes: ["BestEffort"], hard: { pods: "1" } },
  { scopes: ["NotBestEffort"], hard: { pods: "1", "requests.cpu": "1" } },
  { scopes: ["Terminating"], hard: { pods: "1" } },
  { scopes: ["NotTerminating"], hard: { "limits.memory": "200Mi", pods: "2" } },
  {
    scopeSelector: {
      matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["system-node-critical"] }],
    },
    hard: { pods: "0" },
  },
  { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "Exists" }] }, hard: { pods: "1" } },
  { scopes: ["CrossNamespacePodAffinity"], hard: { pods: "0" } },
];

export function quotas(builder: SequenceBuilder): void {
  const { random } = builder;
  builder.namespace();
  const scoped = random.chance(0.3);
  const spec: JsonMap = scoped ? random.pick(SCOPED) : { hard: { ...random.pick(HARD), ...random.pick(HARD) } };
  const hard = spec["hard"] as JsonMap;
  counted(builder, "q", { spec, used: random.chance(0.05) ? {} : nothing(hard) });
  const barred = { "count/podtemplates": "0" };
  counted(builder, "z-probe", { spec: { hard: barred }, used: nothing(barred) });
  // Once the later quota counts, the earlier one does.
  builder.create(probe, "probe", { query: { dryRun: "All" }, until: { status: 403 }, verb: "await-quota" });
  const turns = 5 + random.int(8);
  for (let i = 0; i < turns; i++) {
    random.pick(scoped ? [pods] : [pods, pods, services, claims, others])(builder);
    if (random.chance(0.3)) builder.get(quota, "q");
  }
  builder.get(quota, "q");
}

const nothing = (hard: JsonMap): JsonMap => Object.fromEntries(Object.keys(hard).map((name) => [name, "0"]));

function counted(builder: SequenceBuilder, name: string, { spec, used }: { spec: JsonMap; used: JsonMap }): void {
  builder.create(quota, name, { more: { spec } });
  const body = { status: { hard: spec["hard"] ?? {}, used } };
  builder.patch(quota, name, { type: "merge", body, subresource: "status" }, { kindName: "ResourceQuota/status" });
}

const dry = (builder: SequenceBuilder) => (builder.random.chance(0.15) ? { dryRun: "All" } : {});

const POD_FIELDS: readonly JsonMap[] = [
  {},
  {},
  { activeDeadlineSeconds: 60 },
  { priorityClassName: "system-node-critical" },
  {
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: "zone", namespaces: ["other"], labelSelector: { matchLabels: { app: "a" } } },
        ],
      },
    },
  },
];

function pods(builder: SequenceBuilder): void {
  const { random } = builder;
  const name = builder.name(pod);
  const roll = random.int(10);
  const query = dry(builder);
  if (roll < 7) builder.create(pod, name, { more: podWith(builder, random.pick(POD_FIELDS)), query });
  else if (roll < 8)
    builder.patch(pod, name, { type: "merge", body: { spec: { activeDeadlineSeconds: 30 } } }, { query });
  else if (roll < 9) builder.delete(pod, name);
  else builder.patch(pod, name, { type: "merge", body: { metadata: { labels: { changed: "yes" } } } });
}

const SERVICES: readonly JsonMap[] = [
  { type: "ClusterIP", ports: [{ port: 80 }] },
  { type: "NodePort", ports: [{ port: 80 }] },
  {
    type: "LoadBalancer",
    ports: [
      { name: "a", port: 80 },
      { name: "b", port: 81 },
    ],
  },
  { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports: [{ port: 80 }] },
];

function services(builder: SequenceBuilder): void {
  const { random } = builder;
  const name = builder.name(service);
  const query = dry(builder);
  if (random.chance(0.6)) builder.create(service, name, { more: { spec: random.pick(SERVICES) }, query });
  else builder.patch(service, name, { type: "merge", body: { spec: random.pick(SERVICES) } }, { query });
}

function claims(builder: SequenceBuilder): void {
  const { random } = builder;
  const name = builder.name(claim);
  if (random.chance(0.8))
    builder.create(claim, name, { more: claimOf(random.pick(["1Gi", "1500m", "2.5Gi"])), query: dry(builder) });
  else builder.patch(claim, name, { type: "merge", body: { metadata: { labels: { changed: "yes" } } } });
}

function others(builder: SequenceBuilder): void {
  const kind = builder.random.pick(COUNTED);
  const name = builder.name(kind);
  if (builder.random.chance(0.8)) builder.create(kind, name, { query: dry(builder) });
  else builder.delete(kind, name);
}
