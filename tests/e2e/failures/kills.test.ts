// Each part of the mesh is killed once while both clusters' clients call; it comes back by itself, and the calls that
// failed are counted.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#base/clock";
import { type ContainerPlace, killInContainer, restarted, viewContainer } from "../../kit/container-processes.ts";
import { childNamed } from "../../kit/host-processes.ts";
import { bootMeshUnderLoad, CONTEXTS, type MeshUnderLoad } from "../../kit/mesh-under-load.ts";
import { whyNoPlayground } from "../../kit/playground.ts";

interface Kill extends ContainerPlace {
  readonly title: string;
  readonly program: "first process" | "envoy";
  /** Calls that may fail. */
  readonly atMost: number;
}

const system = (context: string, app: string, container: string): ContainerPlace => ({
  context,
  namespace: "istio-system",
  selector: `app=${app}`,
  container,
});
const sample = (context: string, app: string, container: string): ContainerPlace => ({
  ...system(context, app, container),
  namespace: "sample",
});

const STOPPED_MS = 5000;

const KILLS: readonly Kill[] = [
  {
    title: "control plane, cluster1",
    ...system("cluster1", "istiod", "discovery"),
    program: "first process",
    atMost: 0,
  },
  {
    title: "control plane, cluster2",
    ...system("cluster2", "istiod", "discovery"),
    program: "first process",
    atMost: 0,
  },
  {
    title: "ingress gateway, cluster1",
    ...system("cluster1", "istio-ingressgateway", "istio-proxy"),
    program: "first process",
    atMost: 0,
  },
  {
    title: "ingress gateway, cluster2",
    ...system("cluster2", "istio-ingressgateway", "istio-proxy"),
    program: "first process",
    atMost: 0,
  },
  {
    title: "east-west gateway's Envoy, cluster2",
    ...system("cluster2", "istio-eastwestgateway", "istio-proxy"),
    program: "envoy",
    atMost: 5,
  },
  {
    title: "east-west gateway's agent, cluster1",
    ...system("cluster1", "istio-eastwestgateway", "istio-proxy"),
    program: "first process",
    atMost: 5,
  },
  {
    title: "east-west gateway's agent, cluster2, its second restart",
    ...system("cluster2", "istio-eastwestgateway", "istio-proxy"),
    program: "first process",
    atMost: 5,
  },
  {
    title: "east-west gateway's Envoy, cluster1, a second time: 10 s back-off",
    ...system("cluster1", "istio-eastwestgateway", "istio-proxy"),
    program: "envoy",
    atMost: 5,
  },
  {
    title: "helloworld's sidecar: agent, cluster1",
    ...sample("cluster1", "helloworld", "istio-proxy"),
    program: "first process",
    atMost: 5,
  },
  {
    title: "helloworld's sidecar: Envoy, cluster2",
    ...sample("cluster2", "helloworld", "istio-proxy"),
    program: "envoy",
    atMost: 5,
  },
  {
    title: "helloworld's sidecar: agent, cluster2, its second restart",
    ...sample("cluster2", "helloworld", "istio-proxy"),
    program: "first process",
    atMost: 5,
  },
  {
    title: "sleep's sidecar: agent, cluster1",
    ...sample("cluster1", "sleep", "istio-proxy"),
    program: "first process",
    atMost: 0,
  },
  {
    title: "sleep's sidecar: agent, cluster2",
    ...sample("cluster2", "sleep", "istio-proxy"),
    program: "first process",
    atMost: 0,
  },
  {
    title: "helloworld, cluster1",
    ...sample("cluster1", "helloworld", "helloworld"),
    program: "first process",
    atMost: 20,
  },
  {
    title: "the client's own sidecar, cluster2",
    ...sample("cluster2", "load", "istio-proxy"),
    program: "envoy",
    atMost: 60,
  },
];

describe.skipIf(whyNoPlayground())("killed once under load", () => {
  let mesh: MeshUnderLoad;
  let addresses: string[];
  const gatewayAddress = (context: string) => {
    const ip = "jsonpath={.status.loadBalancer.ingress[0].ip}";
    const args = ["get", "service", "istio-eastwestgateway", "-n", "istio-system", "--context", context, "-o", ip];
    return mesh.playground.ok("kubectl", args);
  };
  beforeAll(async () => {
    mesh = await bootMeshUnderLoad();
    addresses = await Promise.all(CONTEXTS.map(gatewayAddress));
    expect(addresses.every((address) => address !== "")).toBe(true);
  });
  afterAll(() => mesh?.end("Killed with SIGKILL"));

  for (const kill of KILLS) {
    test(kill.title, async () => {
      let before: Awaited<ReturnType<typeof killInContainer>> | undefined;
      const result = await mesh.tryCase(kill.title, {
        fail: async () => {
          before = await killInContainer(mesh.playground, kill, kill.program);
        },
        healed: async () => before && restarted(mesh.playground, kill, before),
      });
      expect(result.calls).toBeGreaterThan(40);
      expect(result.failed, JSON.stringify(result.errors)).toBeLessThanOrEqual(kill.atMost);
      // The agent ends with its Envoy's code, which is how Kubernetes learns what happened.
      if (kill.program === "envoy") expect((await viewContainer(mesh.playground, kill))?.lastExitCode).toBe(137);
    });
  }

  test("API server, cluster2, not answering for 5 s", async () => {
    const { clusters, engine } = mesh.playground.status;
    const control = clusters.find(({ context }) => context === "cluster2")?.pids.cluster ?? 0;
    // Ours is one process, a release's API server one of several.
    const pid = engine === "embedded" ? control : childNamed(control, "kube-apiserver");
    const stoppedAt = Date.now();
    const result = await mesh.tryCase("API server, cluster2, stopped for 5 s", {
      fail: async () => {
        process.kill(pid, "SIGSTOP");
        try {
          await systemClock.sleep(STOPPED_MS);
        } finally {
          process.kill(pid, "SIGCONT");
        }
      },
      healed: async () => undefined,
    });
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
    // What cluster1 learned of cluster2 stays, for a control plane that hears nothing cannot know better.
    const meanwhile = (await mesh.load.calls(stoppedAt)).filter(
      ({ context, at }) => context === "cluster1" && at < stoppedAt + STOPPED_MS,
    );
    const remote = meanwhile.filter(({ version }) => version === "v2").length;
    expect(remote).toBeGreaterThan(meanwhile.length / 4);
  });

  test("the gateways have kept their addresses", async () => {
    expect(await Promise.all(CONTEXTS.map(gatewayAddress))).toEqual(addresses);
  });

  test("afterwards every proxy is connected and has what it was sent", async () => {
    for (const context of CONTEXTS) {
      const status = JSON.parse(
        await mesh.playground.ok("istioctl", ["proxy-status", "--context", context, "-o", "json"]),
      );
      // Two gateways, helloworld, sleep and the load.
      expect(status).toHaveLength(5);
      for (const entry of status) expect([entry.proxy, entry.rejected]).toEqual([entry.proxy, undefined]);
    }
  });
});
