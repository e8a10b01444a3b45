// What the mesh lives on goes away or is spoilt under load: root ConfigMaps, tokens, certificates, the control plane
// while pods start. All of it is mended without a person, and no call fails.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { coverFolder, viewContainer } from "../../kit/container-processes.ts";
import { bootMeshUnderLoad, type MeshUnderLoad } from "../../kit/mesh-under-load.ts";
import { whyNoPlayground } from "../../kit/playground.ts";

const ROOT_MAP = ["configmap", "istio-ca-root-cert", "-n", "sample"];

describe.skipIf(whyNoPlayground())("mended without a person, under load", () => {
  let mesh: MeshUnderLoad;
  const kubectl = (...args: string[]) => mesh.playground.ok("kubectl", ["--context", "cluster1", ...args]);
  const istioctl = (...args: string[]) => mesh.playground.ok("istioctl", [...args, "--context", "cluster1"]);
  const waits = (reason: string, timeoutMs = 60_000) => ({ reason, timeoutMs, intervalMs: 200 });
  const rootOf = async () => {
    const { exitCode, stdout } = await mesh.playground.run("kubectl", [
      "--context",
      "cluster1",
      "get",
      ...ROOT_MAP,
      "-o",
      "jsonpath={.data.root-cert\\.pem}",
    ]);
    return exitCode === 0 ? stdout : undefined;
  };
  /** Names of the proxies that cluster1's control plane serves. */
  const proxies = async () => {
    const { exitCode, stdout } = await mesh.playground.run("istioctl", [
      "proxy-status",
      "-o",
      "json",
      "--context",
      "cluster1",
    ]);
    return exitCode === 0
      ? JSON.parse(stdout)
          .map(({ proxy }: { proxy: string }) => proxy)
          .sort()
      : [];
  };
  const readyPods = async (app: string) => {
    const text = await kubectl("get", "pods", "-n", "sample", "-l", `app=${app}`, "--no-headers");
    return text.split("\n").filter((line) => /\s2\/2\s+Running\s/.test(line)).length;
  };

  beforeAll(async () => {
    mesh = await bootMeshUnderLoad();
  });
  afterAll(() => mesh?.end("Mended without a person"));

  test.each([
    ["root ConfigMap edited", ["patch", ...ROOT_MAP, "-p", '{"data":{"root-cert.pem":"no certificate"}}']],
    ["root ConfigMap deleted", ["delete", ...ROOT_MAP]],
  ])("%s", async (title, command) => {
    const good = await rootOf();
    expect(good).toContain("BEGIN CERTIFICATE");
    const result = await mesh.tryCase(title, {
      fail: () => kubectl(...command),
      healed: () => until(async () => (await rootOf()) === good, waits("the root is as it was")),
    });
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
  });

  test("certificates that live for seconds are renewed without a failed call", async () => {
    const annotation = { "proxy.istio.io/config": JSON.stringify({ proxyMetadata: { SECRET_TTL: "8s" } }) };
    const patch = JSON.stringify({ spec: { template: { metadata: { annotations: annotation } } } });
    await kubectl("patch", "deploy/helloworld-v1", "-n", "sample", "-p", patch);
    await kubectl("rollout", "status", "deploy/helloworld-v1", "-n", "sample", "--timeout=110s");
    await until(
      async () =>
        (await kubectl("get", "pods", "-n", "sample", "-l", "version=v1", "-o", "name")).trim().split("\n").length ===
        1,
      waits("the old pod is gone"),
    );
    const serials = new Set<string>();
    const result = await mesh.tryCase("helloworld-v1's certificate renewed twice", {
      fail: async () => undefined,
      healed: () =>
        until(async () => {
          const text = await istioctl("proxy-config", "secret", "deploy/helloworld-v1", "-n", "sample");
          serials.add(/^default\s.*?\s([0-9a-f]{16,})\s/m.exec(text)?.[1] ?? `none in ${text}`);
          return serials.size >= 3;
        }, waits("the certificate was renewed twice")),
    });
    expect([...serials].filter((serial) => serial.startsWith("none"))).toEqual([]);
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
  });

  test("a spoilt token keeps a proxy from the control plane only until a good one is there", async () => {
    const place = { context: "cluster1", namespace: "sample", selector: "app=sleep", container: "istio-proxy" };
    const [folder, token] = ["/var/run/secrets/tokens", "/var/run/secrets/tokens/istio-token"];
    const inside = (script: string) =>
      kubectl("exec", "-n", "sample", "deploy/sleep", "-c", place.container, "--", "sh", "-c", script);
    expect(await inside(`cat ${token}`)).toMatch(/^ey/);
    const proxy = `${(await viewContainer(mesh.playground, place))?.pod}.sample`;
    expect(await proxies()).toContain(proxy);
    let restore = () => {};
    const result = await mesh.tryCase("token of a proxy spoilt, then renewed", {
      fail: async () => {
        restore = await coverFolder(mesh.playground, place, folder);
        await inside(`echo spoilt > ${token}`);
        await kubectl("rollout", "restart", "deploy/istiod", "-n", "istio-system");
        await kubectl("rollout", "status", "deploy/istiod", "-n", "istio-system", "--timeout=110s");
        await until(async () => (await proxies()).length >= 4, waits("the other proxies are back"));
        expect(await proxies()).not.toContain(proxy);
      },
      healed: async () => {
        restore();
        expect(await inside(`cat ${token}`)).toMatch(/^ey/);
        await until(async () => (await proxies()).includes(proxy), waits("the proxy is back"));
      },
    });
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
  });

  test("a pod that starts while the control plane is away comes when it is back", async () => {
    const result = await mesh.tryCase("control plane away while a pod starts", {
      fail: async () => {
        await kubectl("scale", "deploy/istiod", "-n", "istio-system", "--replicas=0");
        await until(
          async () => (await kubectl("get", "pods", "-n", "istio-system", "-l", "app=istiod", "-o", "name")) === "",
          waits("the control plane is gone"),
        );
        await kubectl("rollout", "restart", "deploy/sleep", "-n", "sample");
        await until(
          async () => (await kubectl("get", "events", "-n", "sample")).includes("failed calling webhook"),
          waits("the pod's creation failed for want of the webhook"),
        );
      },
      healed: async () => {
        await kubectl("scale", "deploy/istiod", "-n", "istio-system", "--replicas=1");
        await kubectl("rollout", "status", "deploy/sleep", "-n", "sample", "--timeout=110s");
        await until(
          async () => (await readyPods("sleep")) === 1,
          waits("the new pod has a proxy and is ready", 60_000),
        );
      },
    });
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
  });
});
