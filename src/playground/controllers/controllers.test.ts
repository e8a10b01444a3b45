// All controllers against the playground's real API server; the test itself plays the node.

import { execFileSync } from "node:child_process";
import { setMaxListeners } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Kinds, type ResourceType } from "#api/kinds";
import type {
  ConfigMap,
  Deployment,
  EndpointSlice,
  Endpoints,
  Lease,
  Namespace,
  Node,
  Pod,
  ReplicaSet,
  Secret,
  Service,
  ServiceAccount,
} from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import { runAll } from "#base/component";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { createKubeClient } from "#kube/create-kube-client";
import { isNotFound, type KubeClient } from "#kube/kube-client";
import { ManualClock } from "../../../tests/kit/manual-clock.ts";
import { runApiServer } from "../api-server/api-server.ts";
import { createTokenSigner } from "../api-server/auth/service-account-tokens.ts";
import type { ClusterProcessConfig } from "../process-config.ts";
import { createNodeLifecycleController } from "./cluster/node-lifecycle-controller.ts";
import { createEventRecorder } from "./objects/event-recorder.ts";
import { createObjectCaches, runCaches } from "./objects/object-caches.ts";
import { createIndexes } from "./objects/object-index.ts";
import { createControllers } from "./run-controllers.ts";

const folder = mkdtempSync(join(tmpdir(), "controllers-"));
const stop = new AbortController();
const logger = silentLogger();
let client: KubeClient;
let finished: Promise<void>;
/** Pods that the fake node leaves not ready. */
const hold = new Set<string>();

function makePki(): ClusterProcessConfig["pki"] {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore" });
  const names = "subjectAltName=IP:127.0.0.1";
  openssl(
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "1",
    "-subj",
    "/O=system:masters/CN=admin",
    "-addext",
    names,
    "-keyout",
    at("key.pem"),
    "-out",
    at("cert.pem"),
  );
  openssl("genrsa", "-out", at("sa.pem"), "2048");
  const cert = at("cert.pem");
  const key = at("key.pem");
  return {
    caCert: cert,
    serverCert: cert,
    serverKey: key,
    clientCaCert: cert,
    kubeletClientCert: cert,
    kubeletClientKey: key,
    serviceAccountKey: at("sa.pem"),
  };
}

const metadata = (name: string, more = {}) => ({ namespace: "sample", name, ...more });
const at = (name: string) => ({ namespace: "sample", name });
const wait = <T>(reason: string, look: () => Promise<T | undefined | false>) =>
  until(look, { reason, timeoutMs: 60_000, intervalMs: 5 });
async function find<T extends KubeObject>(
  type: ResourceType,
  name: string,
  namespace = "sample",
): Promise<T | undefined> {
  try {
    return await client.get<T>(type, type.namespaced ? { namespace, name } : { name });
  } catch (thrown) {
    if (isNotFound(thrown)) return undefined;
    throw thrown;
  }
}
const list = async <T extends KubeObject>(type: ResourceType, labelSelector?: string) =>
  (await client.list<T>(type, { namespace: "sample", ...(labelSelector === undefined ? {} : { labelSelector }) }))
    .items;

/** Reports bound pods as running and ready, each with an address, and lets deleted ones go. */
async function playNode(): Promise<void> {
  let address = 1;
  const set = (pod: Pod, status: Pod["status"]) =>
    client.patch<Pod>(
      Kinds.Pod,
      { ...at(pod.metadata?.name ?? ""), namespace: pod.metadata?.namespace ?? "", subresource: "status" },
      { status },
      { type: "strategic" },
    );
  const tend = async (pod: Pod) => {
    const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
    if (!pod.spec?.nodeName) return;
    if (pod.metadata?.deletionTimestamp !== undefined)
      return client.delete(Kinds.Pod, { namespace, name }, { gracePeriodSeconds: 0, uid });
    if (pod.status?.podIP !== undefined || hold.has(pod.metadata?.labels?.["app"] ?? "")) return;
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: new Date().toISOString() }];
    await set(pod, { phase: "Running", podIP: `10.244.0.${address++}`, conditions });
  };
  const {
    items,
    metadata: { resourceVersion = "0" },
  } = await client.list<Pod>(Kinds.Pod);
  for (const pod of items) await tend(pod).catch(() => {});
  for await (const event of client.watch<Pod>(Kinds.Pod, { resourceVersion, signal: stop.signal })) {
    if (event.type === "ADDED" || event.type === "MODIFIED") await tend(event.object).catch(() => {});
  }
}

beforeAll(async () => {
  setMaxListeners(0, stop.signal);
  const pki = makePki();
  const config: ClusterProcessConfig = {
    clusterName: "test",
    listen: { address: "127.0.0.1", port: 0 },
    podCIDR: "10.244.0.0/16",
    serviceCIDR: "10.96.0.0/16",
    loadBalancerRange: { first: "172.30.0.100", last: "172.30.0.101" },
    pki,
    kubeconfig: "",
    readyFile: "",
    logLevel: "error",
  };
  const server = await runApiServer(config, logger, stop.signal);
  const [caPem, clientKeyPem] = [readFileSync(pki.caCert, "utf8"), readFileSync(pki.serverKey, "utf8")];
  const names = { contextName: "test", clusterName: "test", namespace: "default" };
  client = createKubeClient({ server: server.url, caPem, clientCertPem: caPem, clientKeyPem, ...names });
  const { signLegacy } = createTokenSigner(config);
  const controllers = createControllers({ client, config, signToken: signLegacy, logger });
  finished = runAll([...controllers, { name: "node", run: () => playNode().catch(() => {}) }], stop.signal, logger);
  const ready = [{ type: "Ready", status: "True" }];
  await client.create<Node>(Kinds.Node, { metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "z1" } } });
  await client.patch(
    Kinds.Node,
    { name: "n1", subresource: "status" },
    { status: { conditions: ready } },
    { type: "merge" },
  );
  await client.create<Namespace>(Kinds.Namespace, { metadata: { name: "sample" } });
}, 20_000);

vi.setConfig({ testTimeout: 30_000 });

afterAll(async () => {
  stop.abort();
  await client?.close();
  await finished?.catch(() => {});
  rmSync(folder, { recursive: true, force: true });
});

function deployment(name: string, more: Partial<NonNullable<Deployment["spec"]>> = {}, image = "app:1"): Deployment {
  const labels = { app: name };
  return {
    metadata: metadata(name, { labels }),
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "app", image, ports: [{ name: "web", containerPort: 8080 }] }] },
      },
      ...more,
    },
  };
}
const available = (name: string, count: number) =>
  wait(`${name} has ${count} replicas available`, async () => {
    const found = await find<Deployment>(Kinds.Deployment, name);
    const { updatedReplicas, replicas, availableReplicas, observedGeneration } = found?.status ?? {};
    const settled =
      observedGeneration === found?.metadata?.generation && updatedReplicas === count && replicas === count;
    return settled && availableReplicas === count && found;
  });
const condition = (object: Deployment, type: string) =>
  object.status?.conditions?.find((candidate) => candidate.type === type);

describe("what a namespace gets", () => {
  it("has a default service account and the root certificate, which is repaired", async () => {
    await wait("the default account", () => find<ServiceAccount>(Kinds.ServiceAccount, "default"));
    const certificate = await wait("the root certificate", () => find<ConfigMap>(Kinds.ConfigMap, "kube-root-ca.crt"));
    expect(certificate.data?.["ca.crt"]).toContain("BEGIN CERTIFICATE");
    await client.patch(
      Kinds.ConfigMap,
      at("kube-root-ca.crt"),
      { data: { "ca.crt": "no", more: "x" } },
      { type: "merge" },
    );
    await wait(
      "the repair",
      async () =>
        JSON.stringify((await find<ConfigMap>(Kinds.ConfigMap, "kube-root-ca.crt"))?.data) ===
        JSON.stringify(certificate.data),
    );
    await client.delete(Kinds.ServiceAccount, at("default"));
    await wait("the account again", () => find<ServiceAccount>(Kinds.ServiceAccount, "default"));
  });

  it("fills token Secrets, and deletes those whose account is gone", async () => {
    const account = await client.create<ServiceAccount>(Kinds.ServiceAccount, { metadata: metadata("reader") });
    const tokenSecret = (name: string, owner: string): Secret => ({
      metadata: metadata(name, { annotations: { "kubernetes.io/service-account.name": owner } }),
      type: "kubernetes.io/service-account-token",
    });
    await client.create<Secret>(Kinds.Secret, tokenSecret("reader-token", "reader"));
    const filled = await wait("the token", async () => {
      const secret = await find<Secret>(Kinds.Secret, "reader-token");
      return secret?.data?.["token"] !== undefined && secret;
    });
    expect(Buffer.from(filled.data?.["token"] ?? "", "base64").toString()).toMatch(/^ey.*\..*\..*$/);
    expect(Buffer.from(filled.data?.["namespace"] ?? "", "base64").toString()).toBe("sample");
    expect(filled.metadata?.annotations?.["kubernetes.io/service-account.uid"]).toBe(account.metadata?.uid);
    await client.create<Secret>(Kinds.Secret, tokenSecret("orphan-token", "nobody"));
    await wait("the orphan's end", async () => (await find(Kinds.Secret, "orphan-token")) === undefined);
    await client.delete(Kinds.ServiceAccount, at("reader"));
    await wait("the token's end", async () => (await find(Kinds.Secret, "reader-token")) === undefined);
  });
});

describe("the cluster DNS", () => {
  it("has its promised address, which no other Service can get", async () => {
    const where = { namespace: "kube-system", name: "kube-dns" };
    const look = () => client.get<Service>(Kinds.Service, where).catch(() => undefined);
    const dns = await wait("Service kube-dns", look);
    expect(dns.spec?.clusterIP).toBe("10.96.0.10");
    expect(dns.spec?.ports?.map(({ name, protocol, port }) => `${name} ${protocol} ${port}`)).toEqual([
      "dns UDP 53",
      "dns-tcp TCP 53",
    ]);
  });
});

describe("a Deployment", () => {
  it("is rolled out, replaces a lost pod, is updated, rolled back, scaled and removed", async () => {
    await client.create<Deployment>(Kinds.Deployment, deployment("web"));
    await wait(
      "both pods are bound",
      async () => (await list<Pod>(Kinds.Pod, "app=web")).filter((pod) => pod.spec?.nodeName === "n1").length === 2,
    );
    const first = await available("web", 2);
    expect(condition(first, "Available")).toMatchObject({ status: "True", reason: "MinimumReplicasAvailable" });
    await wait(
      "the rollout is told",
      async () =>
        condition((await find<Deployment>(Kinds.Deployment, "web")) ?? {}, "Progressing")?.reason ===
        "NewReplicaSetAvailable",
    );
    const [set] = await list<ReplicaSet>(Kinds.ReplicaSet, "app=web");
    const hash = set?.metadata?.labels?.["pod-template-hash"];
    const pods = await list<Pod>(Kinds.Pod, "app=web");
    expect(set?.metadata?.name).toBe(`web-${hash}`);
    for (const pod of pods) expect(pod.metadata?.name).toMatch(new RegExp(`^web-${hash}-.{5}$`));
    expect(new Set(pods.map((pod) => pod.metadata?.labels?.["pod-template-hash"]))).toEqual(new Set([hash]));

    await client.delete(Kinds.Pod, at(pods[0]?.metadata?.name ?? ""));
    await wait("a new pod", async () =>
      (await list<Pod>(Kinds.Pod, "app=web")).every((pod) => pod.metadata?.uid !== pods[0]?.metadata?.uid),
    );
    await available("web", 2);

    const image = (value: string) => ({
      spec: { template: { spec: { containers: [{ name: "app", image: value }] } } },
    });
    await client.patch(Kinds.Deployment, at("web"), image("app:2"), { type: "strategic" });
    const second = await available("web", 2);
    expect(second.metadata?.annotations?.["deployment.kubernetes.io/revision"]).toBe("2");
    expect((await list<Pod>(Kinds.Pod, "app=web")).map((pod) => pod.spec?.containers[0]?.image)).toEqual([
      "app:2",
      "app:2",
    ]);
    expect(await list<ReplicaSet>(Kinds.ReplicaSet, "app=web")).toHaveLength(2);
    await client.patch(Kinds.Deployment, at("web"), image("app:1"), { type: "strategic" });
    const third = await available("web", 2);
    expect(third.metadata?.annotations?.["deployment.kubernetes.io/revision"]).toBe("3");
    expect(await list<ReplicaSet>(Kinds.ReplicaSet, "app=web")).toHaveLength(2);

    await client.patch(Kinds.Deployment, at("web"), { spec: { replicas: 5 } }, { type: "merge" });
    await available("web", 5);
    await client.patch(Kinds.Deployment, at("web"), { spec: { replicas: 1 } }, { type: "merge" });
    await available("web", 1);
    await wait("surplus pods go", async () => (await list(Kinds.Pod, "app=web")).length === 1);
    await client.delete(Kinds.Deployment, at("web"), { propagationPolicy: "Background" });
    await wait(
      "all is gone",
      async () => (await list(Kinds.Pod, "app=web")).length + (await list(Kinds.ReplicaSet, "app=web")).length === 0,
    );
  });

  it("with strategy Recreate never has two versions at once", async () => {
    await client.create<Deployment>(Kinds.Deployment, deployment("solo", { strategy: { type: "Recreate" } }));
    await available("solo", 2);
    const versions = new Set<number>();
    const watching = (async () => {
      for await (const event of client.watch<Pod>(Kinds.Pod, {
        namespace: "sample",
        labelSelector: "app=solo",
        resourceVersion: "0",
        signal: stop.signal,
      })) {
        if (event.type === "ADDED")
          versions.add(
            new Set((await list<Pod>(Kinds.Pod, "app=solo")).map((pod) => pod.spec?.containers[0]?.image)).size,
          );
      }
    })().catch(() => {});
    await client.patch(
      Kinds.Deployment,
      at("solo"),
      { spec: { template: { spec: { containers: [{ name: "app", image: "app:2" }] } } } },
      { type: "strategic" },
    );
    await available("solo", 2);
    expect(Math.max(...versions)).toBe(1);
    await client.delete(Kinds.Deployment, at("solo"), { propagationPolicy: "Foreground" });
    await wait("it is gone last", async () => (await find(Kinds.Deployment, "solo")) === undefined);
    expect(await list(Kinds.ReplicaSet, "app=solo")).toEqual([]);
    void watching;
  });

  it("leaves its pods alive when it is orphaning them, and a new one adopts them", async () => {
    await client.create<Deployment>(Kinds.Deployment, deployment("kept", { replicas: 1 }));
    await available("kept", 1);
    const [pod] = await list<Pod>(Kinds.Pod, "app=kept");
    await client.delete(Kinds.Deployment, at("kept"), { propagationPolicy: "Orphan" });
    await wait("the deployment's end", async () => (await find(Kinds.Deployment, "kept")) === undefined);
    await client.create<Deployment>(Kinds.Deployment, deployment("kept", { replicas: 1 }));
    await available("kept", 1);
    expect((await list<Pod>(Kinds.Pod, "app=kept")).map((found) => found.metadata?.uid)).toEqual([pod?.metadata?.uid]);
  });
});

describe("an object owned by a custom resource", () => {
  it("goes when its owner goes, and stays while another owner is there", async () => {
    const crd = {
      metadata: { name: "owners.example.com" },
      spec: {
        group: "example.com",
        names: { kind: "Owner", plural: "owners", singular: "owner", listKind: "OwnerList" },
        scope: "Namespaced",
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    };
    await client.create(Kinds.CustomResourceDefinition, crd);
    const type = await wait("the kind", async () => {
      try {
        return await client.resourceType("example.com/v1", "Owner");
      } catch {
        return undefined;
      }
    });
    const owner = async (name: string) => {
      const { metadata: { uid = "" } = {} } = await client.create<KubeObject>(type, { metadata: metadata(name) });
      return { apiVersion: "example.com/v1", kind: "Owner", name, uid };
    };
    const [first, second] = [await owner("first"), await owner("second")];
    await client.create<ConfigMap>(Kinds.ConfigMap, { metadata: metadata("of-one", { ownerReferences: [first] }) });
    await client.create<ConfigMap>(Kinds.ConfigMap, {
      metadata: metadata("of-two", { ownerReferences: [first, second] }),
    });
    await client.delete(type, at("first"));
    await wait("the dependent's end", async () => (await find(Kinds.ConfigMap, "of-one")) === undefined);
    await wait(
      "one owner left",
      async () => (await find<ConfigMap>(Kinds.ConfigMap, "of-two"))?.metadata?.ownerReferences?.length === 1,
    );
    await client.delete(type, at("second"));
    await wait("the other's end", async () => (await find(Kinds.ConfigMap, "of-two")) === undefined);
  });
});

describe("a Service", () => {
  it("has endpoints that follow its pods, and a load balancer address that it keeps", async () => {
    hold.add("svc");
    await client.create<Service>(Kinds.Service, {
      metadata: metadata("svc"),
      spec: { type: "LoadBalancer", selector: { app: "svc" }, ports: [{ name: "http", port: 80, targetPort: "web" }] },
    });
    await client.create<Deployment>(Kinds.Deployment, deployment("svc", { replicas: 2 }));
    const slice = (reason: string, test: (slice: EndpointSlice) => boolean) =>
      wait(reason, async () =>
        (await list<EndpointSlice>(Kinds.EndpointSlice, "kubernetes.io/service-name=svc")).find(test),
      );
    await slice("an empty slice", ({ endpoints }) => (endpoints ?? []).length === 0);
    const addressed = await wait("an address", async () => {
      const found = await find<Service>(Kinds.Service, "svc");
      return found?.status?.loadBalancer?.ingress?.[0]?.ip !== undefined && found;
    });
    expect(addressed.status?.loadBalancer?.ingress).toEqual([{ ip: "172.30.0.100", ipMode: "VIP" }]);
    hold.delete("svc");
    for (const pod of await list<Pod>(Kinds.Pod, "app=svc"))
      await client.patch(
        Kinds.Pod,
        at(pod.metadata?.name ?? ""),
        { metadata: { labels: { touched: "yes" } } },
        { type: "merge" },
      );
    const full = await slice(
      "two ready endpoints",
      ({ endpoints }) => (endpoints ?? []).filter(({ conditions }) => conditions?.ready).length === 2,
    );
    expect(full.ports).toMatchObject([{ name: "http", port: 8080, protocol: "TCP" }]);
    expect(full.endpoints[0]).toMatchObject({ nodeName: "n1", zone: "z1", targetRef: { kind: "Pod" } });
    expect((await find<Endpoints>(Kinds.Endpoints, "svc"))?.subsets?.[0]?.addresses).toHaveLength(2);
    expect(await list(Kinds.EndpointSlice, "kubernetes.io/service-name=svc")).toHaveLength(1);

    const balancer = (name: string, loadBalancerIP?: string): Service => ({
      metadata: metadata(name),
      spec: {
        type: "LoadBalancer",
        ports: [{ port: 80 }],
        ...(loadBalancerIP === undefined ? {} : { loadBalancerIP }),
      },
    });
    const ip = async (name: string) =>
      (await find<Service>(Kinds.Service, name))?.status?.loadBalancer?.ingress?.[0]?.ip;
    await client.create(Kinds.Service, balancer("second", "172.30.0.101"));
    await wait("the wish", async () => (await ip("second")) === "172.30.0.101");
    await client.create(Kinds.Service, balancer("third"));
    await wait("an event", async () =>
      (await list<KubeObject & { reason?: string; involvedObject?: { name?: string } }>(Kinds.Event)).some(
        (event) => event.reason === "SyncLoadBalancerFailed" && event.involvedObject?.name === "third",
      ),
    );
    await client.delete(Kinds.Service, at("second"));
    await wait("the freed address", async () => (await ip("third")) === "172.30.0.101");

    await client.delete(Kinds.Service, at("svc"));
    await wait(
      "endpoints go with it",
      async () =>
        (await list(Kinds.EndpointSlice, "kubernetes.io/service-name=svc")).length === 0 &&
        (await find(Kinds.Endpoints, "svc")) === undefined,
    );
  });
});

describe("the scheduler", () => {
  it("says why a pod fits nowhere, and binds it when a node comes that it fits on", async () => {
    await client.create<Pod>(Kinds.Pod, {
      metadata: metadata("picky"),
      spec: { nodeSelector: { disk: "ssd" }, containers: [{ name: "app", image: "app:1" }] },
    });
    const told = await wait("the reason", async () =>
      (await find<Pod>(Kinds.Pod, "picky"))?.status?.conditions?.find(
        ({ type, status }) => type === "PodScheduled" && status === "False",
      ),
    );
    expect(told).toMatchObject({
      reason: "Unschedulable",
      message: expect.stringContaining("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."),
    });
    await client.patch(Kinds.Node, { name: "n1" }, { metadata: { labels: { disk: "ssd" } } }, { type: "merge" });
    await wait("the binding", async () => (await find<Pod>(Kinds.Pod, "picky"))?.spec?.nodeName === "n1");
  });
});

describe("a node that falls silent", () => {
  it("is said to be unknown after 40 s and its pods not ready; a renewed lease within them keeps it", async () => {
    const clock = new ManualClock(Date.now());
    const shared = { client, clock, logger };
    const caches = createObjectCaches(shared);
    const context = { ...shared, caches, indexes: createIndexes(caches), events: createEventRecorder(shared) };
    const end = new AbortController();
    const running = runAll([createNodeLifecycleController(context), runCaches(caches)], end.signal, logger);
    const ready = { conditions: [{ type: "Ready", status: "True" }] };
    const status = async () => (await find<Node>(Kinds.Node, "n2"))?.status?.conditions?.[0]?.status;
    await client.create<Node>(Kinds.Node, { metadata: { name: "n2" }, spec: { unschedulable: true } });
    await client.patch(Kinds.Node, { name: "n2", subresource: "status" }, { status: ready }, { type: "merge" });
    const lease = { metadata: { namespace: "kube-node-lease", name: "n2" }, spec: { holderIdentity: "n2" } };
    await client.create<Lease>(Kinds.Lease, lease);
    await client.create<Pod>(Kinds.Pod, {
      metadata: metadata("silent"),
      spec: { nodeName: "n2", containers: [{ name: "app", image: "app:1" }] },
    });
    const podReady = async () =>
      (await find<Pod>(Kinds.Pod, "silent"))?.status?.conditions?.find(({ type }) => type === "Ready")?.status;
    await wait(
      "the pod is ready",
      async () => (await podReady()) === "True" && caches.leases.get("kube-node-lease", "n2") !== undefined,
    );
    clock.advance(39_000);
    const renewed = await client.patch<Lease>(
      Kinds.Lease,
      { namespace: "kube-node-lease", name: "n2" },
      { spec: { leaseTransitions: 1 } },
      { type: "merge" },
    );
    await wait(
      "the renewal is seen",
      async () =>
        caches.leases.get("kube-node-lease", "n2")?.metadata?.resourceVersion === renewed.metadata?.resourceVersion,
    );
    clock.advance(39_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await status()).toBe("True");
    clock.advance(1_500);
    await wait("the node is unknown", async () => (await status()) === "Unknown");
    await wait("its pod is not ready", async () => (await podReady()) === "False");
    // The other node never had a lease. A look 38 s too late says nothing of it, only that nobody looked: it has as
    // long again. Its own word brings it back.
    expect((await find<Node>(Kinds.Node, "n1"))?.status?.conditions?.[0]?.status).toBe("True");
    clock.advance(40_000);
    await wait(
      "n1 is unknown too",
      async () => (await find<Node>(Kinds.Node, "n1"))?.status?.conditions?.[0]?.status === "Unknown",
    );
    end.abort();
    await running;
    await client.patch(Kinds.Node, { name: "n1", subresource: "status" }, { status: ready }, { type: "merge" });
    await client.delete(Kinds.Node, { name: "n2" });
    await wait("pods of a deleted node go", async () => (await find(Kinds.Pod, "silent")) === undefined);
  });
});

describe("a quota", () => {
  it("tells what is used, refuses what is beyond it, and counts again when something goes", async () => {
    const namespace = "limited";
    const quotas: ResourceType = {
      group: "",
      version: "v1",
      kind: "ResourceQuota",
      plural: "resourcequotas",
      namespaced: true,
    };
    type Quota = KubeObject & { spec?: object; status?: { used?: Record<string, string> } };
    await client.create<Namespace>(Kinds.Namespace, { metadata: { name: namespace } });
    const map = (name: string) =>
      client.create<ConfigMap>(Kinds.ConfigMap, { metadata: { namespace, name }, data: {} });
    await map("before");
    const spec = { hard: { "count/configmaps": "3", "count/leases.coordination.k8s.io": "1" } };
    await client.create<Quota>(quotas, { metadata: { namespace, name: "q" }, spec });
    const used = (name: string, count: string) =>
      until(async () => (await find<Quota>(quotas, "q", namespace))?.status?.used?.[name] === count, {
        reason: `${count} of ${name}`,
        timeoutMs: 60_000,
        intervalMs: 10,
      });
    await used("count/leases.coordination.k8s.io", "0");
    const refused = (name: string) =>
      map(name).then(
        () => undefined,
        (thrown: Error) => thrown.message,
      );
    const made: string[] = [];
    const beyond = await until(
      async () => {
        const name = `m${made.length}`;
        made.push(name);
        return refused(name);
      },
      { reason: "the quota is used up", timeoutMs: 60_000, intervalMs: 10 },
    );
    expect(beyond).toContain("is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=");
    for (const name of ["before", ...made]) {
      if (await find(Kinds.ConfigMap, name, namespace)) await client.delete(Kinds.ConfigMap, { namespace, name });
    }
    await until(async () => (await refused("after")) === undefined, {
      reason: "room for another one",
      timeoutMs: 60_000,
      intervalMs: 20,
    });
  });
});

describe("a namespace", () => {
  it("is emptied and goes", async () => {
    await client.create<Namespace>(Kinds.Namespace, { metadata: { name: "short" } });
    await client.create<ConfigMap>(Kinds.ConfigMap, { metadata: { namespace: "short", name: "a" }, data: {} });
    const there = { ...deployment("web"), metadata: { namespace: "short", name: "web" } };
    await client.create<Deployment>(Kinds.Deployment, there);
    await wait("a pod", async () =>
      (await client.list<Pod>(Kinds.Pod, { namespace: "short" })).items.some((pod) => pod.status?.podIP),
    );
    await client.delete(Kinds.Namespace, { name: "short" });
    await wait("its end", async () => (await find(Kinds.Namespace, "short")) === undefined);
    expect((await client.list(Kinds.ConfigMap, { namespace: "short" })).items).toEqual([]);
  });
});
