// What crosses between two networks and what does not: readable bytes, pods without a proxy, pod addresses.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { whyNoPlayground } from "../../kit/playground.ts";
import { inNamespace } from "../playground/stub-playground.ts";
import { captureWhile, type Stream, tlsRecords } from "./capture.ts";
import { bootGuidedMesh, type GuidedMesh, HELLOWORLD, tally } from "./guided-mesh.ts";
import { dialPlain } from "./stranger.ts";

const MARKER = "k7q2w9";
const MARKERS = [`path-${MARKER}`, `header-${MARKER}`, `body-${MARKER}`];
const ANSWER = "Hello version: ";
const MARKED = `-H "x-marker: header-${MARKER}" -d body-${MARKER} helloworld.sample:5000/hello?path-${MARKER}`;
const GATEWAY_PORT = 15443;
const API_SERVER_PORT = 6443;
const CALLS = 20;

const ends = (calls: Parameters<typeof tally>[0]) => Object.keys(tally(calls)).sort();

describe.skipIf(whyNoPlayground())("across networks", () => {
  let mesh: GuidedMesh;
  beforeAll(async () => {
    mesh = await bootGuidedMesh();
    await Promise.all(["cluster1", "cluster2"].map((context) => places(context, 2)));
  });
  afterAll(() => mesh?.playground.down());

  /** Waits until a cluster's client is given exactly `count` places for helloworld. */
  function places(context: string, count: number, of = HELLOWORLD): Promise<string[]> {
    const reason = `${context} is given ${count} places for ${of}`;
    const look = async () => {
      const list = await mesh.endpoints(context, of, 5000);
      return list.length === count && list;
    };
    return until(look, { reason, timeoutMs: 60_000, intervalMs: 200 });
  }

  /** Waits until calls end so: a client and the other network's gateway hear of a pod from two control planes. */
  function answered(context: string, end: string, curl?: string): Promise<boolean> {
    const reason = `calls from ${context} end with ${end}`;
    const look = async () => tally(await mesh.calls(context, 3, curl))[end] === 3;
    return until(look, { reason, timeoutMs: 60_000, intervalMs: 200 });
  }

  /** Waits until both versions answer, and nothing else: what served before may still be on its way out of some proxy. */
  function bothAnswer(context: string): Promise<boolean> {
    const look = async () => ends(await mesh.calls(context, CALLS)).join() === "200 v1,200 v2";
    return until(look, { reason: `both versions answer ${context}`, timeoutMs: 60_000 });
  }

  async function scale(context: string, deployment: string, replicas: number): Promise<void> {
    await mesh.kubectl(context, `-n sample scale deployment ${deployment} --replicas=${replicas}`);
    await mesh.settled(context, `sample/${deployment}`);
  }

  describe("what can be read on the wire", () => {
    const withPort = (streams: readonly Stream[], port: number) =>
      streams.filter(({ fromPort, toPort }) => fromPort === port || toPort === port);

    test("on the outer segment only TLS is seen; path, headers, bodies and answers cannot be read", async () => {
      const { captured, result } = await captureWhile(mesh.playground.status, "pub", () =>
        Promise.all(["cluster1", "cluster2"].map((context) => mesh.calls(context, CALLS, MARKED))),
      );
      expect(result.map(ends)).toEqual([
        ["200 v1", "200 v2"],
        ["200 v1", "200 v2"],
      ]);
      expect(captured.readable([...MARKERS, ANSWER])).toEqual([]);
      const crossed = withPort(captured.streams, GATEWAY_PORT);
      expect(crossed.length).toBeGreaterThanOrEqual(4);
      for (const { bytes, whole } of crossed) {
        const { types, onlyTls } = tlsRecords(bytes);
        expect([whole, onlyTls, types.includes(23)]).toEqual([true, true, true]);
      }
      const answered = result.map((calls) => tally(calls));
      const across = (answered[0]?.["200 v2"] ?? 0) + (answered[1]?.["200 v1"] ?? 0);
      const bytes = crossed.reduce((sum, stream) => sum + stream.bytes.length, 0);
      expect(bytes).toBeGreaterThan(across * (MARKERS.join("").length + ANSWER.length));
      // Beside them only clients of the API servers are heard.
      const others = captured.streams.filter(
        (stream) => !crossed.includes(stream) && withPort([stream], API_SERVER_PORT).length === 0,
      );
      expect(others.map(({ from, to, toPort }) => `${from} > ${to}:${toPort}`)).toEqual([]);
    });

    test("the control: what is sent there without TLS can be read", async () => {
      const address = await mesh.gatewayAddress("cluster2");
      const { captured } = await captureWhile(mesh.playground.status, "pub", () =>
        dialPlain({ address, path: `/hello?path-${MARKER}` }),
      );
      expect(captured.readable(MARKERS)).toEqual([`path-${MARKER}`]);
    });

    test("inside a cluster neither, unless mutual TLS is off; then nothing crosses", async () => {
      const local = () =>
        captureWhile(mesh.playground.status, "node-cluster1", () => mesh.calls("cluster1", CALLS, MARKED));
      const on = await local();
      expect(ends(on.result)).toEqual(["200 v1", "200 v2"]);
      expect(on.captured.readable([...MARKERS, ANSWER])).toEqual([]);

      const policy = `-n sample %s -f - <<'EOF'
apiVersion: security.istio.io/v1beta1
kind: PeerAuthentication
metadata: {name: default}
spec: {mtls: {mode: DISABLE}}
EOF`;
      await mesh.kubectl("cluster1", policy.replace("%s", "apply"));
      try {
        const [place] = await places("cluster1", 1);
        expect(place).toMatch(/^10\.244\./);
        const outer = await captureWhile(mesh.playground.status, "pub", local);
        const off = outer.result;
        expect(tally(off.result)).toEqual({ "200 v1": CALLS });
        expect(off.captured.readable([...MARKERS, ANSWER])).toEqual([...MARKERS, ANSWER]);
        expect(outer.captured.readable([...MARKERS, ANSWER])).toEqual([]);
      } finally {
        await mesh.kubectl("cluster1", policy.replace("%s", "delete"));
      }
      await places("cluster1", 2);
      await bothAnswer("cluster1");
    });
  });

  describe("pods without a proxy", () => {
    const sidecar = (inject: string | null) => ({
      spec: { template: { metadata: { labels: { "sidecar.istio.io/inject": inject } } } },
    });
    const patch = async (inject: string | null) => {
      await mesh.patch("cluster2", "-n sample patch deployment helloworld-v2", sidecar(inject));
      await mesh.settled("cluster2", "sample/helloworld-v2");
    };

    test("are not offered to the other network, though their own cluster calls them", async () => {
      const gateway = `${await mesh.gatewayAddress("cluster2")}:${GATEWAY_PORT}`;
      expect(await places("cluster1", 2)).toContain(gateway);
      await patch("false");
      try {
        expect(await places("cluster1", 1)).not.toContain(gateway);
        expect(tally(await mesh.calls("cluster1", CALLS))).toEqual({ "200 v1": CALLS });
        await bothAnswer("cluster2");

        await scale("cluster1", "helloworld-v1", 0);
        await places("cluster1", 0);
        const before = await mesh.requests("cluster2", "sample/helloworld-v2");
        expect(tally(await mesh.calls("cluster1", CALLS))).toEqual({ "503": CALLS });
        expect(await mesh.requests("cluster2", "sample/helloworld-v2")).toBe(before);

        // The control: the same pod with a sidecar.
        await patch("true");
        expect(await places("cluster1", 1)).toEqual([gateway]);
        await answered("cluster1", "200 v2");
        const taken = await mesh.requests("cluster2", "sample/helloworld-v2");
        expect(tally(await mesh.calls("cluster1", CALLS))).toEqual({ "200 v2": CALLS });
        expect(await mesh.requests("cluster2", "sample/helloworld-v2")).toBe(taken + CALLS);
      } finally {
        await scale("cluster1", "helloworld-v1", 1);
        await patch(null);
      }
      await places("cluster1", 2);
    });

    test("in a namespace without injection are not offered either, until it is labelled", async () => {
      const host = "helloworld.plain.svc.cluster.local";
      for (const context of ["cluster1", "cluster2"]) {
        await mesh.kubectl(context, "create namespace plain");
        await mesh.kubectl(context, "-n plain apply -l service=helloworld -f samples/helloworld/helloworld.yaml");
      }
      await mesh.kubectl("cluster2", "-n plain apply -l version=v2 -f samples/helloworld/helloworld.yaml");
      await mesh.settled("cluster2", "plain/helloworld-v2");
      const [own] = await places("cluster2", 1, host);
      expect(own).toMatch(/^10\.244\./);
      const call = "helloworld.plain:5000/hello";
      expect(tally(await mesh.calls("cluster2", 5, call))).toEqual({ "200 v2": 5 });
      expect(tally(await mesh.calls("cluster1", 5, call))).toEqual({ "503": 5 });
      expect(await mesh.endpoints("cluster1", host, 5000)).toEqual([]);

      await mesh.kubectl("cluster2", "label namespace plain istio-injection=enabled");
      await mesh.kubectl("cluster2", "-n plain rollout restart deployment/helloworld-v2");
      await mesh.settled("cluster2", "plain/helloworld-v2");
      expect(await places("cluster1", 1, host)).toEqual([`${await mesh.gatewayAddress("cluster2")}:${GATEWAY_PORT}`]);
      await answered("cluster1", "200 v2", call);
      expect(tally(await mesh.calls("cluster1", 5, call))).toEqual({ "200 v2": 5 });
    });

    test("belong to their cluster's network, which install wrote on the namespace", async () => {
      for (const context of ["cluster1", "cluster2"]) {
        const label = await mesh.kubectl(
          context,
          "get namespace istio-system -o jsonpath={.metadata.labels.topology\\\\.istio\\\\.io/network}",
        );
        expect(label).toBe(context.replace("cluster", "network"));
      }
    });
  });

  test("with no pod of its own, a cluster is answered by the other one", async () => {
    await scale("cluster1", "helloworld-v1", 0);
    await places("cluster1", 1);
    try {
      expect(tally(await mesh.calls("cluster1", CALLS))).toEqual({ "200 v2": CALLS });
    } finally {
      await scale("cluster1", "helloworld-v1", 1);
      await places("cluster1", 2);
    }
  });

  test("a pod's own address leads to it in its cluster, and from the other nowhere, even with a forged route", async () => {
    const podAddresses = async (context: string) =>
      (await mesh.kubectl(context, "get pods -A -o jsonpath={.items[*].status.podIP}")).split(" ");
    await scale("cluster2", "helloworld-v2", 4);
    await mesh.settled("cluster2", "sample/helloworld-v2", { gone: true });
    try {
      // Both clusters number their pods alike: only an address that is free in cluster1 could be reached by accident.
      const taken = await podAddresses("cluster1");
      const list = "-n sample get pods -l version=v2 -o jsonpath={.items[*].status.podIP}";
      const pod = (await mesh.kubectl("cluster2", list)).split(" ").find((address) => !taken.includes(address));
      const call = `${pod}:5000/hello`;
      expect(tally(await mesh.calls("cluster2", 3, call))).toEqual({ "200 v2": 3 });
      const refused = async () => (await mesh.calls("cluster1", 3, call)).map(({ version }) => version);
      expect(await refused()).toEqual([undefined, undefined, undefined]);
      const { status } = mesh.playground;
      const route = `${pod}/32 via ${status.clusters[1]?.address}`;
      inNamespace(status, "node-cluster1", `ip route add ${route}`);
      try {
        expect(await refused()).toEqual([undefined, undefined, undefined]);
      } finally {
        inNamespace(status, "node-cluster1", `ip route del ${route}`);
      }
    } finally {
      await scale("cluster2", "helloworld-v2", 1);
    }
  });
});
