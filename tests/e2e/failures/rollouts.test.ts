// What people do on purpose under load: restarting and scaling must cost nobody a call.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { bootMeshUnderLoad, type MeshUnderLoad } from "../../kit/mesh-under-load.ts";
import { whyNoPlayground } from "../../kit/playground.ts";

interface Target {
  readonly title: string;
  readonly context: "cluster1" | "cluster2";
  readonly namespace: string;
  readonly deployment: string;
  /** Label `app` of its pods. */
  readonly app: string;
}

const ROLLOUTS: readonly Target[] = [
  {
    title: "rollout restart of helloworld-v1, cluster1",
    context: "cluster1",
    namespace: "sample",
    deployment: "helloworld-v1",
    app: "helloworld",
  },
  {
    title: "rollout restart of the control plane, cluster1",
    context: "cluster1",
    namespace: "istio-system",
    deployment: "istiod",
    app: "istiod",
  },
];

const GATEWAY: Target = {
  title: "rollout restart of the east-west gateway, cluster2",
  context: "cluster2",
  namespace: "istio-system",
  deployment: "istio-eastwestgateway",
  app: "istio-eastwestgateway",
};

/** Calls of one client by which a share is judged. */
const CALLS = 200;

describe.skipIf(whyNoPlayground())("on purpose, under load", () => {
  let mesh: MeshUnderLoad;
  const kubectl = ({ context, namespace }: Pick<Target, "context" | "namespace">, ...args: string[]) =>
    mesh.playground.ok("kubectl", ["--context", context, "-n", namespace, ...args]);
  /** Waits until there are exactly so many pods, those that are going included, and all are ready. */
  const settled = (target: Target, pods: number) =>
    until(
      async () => {
        const text = await kubectl(target, "get", "pods", "-l", `app=${target.app}`, "--no-headers");
        const lines = text.trim().split("\n");
        return lines.length === pods && lines.every((line) => /\s(\d)\/\1\s+Running\s/.test(line));
      },
      { reason: `${target.deployment} has ${pods} ready pods only`, timeoutMs: 90_000, intervalMs: 300 },
    );

  beforeAll(async () => {
    mesh = await bootMeshUnderLoad();
  });
  afterAll(() => mesh?.end("On purpose"));

  const podOf = (target: Target) => kubectl(target, "get", "pods", "-l", `app=${target.app}`, "-o", "name");
  const connections = async (target: Target, pod: string) => {
    const stats = ["pilot-agent", "request", "GET", "stats?filter=_15443.downstream_cx_active"];
    return (await kubectl(target, "exec", pod.trim(), "--", ...stats)).trim();
  };

  test(`${GATEWAY.title}: its clients leave it before it ends`, async () => {
    const pod = await podOf(GATEWAY);
    const joined = async () => /: [1-9]\d*$/.test(await connections(GATEWAY, pod));
    await until(joined, { reason: `${pod} has connections`, timeoutMs: 60_000, intervalMs: 300 });
    const result = await mesh.tryCase(GATEWAY.title, {
      fail: () => kubectl(GATEWAY, "rollout", "restart", `deploy/${GATEWAY.deployment}`),
      healed: async () => {
        // Asked of the pod itself, and so while it still works. Who asks too seldom, on a busy machine, finds it gone; that
        // its clients left in time is told by their calls then.
        const left = async () => {
          const count = await connections(GATEWAY, pod).catch((thrown: Error) => thrown.message);
          return count.endsWith(": 0") || count.includes("NotFound");
        };
        await until(left, { reason: `${pod} has no connections`, timeoutMs: 60_000, intervalMs: 100 });
        await kubectl(GATEWAY, "rollout", "status", `deploy/${GATEWAY.deployment}`, "--timeout=110s");
        await settled(GATEWAY, 1);
      },
    });
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
  });

  for (const target of ROLLOUTS) {
    test(target.title, async () => {
      const result = await mesh.tryCase(target.title, {
        fail: () => kubectl(target, "rollout", "restart", `deploy/${target.deployment}`),
        healed: async () => {
          await kubectl(target, "rollout", "status", `deploy/${target.deployment}`, "--timeout=110s");
          await settled(target, 1);
        },
      });
      expect(result.failed, JSON.stringify(result.errors)).toBe(0);
    });
  }

  const v2: Target = { ...ROLLOUTS[0], context: "cluster2", deployment: "helloworld-v2" } as Target;

  test("three pods of v2 answer three calls of four", async () => {
    const result = await mesh.tryCase("helloworld-v2 scaled from 1 to 3", {
      fail: () => kubectl(v2, "scale", "deploy/helloworld-v2", "--replicas=3"),
      healed: () => settled(v2, 3),
    });
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
    const since = Date.now();
    await mesh.untilCalls(CALLS, since);
    const calls = await mesh.load.calls(since);
    const deviation = Math.sqrt(CALLS * 0.75 * 0.25);
    for (const context of ["cluster1", "cluster2"]) {
      const own = calls.filter((call) => call.context === context).slice(0, CALLS);
      const answered = own.filter(({ version }) => version === "v2").length;
      expect(Math.abs(answered - CALLS * 0.75), `${context}: ${answered} of ${CALLS}`).toBeLessThan(5 * deviation);
    }
  });

  test("scaled back to one pod", async () => {
    const result = await mesh.tryCase("helloworld-v2 scaled from 3 to 1", {
      fail: () => kubectl(v2, "scale", "deploy/helloworld-v2", "--replicas=1"),
      healed: () => settled(v2, 1),
    });
    expect(result.failed, JSON.stringify(result.errors)).toBe(0);
  });
});
