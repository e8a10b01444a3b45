// A remote secret is what shares a cluster. Without it the other side has none of that cluster's endpoints; with it again
// it has; and a new value takes over before the old one goes.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { bootMeshUnderLoad, type MeshUnderLoad } from "../../kit/mesh-under-load.ts";
import { whyNoPlayground } from "../../kit/playground.ts";

const CLUSTER = "outbound|5000||helloworld.sample.svc.cluster.local";
const SECRET = "istio-remote-secret-cluster2";

describe.skipIf(whyNoPlayground())("the remote secret of cluster2 in cluster1", () => {
  let mesh: MeshUnderLoad;
  const istioctl = (...args: string[]) => mesh.playground.ok("istioctl", args);
  const kubectl = (args: string[], input?: string) =>
    mesh.playground.ok(
      "kubectl",
      ["--context", "cluster1", "-n", "istio-system", ...args],
      input === undefined ? {} : { input },
    );

  /** Addresses of helloworld that the sidecar of cluster1's calling client has. */
  async function endpoints(): Promise<string[]> {
    const text = await istioctl(
      "proxy-config",
      "endpoint",
      "deploy/load",
      "-n",
      "sample",
      "--context",
      "cluster1",
      "--cluster",
      CLUSTER,
    );
    return text
      .split("\n")
      .slice(1)
      .flatMap((line) => line.split(/\s+/)[0] || []);
  }
  const remoteEndpoints = async () => (await endpoints()).filter((address) => address.endsWith(":15443"));
  const remoteClusters = () => istioctl("remote-clusters", "--context", "cluster1");
  const waits = (reason: string) => ({ reason, timeoutMs: 60_000, intervalMs: 200 });
  /** What create-remote-secret prints now: each time a token of its own. */
  const newSecret = () => istioctl("create-remote-secret", "--context", "cluster2", "--name", "cluster2");
  const since = async (at: number) => (await mesh.load.calls(at)).filter(({ context }) => context === "cluster1");

  beforeAll(async () => {
    mesh = await bootMeshUnderLoad();
  });
  afterAll(() => mesh?.end("The remote secret"));

  test("shares cluster2 as it stands", async () => {
    expect(await remoteClusters()).toMatch(/^cluster2\s.*\bsynced\b/m);
    expect(await remoteEndpoints()).toHaveLength(1);
    expect(await endpoints()).toHaveLength(2);
  });

  test("deleted: no endpoint of cluster2 any more, the local version answers, no call fails", async () => {
    let gone = 0;
    const result = await mesh.tryCase(
      "remote secret deleted",
      {
        fail: () => kubectl(["delete", "secret", SECRET]),
        healed: async () => {
          await until(async () => (await remoteEndpoints()).length === 0, waits("no endpoint of cluster2 is left"));
          gone = Date.now();
        },
      },
      { cluster1: ["v1"], cluster2: ["v1", "v2"] },
    );
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
    expect(await endpoints()).toHaveLength(1);
    expect(await remoteClusters()).not.toMatch(/^cluster2\s/m);
    await mesh.untilCalls(50, gone);
    const versions = new Set((await since(gone)).map(({ version }) => version));
    expect([...versions]).toEqual(["v1"]);
  });

  test("added again: cluster2 is back, no call fails", async () => {
    const secret = await newSecret();
    const result = await mesh.tryCase("remote secret added again", {
      fail: () => kubectl(["apply", "-f", "-"], secret),
      healed: () => until(async () => (await remoteEndpoints()).length === 1, waits("cluster2 is back")),
    });
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
    expect(await remoteClusters()).toMatch(/^cluster2\s.*\bsynced\b/m);
  });

  test("a new value takes over without a gap: neither a call fails nor do endpoints go", async () => {
    const secret = JSON.parse(await kubectl(["get", "secret", SECRET, "-o", "json"]));
    const kubeconfig = Buffer.from(secret.data.cluster2, "base64").toString();
    const { token } = JSON.parse(
      await mesh.playground.ok(
        "kubectl",
        [
          "create",
          "--raw",
          "/api/v1/namespaces/istio-system/serviceaccounts/istio-reader-service-account/token",
          "-f",
          "-",
          "--context",
          "cluster2",
        ],
        {
          input: JSON.stringify({
            apiVersion: "authentication.k8s.io/v1",
            kind: "TokenRequest",
            spec: { audiences: [] },
          }),
        },
      ),
    ).status;
    const changed = kubeconfig.replace(/token: .*/, `token: ${token}`);
    expect(changed).not.toBe(kubeconfig);
    const seen: number[] = [];
    const changedAt = Date.now();
    const result = await mesh.tryCase("remote secret with a new token", {
      fail: () => kubectl(["patch", "secret", SECRET, "-p", JSON.stringify({ stringData: { cluster2: changed } })]),
      healed: async () => {
        while (Date.now() - changedAt < 4000) seen.push((await remoteEndpoints()).length);
      },
    });
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
    expect(new Set(seen)).toEqual(new Set([1]));
    // What the new token sees arrives: the old watch is not what keeps it alive.
    await mesh.playground.ok("kubectl", [
      "scale",
      "deploy/helloworld-v2",
      "--replicas=0",
      "--context",
      "cluster2",
      "-n",
      "sample",
    ]);
    await until(async () => (await remoteEndpoints()).length === 0, waits("the pod that was scaled away is gone"));
    await mesh.playground.ok("kubectl", [
      "scale",
      "deploy/helloworld-v2",
      "--replicas=1",
      "--context",
      "cluster2",
      "-n",
      "sample",
    ]);
    await until(async () => (await remoteEndpoints()).length === 1, waits("the new pod is there"));
  });

  test("an unusable value is refused and told; what was there stays", async () => {
    const before = (await kubectl(["get", "secret", SECRET, "-o", "jsonpath={.data.cluster2}"])).trim();
    const result = await mesh.tryCase("remote secret with an unusable value", {
      fail: () =>
        kubectl(["patch", "secret", SECRET, "-p", JSON.stringify({ stringData: { cluster2: "no: kubeconfig" } })]),
      healed: () =>
        until(
          async () => (await remoteClusters()).includes("the former value of the secret stays in use"),
          waits("remote-clusters tells of it"),
        ),
    });
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
    expect(await remoteEndpoints()).toHaveLength(1);
    await kubectl(["patch", "secret", SECRET, "-p", JSON.stringify({ data: { cluster2: before } })]);
    await until(
      async () => !(await remoteClusters()).includes("the former value of the secret stays in use"),
      waits("the good value is taken"),
    );
  });
});
