// The guide on the API server, controllers and scheduler of a Kubernetes release, with our nodes: the programs are built
// before the tests, see tools/test.mjs.
import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { Exec, KubeConfig, PortForward, type V1Status } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import type { PlaygroundStatus } from "#playground/lifecycle/playground-status";
import { expectPromise, expectProxiesAccept } from "../../kit/guide-promise.ts";
import { bootPlayground, GUIDE, type TestPlayground, whyNoKubernetes } from "../../kit/playground.ts";
import { familyOf, tracesOf, untilGone } from "../playground/stub-playground.ts";

const CALLS = 100;
const GONE_MS = 60_000;
const CLUSTER1 = ["--context", "cluster1"];

describe.skipIf(whyNoKubernetes())("the guide on a Kubernetes release with our nodes", () => {
  let playground: TestPlayground;
  const kubectl = (...args: string[]) => playground.ok("kubectl", [...CLUSTER1, ...args]);
  const jsonOf = async (...args: string[]) => JSON.parse(await kubectl("get", ...args, "-o", "json"));

  beforeAll(async () => {
    playground = await bootPlayground({ engine: "kubernetes", nodes: "isthmus" });
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

  test("status tells the engine and the nodes; it is up already only for the same", async () => {
    expect(playground.status).toMatchObject({ engine: "kubernetes", nodes: "isthmus" });
    const up = (...flags: string[]) =>
      playground.run("isthmus", ["playground", "up", "--detach", "--name", playground.name, ...flags]);
    expect(await up("--engine", "kubernetes")).toMatchObject({ exitCode: 0 });
    expect(await up()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("--engine kubernetes") });
    expect(await up("--nodes", "kubelet")).toMatchObject({ exitCode: 2 });
  });

  test("the node has its Lease, its range of pod addresses and no taint, and the real scheduler placed its pods", async () => {
    const [node] = (await jsonOf("nodes")).items;
    expect(node.spec).toMatchObject({ podCIDR: "10.244.0.0/16" });
    expect(node.spec.taints).toBeUndefined();
    const lease = await jsonOf("lease", "-n", "kube-node-lease", node.metadata.name);
    expect(lease.spec.holderIdentity).toBe(node.metadata.name);
    const events = (await jsonOf("events", "-n", "sample", "--field-selector", "reason=Scheduled")).items;
    expect(events.length).toBeGreaterThan(0);
    for (const event of events) expect(event.reportingComponent || event.source.component).toBe("default-scheduler");
  });

  test("logs, exec with its exit code, standard input, attach and port-forward pass through the real API server", async () => {
    const sleep = ["-n", "sample", "-c", "sleep"];
    expect(await kubectl("logs", "-n", "sample", "-c", "istio-proxy", "deploy/sleep")).toContain("\n");
    const failed = await playground.run("kubectl", [
      ...CLUSTER1,
      "exec",
      ...sleep,
      "deploy/sleep",
      "--",
      "sh",
      "-c",
      "exit 7",
    ]);
    expect(failed.exitCode).toBe(7);
    const echoed = await playground.ok("kubectl", [...CLUSTER1, "exec", "-i", ...sleep, "deploy/sleep", "--", "cat"], {
      input: "over standard input",
    });
    expect(echoed).toBe("over standard input");
    const forwarded = await playground.shell(
      `said=$(mktemp); kubectl --context cluster1 -n sample port-forward deploy/helloworld-v1 :5000 > "$said" & pid=$!; ` +
        `for i in $(seq 600); do port=$(sed -n 's/.*127.0.0.1:\\([0-9]*\\) .*/\\1/p' "$said"); [ -n "$port" ] && break; sleep 0.1; done; ` +
        `curl -sS "http://127.0.0.1:$port/hello"; kill $pid; rm "$said"`,
    );
    expect(forwarded).toContain("Hello version: v1");
  });

  test("the WebSockets of the JavaScript client, which the real API server passes on, reach the node", async () => {
    const config = new KubeConfig();
    config.loadFromFile(playground.status.kubeconfig);
    config.setCurrentContext("cluster1");
    const [pod] = (await jsonOf("pods", "-n", "sample", "-l", "app=helloworld")).items;
    const { name } = pod.metadata;
    const output = new PassThrough();
    const said = text(output);
    const status = await new Promise<V1Status>((resolve, reject) => {
      const command = ["sh", "-c", "echo over WebSocket; exit 3"];
      new Exec(config)
        .exec("sample", name, "helloworld", command, output, null, null, false, resolve)
        .then((socket) => socket.on("close", () => output.end()))
        .catch(reject);
    });
    expect(status.details?.causes).toEqual([{ reason: "ExitCode", message: "3" }]);
    expect(await said).toBe("over WebSocket\n");

    const forwarded = new PassThrough();
    const request = new PassThrough();
    const answer = text(forwarded);
    const socket = await new PortForward(config).portForward("sample", name, [5000], forwarded, null, request);
    if (typeof socket !== "function") socket.on("close", () => forwarded.end());
    request.write("GET /hello HTTP/1.1\r\nHost: helloworld\r\nConnection: close\r\n\r\n");
    expect(await answer).toContain("Hello version: v1");
  });

  test("when the API server is killed the playground fails, says which program ended, and leaves nothing", async () => {
    const traces = tracesOf(playground.status);
    const commandOf = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, "utf8");
    const servers = familyOf(playground.status.guard?.pid ?? 0).filter((pid) =>
      /kube-apiserver\0/.test(commandOf(pid)),
    );
    expect(servers.length).toBe(2);
    process.kill(Number(servers[0]), "SIGKILL");
    await untilGone(traces, GONE_MS);
    const status = async (): Promise<PlaygroundStatus> =>
      JSON.parse(
        (await playground.run("isthmus", ["playground", "status", "--name", playground.name, "-o", "json"])).stdout,
      );
    const failed = await until(
      async () => {
        const now = await status();
        return now.phase === "failed" && now;
      },
      { reason: "the playground says that it failed", timeoutMs: GONE_MS },
    );
    expect(failed.logTail?.join("\n")).toContain("kube-apiserver was killed by SIGKILL");
  });
});
