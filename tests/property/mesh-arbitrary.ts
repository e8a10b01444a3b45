// Small random meshes as Kubernetes objects: few names, so that events meet each other often.
import fc from "fast-check";
import type { KubeObject } from "#api/kubernetes/object";

export interface MeshEvent {
  readonly cluster: string;
  readonly action: "put" | "remove";
  readonly object: KubeObject;
}

export const CLUSTERS = ["c1", "c2", "c3"] as const;
const APPS = ["a", "b"] as const;

const meta = (name: string, more: object = {}) => ({ name, namespace: "sample", ...more });

const service = fc
  .record({
    app: fc.constantFrom(...APPS),
    port: fc.constantFrom(80, 5000),
    portName: fc.constantFrom("http", "tcp", "any", "grpc"),
    headless: fc.boolean(),
    target: fc.constantFrom(8080, "web"),
    exportTo: fc.constantFrom(undefined, "~", "."),
    created: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
  })
  .map(({ app, port, portName, headless, target, exportTo, created }): KubeObject => {
    const ip = headless ? "None" : `10.96.0.${app.charCodeAt(0)}`;
    return {
      apiVersion: "v1",
      kind: "Service",
      metadata: meta(app, {
        creationTimestamp: created,
        annotations: exportTo === undefined ? {} : { "networking.istio.io/exportTo": exportTo },
      }),
      spec: {
        clusterIP: ip,
        clusterIPs: [ip],
        selector: { app },
        ports: [{ name: portName, port, targetPort: target }],
      },
    } as KubeObject;
  });

const gatewayService = fc
  .record({ network: fc.constantFrom("n1", "n2"), ips: fc.subarray(["172.30.0.1", "172.30.0.2", "172.30.0.3"]) })
  .map(
    ({ network, ips }): KubeObject =>
      ({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "gw", namespace: "istio-system", labels: { "topology.istio.io/network": network } },
        spec: { clusterIP: "10.96.0.2", clusterIPs: ["10.96.0.2"], ports: [{ name: "tls", port: 15443 }] },
        status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
      }) as KubeObject,
  );

const pod = fc
  .record({
    app: fc.constantFrom(...APPS),
    number: fc.integer({ min: 1, max: 3 }),
    injected: fc.boolean(),
    network: fc.constantFrom("n1", "n2"),
    account: fc.constantFrom("one", "two"),
    node: fc.constantFrom("node1", "node2"),
  })
  .map(({ app, number, injected, network, account, node }): KubeObject => {
    const mesh = { "security.istio.io/tlsMode": "istio", "topology.istio.io/network": network };
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: meta(`${app}-${number}`, { labels: { app, ...(injected ? mesh : {}) } }),
      spec: { nodeName: node, serviceAccountName: account, containers: [] },
    } as KubeObject;
  });

const slice = fc
  .record({
    app: fc.constantFrom(...APPS),
    ready: fc.subarray([1, 2, 3]),
    unready: fc.subarray([1, 2, 3]),
    portName: fc.constantFrom("http", "tcp", "http", "tcp", "any", "grpc"),
    port: fc.constantFrom(8080, 9090),
  })
  .map(({ app, ready, unready, portName, port }): KubeObject => {
    const numbers = [...new Set([...ready, ...unready])];
    return {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: meta(`${app}-slice`, { labels: { "kubernetes.io/service-name": app } }),
      addressType: "IPv4",
      ports: [{ name: portName, port }],
      endpoints: numbers.map((number) => ({
        addresses: [`10.244.${app.charCodeAt(0)}.${number}`],
        conditions: { ready: ready.includes(number) },
        targetRef: { kind: "Pod", name: `${app}-${number}`, namespace: "sample" },
      })),
    } as KubeObject;
  });

const node = fc.record({ name: fc.constantFrom("node1", "node2"), region: fc.constantFrom("r1", "r2") }).map(
  ({ name, region }): KubeObject => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "topology.kubernetes.io/region": region } },
  }),
);

const systemNamespace = fc
  .constantFrom({}, { "topology.istio.io/network": "n2" })
  .map((labels): KubeObject => ({ apiVersion: "v1", kind: "Namespace", metadata: { name: "istio-system", labels } }));

const peerAuthentication = fc.constantFrom("STRICT", "DISABLE", "PERMISSIVE").map(
  (mode): KubeObject =>
    ({
      apiVersion: "security.istio.io/v1",
      kind: "PeerAuthentication",
      metadata: meta("default"),
      spec: { mtls: { mode } },
    }) as KubeObject,
);

const expose = fc.constantFrom("*.local", "sample/*.local", "a.sample.svc.cluster.local").map(
  (host): KubeObject =>
    ({
      apiVersion: "networking.istio.io/v1",
      kind: "Gateway",
      metadata: { name: "expose", namespace: "istio-system" },
      spec: {
        selector: { istio: "eastwestgateway" },
        servers: [
          { port: { number: 15443, name: "tls", protocol: "TLS" }, tls: { mode: "AUTO_PASSTHROUGH" }, hosts: [host] },
        ],
      },
    }) as KubeObject,
);

const destinationRule = fc.constantFrom("a", "*.sample.svc.cluster.local").map(
  (host): KubeObject =>
    ({
      apiVersion: "networking.istio.io/v1",
      kind: "DestinationRule",
      metadata: meta("rule"),
      spec: { host, subsets: [{ name: "here", labels: { "topology.istio.io/cluster": "c1" } }] },
    }) as KubeObject,
);

const meshConfig = fc.constantFrom("REGISTRY_ONLY", "ALLOW_ANY").map(
  (mode): KubeObject =>
    ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "istio", namespace: "istio-system" },
      data: { mesh: `outboundTrafficPolicy: {mode: ${mode}}` },
    }) as KubeObject,
);

const inCluster = (object: fc.Arbitrary<KubeObject>, clusters: readonly string[]) =>
  fc.record({
    cluster: fc.constantFrom(...clusters),
    action: fc.constantFrom("put" as const, "put" as const, "put" as const, "remove" as const),
    object,
  });

/** Events of all clusters; configuration happens in c1 only, the cluster of the control plane. */
export const meshEvent: fc.Arbitrary<MeshEvent> = fc.oneof(
  { weight: 4, arbitrary: inCluster(service, CLUSTERS) },
  { weight: 4, arbitrary: inCluster(pod, CLUSTERS) },
  { weight: 5, arbitrary: inCluster(slice, CLUSTERS) },
  { weight: 2, arbitrary: inCluster(gatewayService, CLUSTERS) },
  { weight: 1, arbitrary: inCluster(node, CLUSTERS) },
  { weight: 1, arbitrary: inCluster(systemNamespace, CLUSTERS) },
  { weight: 4, arbitrary: inCluster(fc.oneof(peerAuthentication, expose, destinationRule, meshConfig), ["c1"]) },
);

const firstService = (app: string, portName: string, headless: boolean): KubeObject => {
  const ip = headless ? "None" : `10.96.0.${app.charCodeAt(0)}`;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: meta(app),
    spec: {
      clusterIP: ip,
      clusterIPs: [ip],
      selector: { app },
      ports: [{ name: portName, port: 80, targetPort: headless ? "web" : 8080 }],
    },
  } as KubeObject;
};

const firstPod = (app: string, number: number): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta(`${app}-${number}`, {
      labels: { app, "security.istio.io/tlsMode": "istio", "topology.istio.io/network": "n1" },
    }),
    spec: { nodeName: "node1", serviceAccountName: "one", containers: [] },
  }) as KubeObject;

const firstSlice = (app: string, portName: string, port: number): KubeObject =>
  ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: meta(`${app}-slice`, { labels: { "kubernetes.io/service-name": app } }),
    addressType: "IPv4",
    ports: [{ name: portName, port }],
    endpoints: [
      {
        addresses: [`10.244.${app.charCodeAt(0)}.1`],
        conditions: { ready: true },
        targetRef: { kind: "Pod", name: `${app}-1`, namespace: "sample" },
      },
    ],
  }) as KubeObject;

/** A mesh to begin with, the same in each cluster, so that most events meet something. */
export const FIRST_OBJECTS: readonly KubeObject[] = [
  ...APPS.flatMap((app) => [firstPod(app, 1), firstPod(app, 2)]),
  firstService("a", "http", false),
  firstSlice("a", "http", 8080),
  firstService("b", "tcp", true),
  firstSlice("b", "tcp", 8080),
];
