import type { Random } from "../generate/random.ts";
import type { JsonMap } from "../step.ts";
import type { Template } from "./template.ts";

/** Few fields at a time, every one of them often. */
export function podSpec(random: Random): JsonMap {
  return {
    containers: [container(random, "main"), ...(random.chance(0.3) ? [container(random, "side")] : [])],
    ...(random.chance(0.2) ? { initContainers: [{ name: "init", image: "example.com/init:1" }] } : {}),
    ...(random.chance(0.2) ? { volumes: [random.pick(VOLUMES)] } : {}),
    ...(random.chance(0.4) ? random.pick(POD_FIELDS) : {}),
  };
}

const VOLUMES: readonly JsonMap[] = [
  { name: "data", emptyDir: {} },
  { name: "data", configMap: { name: "a" } },
  { name: "data", secret: { secretName: "a", items: [{ key: "k", path: "p" }] } },
  { name: "data", hostPath: { path: "/tmp" } },
  { name: "data", projected: { sources: [{ serviceAccountToken: { path: "token", audience: "x" } }] } },
  { name: "data", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
];

const POD_FIELDS: readonly JsonMap[] = [
  { terminationGracePeriodSeconds: 5 },
  { nodeSelector: { disk: "ssd" } },
  { restartPolicy: "Always", dnsPolicy: "Default" },
  { hostNetwork: true },
  { securityContext: { runAsUser: 1000, fsGroup: 2000 } },
  { tolerations: [{ key: "k", operator: "Exists", effect: "NoSchedule" }] },
  { automountServiceAccountToken: false },
  { enableServiceLinks: false, hostname: "h" },
  { activeDeadlineSeconds: 60 },
  { hostAliases: [{ ip: "192.0.2.3", hostnames: ["x.example.com"] }] },
  { imagePullSecrets: [{ name: "p" }] },
  {
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: "zone" } }],
      },
    },
  },
  { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway" }] },
  { readinessGates: [{ conditionType: "example.com/gate" }] },
  { schedulingGates: [{ name: "example.com/gate" }] },
  { overhead: null, preemptionPolicy: "PreemptLowerPriority" },
  { serviceAccountName: "default" },
  { dnsConfig: { nameservers: ["192.0.2.4"], options: [{ name: "ndots", value: "2" }] } },
];

function container(random: Random, name: string): JsonMap {
  return {
    name,
    image: random.pick(["example.com/app:1", "example.com/app", "example.com/app:latest"]),
    ...(random.chance(0.6) ? random.pick(CONTAINER_FIELDS) : {}),
  };
}

const CONTAINER_FIELDS: readonly JsonMap[] = [
  { ports: [{ containerPort: 80 }] },
  {
    ports: [
      { name: "web", containerPort: 8080, protocol: "TCP" },
      { containerPort: 53, protocol: "UDP" },
    ],
  },
  {
    env: [
      { name: "A", value: "1" },
      { name: "B", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    ],
  },
  { env: [{ name: "C", valueFrom: { configMapKeyRef: { name: "a", key: "k" } } }] },
  { resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "1", memory: "128Mi" } } },
  { resources: { limits: { cpu: "0.5" } } },
  { readinessProbe: { httpGet: { path: "/", port: 80 } } },
  { livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 3 } },
  { livenessProbe: { exec: { command: ["true"] } }, startupProbe: { grpc: { port: 9 } } },
  { command: ["sh"], args: ["-c", "true"], workingDir: "/tmp" },
  { lifecycle: { preStop: { exec: { command: ["sleep", "1"] } } } },
  { securityContext: { runAsNonRoot: true, capabilities: { drop: ["ALL"] } } },
  { imagePullPolicy: "Never", terminationMessagePolicy: "FallbackToLogsOnError" },
  { envFrom: [{ configMapRef: { name: "a" }, prefix: "P_" }], stdin: true, tty: true },
];

export const podTemplate: Template = {
  make: (random) => ({ spec: podSpec(random) }),
  changes: [
    { spec: { activeDeadlineSeconds: 30 } },
    { spec: { tolerations: [{ key: "new", operator: "Exists" }] } },
    { metadata: { labels: { app: "changed" } } },
  ],
  refused: [
    { spec: { nodeName: "other" } },
    { spec: { containers: [] } },
    { spec: { restartPolicy: "Sometimes" } },
    {
      spec: {
        containers: [
          { name: "main", image: "x" },
          { name: "main", image: "y" },
        ],
      },
    },
    { spec: { containers: [{ name: "Bad_Name", image: "x" }] } },
    { spec: { hostname: "other-host" } },
    { spec: { activeDeadlineSeconds: 0 } },
    { spec: { terminationGracePeriodSeconds: 7 } },
  ],
  status: [
    { status: { phase: "Running", podIP: "10.244.0.5", podIPs: [{ ip: "10.244.0.5" }] } },
    { status: { conditions: [{ type: "Ready", status: "True" }] } },
    { status: { phase: "Failed", reason: "Evicted", message: "no room" } },
  ],
};

export const workloadTemplate = (random: Random): JsonMap => ({
  metadata: { labels: { app: "a" } },
  spec: podSpec(random),
});
