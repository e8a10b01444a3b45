// What the managers of the area apply: for each kind, bodies that overlap.
import type { JsonMap } from "../step.ts";

/** For each kind the bodies that managers apply: each is whole, and two of them overlap often. */
export const APPLIED: readonly { group: string; kind: string; bodies: readonly JsonMap[] }[] = [
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
