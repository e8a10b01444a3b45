// The guide on real nodes: kubelet, containerd, runc and kube-proxy run pods of our images. The programs are built and
// fetched before the tests, see tools/test.mjs.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { findCgroupFolders } from "#playground/kubelet-node/cgroup-folders";
import { cgroupPrefix } from "#playground/lifecycle/caretaker";
import type { PlaygroundStatus } from "#playground/lifecycle/playground-status";
import { expectPromise, expectProxiesAccept } from "../../kit/guide-promise.ts";
import { bootPlayground, GUIDE, type TestPlayground, whyNoRealNodes } from "../../kit/playground.ts";
import { familyOf, inNamespace, type Traces, tracesOf, untilGone } from "../playground/stub-playground.ts";

const CALLS = 200;
const GONE_MS = 60_000;
const REAL = { engine: "kubernetes", nodes: "kubelet" } as const;
const reason = whyNoRealNodes();
if (reason !== undefined) console.warn(`the guide on real nodes is skipped: ${reason}`);

const commandOf = (pid: string) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
};
const running = ({ status }: TestPlayground, pattern: RegExp) =>
  familyOf(status.guard?.pid ?? 0).filter((pid) => pattern.test(commandOf(pid)));

/** One cluster is enough to die, and comes up in half the time. */
function writeTopology(folder: string): string {
  const file = join(folder, "topology.yaml");
  const ranges = "podCIDR: 10.244.0.0/16, serviceCIDR: 10.96.0.0/16, region: region1, zone: zone1";
  writeFileSync(file, `clusters: [{ name: alone, network: network1, ${ranges} }]\n`);
  return file;
}

/** Cgroup folders are removed from outside a moment after the last process: the kernel does not do it. */
async function expectNothingLeft(traces: Traces): Promise<void> {
  await untilGone(traces, GONE_MS);
  const folders = () => findCgroupFolders(cgroupPrefix(traces));
  await until(() => folders().length === 0, { reason: "no cgroup folder is left", timeoutMs: GONE_MS });
}

describe.skipIf(reason)("the guide on real nodes", () => {
  let playground: TestPlayground;
  const kubectl = (context: string, ...args: string[]) => playground.ok("kubectl", ["--context", context, ...args]);
  const jsonOf = async (context: string, ...args: string[]) =>
    JSON.parse(await kubectl(context, "get", ...args, "-o", "json"));

  beforeAll(async () => {
    playground = await bootPlayground(REAL);
  });
  afterAll(() => playground?.down());

  test("every command succeeds", async () => {
    expect(await playground.page(GUIDE)).toBe(25);
  });

  test(`${CALLS} calls from each cluster reach both versions evenly, without an error`, async () => {
    await expectPromise(playground, CALLS);
  });

  test("every proxy has accepted what it was sent", async () => {
    await expectProxiesAccept(playground);
  });

  test("the nodes are a kubelet's, and the cluster DNS is an ordinary pod", async () => {
    for (const { name, region, zone } of playground.status.clusters) {
      const [node] = (await jsonOf(name, "nodes")).items;
      expect(node.status.nodeInfo.kubeletVersion).toMatch(/^v1\.\d+\.\d+$/);
      expect(node.status.nodeInfo.containerRuntimeVersion).toMatch(/^containerd:\/\//);
      const where = { "topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone };
      expect(node.metadata.labels).toMatchObject(where);
      const [dns] = (await jsonOf(name, "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns")).items;
      expect(dns.status.phase).toBe("Running");
    }
    expect(running(playground, /containerd-shim-runc-v2/).length).toBeGreaterThanOrEqual(10);
  });

  test("init containers redirect what real pods send and get: STRICT refuses plain text", async () => {
    await kubectl("cluster1", "create", "namespace", "outside");
    // Without a tag an image is always pulled: the node answers from the images it has.
    await kubectl("cluster1", "-n", "outside", "run", "stranger", "--image=curlimages/curl");
    await kubectl("cluster1", "-n", "outside", "wait", "--for=condition=Ready", "pod/stranger", "--timeout=60s");
    const [pod] = (await jsonOf("cluster1", "pods", "-n", "sample", "-l", "app=helloworld")).items;
    const [init] = pod.status.initContainerStatuses;
    expect(init).toMatchObject({ name: "istio-init", state: { terminated: { exitCode: 0 } } });
    // To the pod itself: no name, no service, no proxy of the caller's.
    const curl = ["curl", "-sS", "-m", "10", `http://${pod.status.podIP}:5000/hello`];
    const call = () =>
      playground.run("kubectl", ["--context", "cluster1", "-n", "outside", "exec", "stranger", "--", ...curl]);
    expect((await call()).stdout).toContain("Hello version: v1");
    const strict = { kind: "PeerAuthentication", metadata: { name: "default", namespace: "sample" } };
    const policy = { apiVersion: "security.istio.io/v1", ...strict, spec: { mtls: { mode: "STRICT" } } };
    await playground.ok("kubectl", ["--context", "cluster1", "apply", "-f", "-"], { input: JSON.stringify(policy) });
    const refused = async () => /reset by peer/.test((await call()).stderr);
    await until(refused, { reason: "the proxy refuses plain text", timeoutMs: 60_000, intervalMs: 200 });
    await expectPromise(playground, 20);
  });

  test("lets a stranger on the outer segment in by the gateway's address only", async () => {
    const { status } = playground;
    const outer = status.outer?.cidr.replace(/\.0\/.*/, "") ?? "";
    const [pod] = (await jsonOf("cluster1", "pods", "-n", "sample", "-l", "app=helloworld")).items;
    const service = await jsonOf("cluster1", "service", "-n", "sample", "helloworld");
    const gateway = await jsonOf("cluster1", "service", "-n", "istio-system", "istio-eastwestgateway");
    const node = status.clusters[0]?.address ?? "";
    inNamespace(
      status,
      "pub",
      `ip netns add stranger
       ip link add ns type veth peer name eth0 netns stranger; ip link set ns master br0 up
       ip -n stranger addr add ${outer}.200/24 dev eth0; ip -n stranger link set eth0 up; ip -n stranger link set lo up
       ip -n stranger route add 10.244.0.0/16 via ${node}; ip -n stranger route add 10.96.0.0/16 via ${node}`,
    );
    const dial = (ip: string, port: number) =>
      inNamespace(
        status,
        "stranger",
        `timeout 20 bash -c 'exec 3<>/dev/tcp/${ip}/${port}' 2>&1 && echo open || echo closed`,
      );
    expect(dial(gateway.status.loadBalancer.ingress[0].ip, 15443)).toContain("open");
    for (const [ip, port] of [
      [pod.status.podIP, 5000],
      [service.spec.clusterIP, 5000],
    ]) {
      expect(dial(ip, port)).toMatch(/unreachable|refused/);
      // The control: it is the network's rule that refuses, not the lack of a way.
      inNamespace(status, "node-cluster1", "iptables -w -D FORWARD -j PLAYGROUND-FORWARD");
      try {
        expect(dial(ip, port)).toContain("open");
      } finally {
        inNamespace(status, "node-cluster1", "iptables -w -I FORWARD 1 -j PLAYGROUND-FORWARD");
      }
    }
  });

  test("goes down without a trace", async () => {
    const traces = tracesOf(playground.status);
    expect(traces.netNamespaces.length).toBeGreaterThanOrEqual(10);
    expect(findCgroupFolders(cgroupPrefix(traces)).length).toBeGreaterThanOrEqual(2);
    await playground.ok("isthmus", ["playground", "down", "--name", playground.name]);
    await expectNothingLeft(traces);
  });
});

describe.skipIf(reason)("the death of a real node", () => {
  test("takes the playground along, which says what ended and leaves nothing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-topology-"));
    const playground = await bootPlayground({ ...REAL, flags: ["--topology", writeTopology(folder)] });
    try {
      const traces = tracesOf(playground.status);
      const [victim = ""] = running(playground, /^containerd --config/);
      process.kill(Number(victim), "SIGKILL");
      await expectNothingLeft(traces);
      const look = async (): Promise<PlaygroundStatus> =>
        JSON.parse(
          (await playground.run("isthmus", ["playground", "status", "--name", playground.name, "-o", "json"])).stdout,
        );
      const failed = async () => {
        const status = await look();
        return status.phase === "failed" && status;
      };
      const status = await until(failed, { reason: "the playground says that it failed", timeoutMs: GONE_MS });
      expect(status.logTail?.join("\n")).toMatch(/containerd of alone was killed by SIGKILL/);
    } finally {
      await playground.down();
      rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    }
  });
});
