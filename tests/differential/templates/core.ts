import type { Random } from "../generate/random.ts";
import type { JsonMap } from "../step.ts";
import { podSpec } from "./pods.ts";
import type { Templates } from "./template.ts";

export const coreTemplates: Templates = {
  "/ConfigMap": {
    make: (random) => ({
      data: { key: random.pick(["one", "two"]), ...(random.chance(0.4) ? { other: "x\ny" } : {}) },
      ...(random.chance(0.2) ? { binaryData: { blob: "AAEC" } } : {}),
      ...(random.chance(0.1) ? { immutable: true } : {}),
    }),
    changes: [
      { data: { key: "three" } },
      { data: { more: "1" } },
      { data: { key: null } },
      { data: null },
      { immutable: false },
    ],
    refused: [
      { data: { "bad key": "1" } },
      { binaryData: { key: "AA==" } },
      { data: { "..": "x" } },
      { binaryData: { x: "%%" } },
    ],
  },
  "/Secret": {
    make: (random) =>
      random.pick<JsonMap>([
        { data: { password: "c2VjcmV0" } },
        { stringData: { password: "plain" }, type: "Opaque" },
        { type: "kubernetes.io/basic-auth", stringData: { username: "u", password: "p" } },
        { type: "kubernetes.io/tls", data: { "tls.crt": "", "tls.key": "" } },
        { type: "example.com/own", data: { a: "AA==" }, immutable: false },
      ]),
    changes: [
      { stringData: { extra: "v" } },
      { data: { password: "bmV3" } },
      { immutable: null, data: { password: "bmV3" } },
      { immutable: true },
    ],
    refused: [{ type: "example.com/other" }, { data: { "a b": "AA==" } }, { data: { x: "no base64!" } }],
  },
  "/ServiceAccount": {
    make: (random) =>
      random.pick<JsonMap>([
        {},
        { automountServiceAccountToken: false },
        { secrets: [{ name: "s1" }], imagePullSecrets: [{ name: "p1" }] },
      ]),
    changes: [{ automountServiceAccountToken: true }, { imagePullSecrets: [{ name: "p2" }] }, { secrets: null }],
  },
  "/Service": {
    make: service,
    changes: [
      { spec: { selector: { app: "two" } } },
      { spec: { sessionAffinity: "ClientIP" } },
      { spec: { ports: [{ name: "http", port: 8080, targetPort: "web" }] } },
      { spec: { type: "NodePort" } },
      { spec: { type: "ClusterIP" } },
      { spec: { publishNotReadyAddresses: true } },
      { spec: { internalTrafficPolicy: "Local" } },
    ],
    refused: [
      { spec: { clusterIP: "10.96.0.77" } },
      { spec: { ports: [{ port: 0 }] } },
      { spec: { ports: null } },
      { spec: { ports: [{ port: 80 }, { port: 81 }] } },
      { spec: { type: "Own" } },
      { spec: { sessionAffinity: "Never" } },
      { spec: { ports: [{ name: "Bad_Name", port: 80 }] } },
    ],
    status: [{ status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } }],
  },
  "/Endpoints": {
    make: (random) =>
      random.pick<JsonMap>([
        {},
        { subsets: [{ addresses: [{ ip: "10.1.2.3" }], ports: [{ name: "http", port: 80 }] }] },
        {
          subsets: [{ notReadyAddresses: [{ ip: "10.1.2.4", hostname: "h" }], ports: [{ port: 80, protocol: "UDP" }] }],
        },
      ]),
    changes: [{ subsets: [{ addresses: [{ ip: "10.1.2.9" }], ports: [{ port: 81 }] }] }],
    refused: [
      { subsets: [{ addresses: [{ ip: "127.0.0.1" }] }] },
      { subsets: [{ addresses: [{ ip: "x" }], ports: [{ port: 1 }] }] },
    ],
  },
  "/PersistentVolumeClaim": {
    make: (random) => ({
      spec: {
        accessModes: [random.pick(["ReadWriteOnce", "ReadOnlyMany"])],
        resources: { requests: { storage: random.pick(["1Gi", "500M"]) } },
        ...(random.chance(0.5) ? { storageClassName: "none" } : {}),
      },
    }),
    refused: [{ spec: { accessModes: ["ReadWriteMany"] } }, { spec: { resources: { requests: { storage: "1" } } } }],
    status: [{ status: { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] } }],
  },
  "/PersistentVolume": {
    make: (random) => ({
      spec: {
        accessModes: ["ReadWriteOnce"],
        capacity: { storage: random.pick(["1Gi", "2Gi"]) },
        hostPath: { path: random.pick(["/tmp/a", "/tmp/b"]) },
        ...(random.chance(0.3) ? { persistentVolumeReclaimPolicy: "Delete" } : {}),
      },
    }),
    changes: [{ spec: { persistentVolumeReclaimPolicy: "Retain" } }, { spec: { capacity: { storage: "3Gi" } } }],
    refused: [{ spec: { accessModes: [] } }, { spec: { hostPath: { path: "/other" } } }, { spec: { hostPath: null } }],
    status: [{ status: { phase: "Released", message: "gone" } }],
  },
  "/PodTemplate": {
    make: (random) => ({ template: { metadata: { labels: { app: "a" } }, spec: podSpec(random) } }),
    changes: [{ template: { metadata: { labels: { app: "b" } } } }],
    refused: [{ template: { spec: { containers: [] } } }],
  },
  "/LimitRange": {
    make: (random) =>
      random.pick<JsonMap>([
        { spec: { limits: [{ type: "Pod", max: { cpu: "4" } }] } },
        { spec: { limits: [{ type: "Container", default: { cpu: "200m" }, defaultRequest: { cpu: "100m" } }] } },
        { spec: { limits: [{ type: "PersistentVolumeClaim", min: { storage: "1Mi" } }] } },
      ]),
    changes: [{ spec: { limits: [{ type: "Pod", max: { memory: "8Gi" } }] } }],
    refused: [
      { spec: { limits: [{ type: "Pod", default: { cpu: "1" } }] } },
      { spec: { limits: [{ max: { cpu: "1" } }] } },
    ],
  },
  "/ResourceQuota": {
    make: (random) => ({
      spec: { hard: random.pick<JsonMap>([{ pods: "100" }, { "requests.cpu": "50", secrets: "99" }]) },
    }),
    changes: [{ spec: { hard: { configmaps: "100" } } }],
    refused: [{ spec: { hard: { pods: "-1" } } }, { spec: { scopes: ["Own"] } }],
    status: [{ status: { hard: { pods: "100" }, used: { pods: "0" } } }],
  },
  "/Namespace": {
    make: () => ({}),
    changes: [{ metadata: { labels: { team: "x" } } }],
    refused: [{ metadata: { labels: { "bad label!": "x" } } }],
    status: [{ status: { conditions: [{ type: "Own", status: "True" }] } }],
    fixedNames: true,
  },
  "/Node": {
    make: (random) =>
      random.pick<JsonMap>([
        {},
        { spec: { taints: [{ key: "k", effect: "NoSchedule" }] } },
        { spec: { unschedulable: true } },
      ]),
    changes: [{ spec: { unschedulable: false } }, { spec: { podCIDR: "10.244.9.0/24", podCIDRs: ["10.244.9.0/24"] } }],
    refused: [
      { spec: { taints: [{ key: "k", effect: "Own" }] } },
      { spec: { taints: [{ key: "bad key!", effect: "NoExecute" }] } },
    ],
    status: [
      { status: { capacity: { cpu: "4", pods: "110" }, allocatable: { cpu: "4" } } },
      { status: { addresses: [{ type: "InternalIP", address: "192.0.2.7" }] } },
      { status: { conditions: [{ type: "Ready", status: "True", reason: "Up", message: "up" }] } },
    ],
  },
  "/Event": {
    make: (random) => ({
      involvedObject: { kind: "Pod", name: "a", namespace: "{{ns}}" },
      reason: random.pick(["Started", "Killed"]),
      message: "it happened",
      type: random.pick(["Normal", "Warning"]),
      count: 1,
      firstTimestamp: "2001-02-03T04:05:06Z",
      lastTimestamp: "2001-02-03T04:05:06Z",
      source: { component: "test" },
    }),
    changes: [{ count: 2 }, { message: "again" }],
    refused: [{ involvedObject: { namespace: "elsewhere" } }],
  },
  "events.k8s.io/Event": {
    make: () => ({
      eventTime: "2001-02-03T04:05:06.000000Z",
      reportingController: "example.com/test",
      reportingInstance: "test-1",
      action: "Testing",
      reason: "Tested",
      type: "Normal",
      regarding: { kind: "Pod", name: "a", namespace: "{{ns}}" },
      note: "it happened",
    }),
    changes: [{ series: { count: 3, lastObservedTime: "2001-02-03T04:06:06.000000Z" } }],
    refused: [{ note: "other" }, { reason: "" }],
  },
  "coordination.k8s.io/Lease": {
    make: (random) => ({
      spec: {
        holderIdentity: random.pick(["a", "b"]),
        leaseDurationSeconds: 15,
        acquireTime: "2001-02-03T04:05:06.000000Z",
        renewTime: "2001-02-03T04:05:06.123456Z",
        leaseTransitions: 1,
      },
    }),
    changes: [
      { spec: { holderIdentity: "c" } },
      { spec: { renewTime: "2001-02-03T04:05:07.000000Z" } },
      { spec: null },
    ],
    refused: [{ spec: { leaseDurationSeconds: 0 } }, { spec: { leaseTransitions: -1 } }],
  },
};

function service(random: Random): JsonMap {
  return {
    spec: {
      selector: { app: random.pick(["one", "two"]) },
      ...random.pick<JsonMap>([
        { ports: [{ port: 80 }] },
        {
          ports: [
            { name: "http", port: 80, targetPort: 8080 },
            { name: "dns", port: 53, protocol: "UDP" },
          ],
        },
        { clusterIP: "None", ports: [{ port: 80 }] },
        { clusterIP: "None" },
        { type: "NodePort", ports: [{ port: 80 }] },
        { type: "LoadBalancer", ports: [{ name: "https", port: 443, targetPort: "tls" }] },
        { type: "LoadBalancer", externalTrafficPolicy: "Local", ports: [{ port: 443 }] },
        { type: "ExternalName", externalName: "example.com" },
      ]),
    },
  };
}
