// Two clusters without a common root: everything is discovered and offered, nothing is trusted, and it is said plainly.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { createCaCerts, createCommonRoot } from "#playground/lifecycle/common-root";
import { whyNoPlayground } from "../../kit/playground.ts";
import { bootGuidedMesh, type GuidedMesh, HELLOWORLD, tally } from "./guided-mesh.ts";

const CALLS = 100;
const CLUSTERS = [
  { context: "cluster1", other: "cluster2", own: "v1", foreign: "v2" },
  { context: "cluster2", other: "cluster1", own: "v2", foreign: "v1" },
] as const;

describe.skipIf(whyNoPlayground())("two roots", () => {
  let mesh: GuidedMesh;
  const folder = mkdtempSync(join(tmpdir(), "isthmus-roots-"));
  beforeAll(async () => {
    mesh = await bootGuidedMesh({ flags: ["--no-common-root"] });
  });
  afterAll(async () => {
    await mesh?.playground.down();
    rmSync(folder, { recursive: true, force: true });
  });

  const requests = (context: string, version: string) => mesh.requests(context, `sample/helloworld-${version}`);

  test.each(CLUSTERS)("from $context only $own answers, though the other cluster is offered", async (cluster) => {
    const { context, other, own, foreign } = cluster;
    const places = () => mesh.endpoints(context, HELLOWORLD, 5000);
    await expect.poll(places, { timeout: 60_000 }).toContain(`${await mesh.gatewayAddress(other)}:15443`);
    const before = await requests(other, foreign);
    const counts = tally(await mesh.calls(context, CALLS));
    console.log(`${context}, roots differ: ${JSON.stringify(counts)}`);
    expect(await requests(other, foreign)).toBe(before);
    expect(Object.keys(counts).filter((end) => end !== "503")).toEqual([`200 ${own}`]);
    // Envoy tries another place when one refuses; now and then it picks the refusing one three times.
    expect(counts[`200 ${own}`]).toBeGreaterThan(CALLS * 0.8);
  });

  test.each(CLUSTERS)(
    "the control plane of $context says so, in its log and to remote-clusters",
    async ({ context, other }) => {
      const log = await mesh.kubectl(context, "-n istio-system logs deploy/istiod");
      expect(log).toMatch(new RegExp(`"level":40,.*"msg":"cluster ${other} has another root \\(.*cacerts`));
      const table = await mesh.istioctl(context, "remote-clusters");
      expect(table).toMatch(new RegExp(`^${context} .*\\bshared\\b`, "m"));
      expect(table).toMatch(new RegExp(`^${other} .*\\bDIFFERS\\b`, "m"));
      expect(table).toMatch(new RegExp(`^${other}: cluster ${other} has another root`, "m"));
    },
  );

  test("with no pod of its own, a cluster's calls fail and none arrives", async () => {
    await mesh.kubectl("cluster1", "-n sample scale deployment helloworld-v1 --replicas=0");
    await mesh.settled("cluster1", "sample/helloworld-v1");
    const only = async () => (await mesh.endpoints("cluster1", HELLOWORLD, 5000)).length === 1;
    await until(only, { reason: "only the gateway is offered", timeoutMs: 60_000, intervalMs: 200 });
    const before = await requests("cluster2", "v2");
    expect(tally(await mesh.calls("cluster1", 20))).toEqual({ "503": 20 });
    expect(await requests("cluster2", "v2")).toBe(before);
  });

  test("the control: what the message advises, a common root and a restart, lets the very same calls through", async () => {
    const root = await createCommonRoot();
    for (const { context } of CLUSTERS) {
      const files = Object.entries(await createCaCerts(root)).map(([name, pem]) => {
        const path = join(folder, `${context}-${name}`);
        writeFileSync(path, pem, { mode: 0o600 });
        return `--from-file=${name}=${path}`;
      });
      await mesh.kubectl(context, `-n istio-system create secret generic cacerts ${files.join(" ")}`);
    }
    const restart = async (context: string, objects: readonly string[]) => {
      for (const object of objects) {
        await mesh.kubectl(context, `-n ${object.replace("/", " rollout restart deployment ")}`);
      }
      for (const object of objects) await mesh.settled(context, object, { gone: object === "istio-system/istiod" });
    };
    await Promise.all(
      CLUSTERS.map(async ({ context, own }) => {
        await restart(context, ["istio-system/istiod"]);
        await restart(context, [`sample/helloworld-${own}`, "sample/sleep"]);
      }),
    );
    const agrees = async () => {
      const table = await mesh.istioctl("cluster1", "remote-clusters");
      return /^cluster2 .*\bshared\b/m.test(table);
    };
    await until(agrees, { reason: "the roots agree", timeoutMs: 60_000, intervalMs: 500 });
    // The gateways were not restarted: they trust their control plane again when the node has renewed the root in their
    // volumes, which a kubelet does every minute or so, and only then hear of the new pods.
    const answers = async () => (await mesh.calls("cluster1", 1))[0]?.version === "v2";
    await until(answers, { reason: "the gateway has the new pod", timeoutMs: 180_000, intervalMs: 1000 });
    expect(tally(await mesh.calls("cluster1", 20))).toEqual({ "200 v2": 20 });
  });
});
