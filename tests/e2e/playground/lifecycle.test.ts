import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { until } from "#base/until";
import type { PlaygroundStatus } from "#playground/lifecycle/playground-status";
import { cannotRun, remains, StubHome, tracesOf, untilGone } from "./stub-playground.ts";

const reason = cannotRun();
if (reason !== undefined) console.warn(`playground lifecycle is skipped: ${reason}`);

const parentOf = (pid: number) => Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
const supervisorPid = (status: PlaygroundStatus) => status.supervisor?.pid ?? 0;

/** Whom to kill, and whether the supervisor lives to tell why. */
const VICTIMS: Record<string, { pid: (status: PlaygroundStatus) => number; phase: "failed" | "crashed" }> = {
  supervisor: { pid: supervisorPid, phase: "crashed" },
  "pid 1 of the namespace": { pid: (status) => parentOf(supervisorPid(status)), phase: "crashed" },
  guard: { pid: (status) => status.guard?.pid ?? 0, phase: "crashed" },
  "API server": { pid: (status) => status.clusters[0]?.pids.cluster ?? 0, phase: "failed" },
  node: { pid: (status) => status.clusters[1]?.pids.node ?? 0, phase: "failed" },
};

describe.skipIf(reason !== undefined)("life of a playground", () => {
  let home: StubHome;
  const up = ["up", "--no-common-root"];
  beforeAll(() => {
    home = new StubHome();
  });
  afterEach(() => home.run(["down"]));
  afterAll(() => home.remove(["default"]));

  it("is up, tells what runs, and goes without a trace", async () => {
    const started = await home.run([...up, "--detach"]);
    expect(started).toMatchObject({ code: 0, stdout: "" });
    const shown = await home.run(["status", "-o", "json"]);
    expect(shown.code).toBe(0);
    const status = JSON.parse(shown.stdout) as PlaygroundStatus;
    expect(status.clusters.map(({ name, network, state }) => ({ name, network, state }))).toEqual([
      { name: "cluster1", network: "network1", state: "ready" },
      { name: "cluster2", network: "network2", state: "ready" },
    ]);
    const traces = tracesOf(status);
    // The stubs left an orphan each and the nodes' namespaces are there: otherwise this test proves nothing.
    expect(remains(traces).filter((trace) => trace.startsWith("process")).length).toBeGreaterThanOrEqual(8);
    expect(traces.netNamespaces.length).toBe(2);
    const address = status.clusters[0]?.address;
    const inside = ["-t", String(status.clusters[0]?.nodePid), "-n", "ip", "-br", "addr"];
    expect(execFileSync("nsenter", inside, { encoding: "utf8" })).toContain(address);
    expect(await home.run(["down"])).toMatchObject({ code: 0 });
    expect(remains(traces)).toEqual([]);
    expect(existsSync(status.stateDir)).toBe(false);
  });

  it("keeps keys to itself", async () => {
    await home.run([...up, "--detach"]);
    const dir = join(home.home, "isthmus", "default");
    const mode = (path: string) => statSync(join(dir, path)).mode & 0o777;
    expect(mode("kubeconfig")).toBe(0o600);
    expect(mode("clusters/cluster1/pki")).toBe(0o700);
    expect(mode("clusters/cluster1/pki/server.key")).toBe(0o600);
    expect(mode("clusters/cluster2/node.kubeconfig")).toBe(0o600);
  });

  it.each(Object.entries(VICTIMS))("leaves nothing when the %s is killed, and comes up again", async (_, victim) => {
    expect(await home.run([...up, "--detach"])).toMatchObject({ code: 0 });
    const traces = tracesOf(await home.ready("default"));
    process.kill(victim.pid(await home.ready("default")), "SIGKILL");
    await untilGone(traces);
    const after = await home.run(["status", "-o", "json"]);
    expect(after.code).toBe(1);
    expect(JSON.parse(after.stdout)).toMatchObject({ phase: victim.phase });
    expect(await home.run([...up, "--detach"])).toMatchObject({ code: 0 });
  });

  it("is found and taken down by its name when its state folder was deleted", async () => {
    await home.run([...up, "--detach"]);
    const status = await home.ready("default");
    const traces = tracesOf(status);
    rmSync(status.stateDir, { recursive: true });
    const told = [await home.run(["status"]), await home.run([...up, "--detach"])];
    expect(told.map(({ code, stderr }) => [code, stderr])).toEqual([
      [1, expect.stringContaining("runs, but its state folder")],
      [1, expect.stringContaining("runs, but its state folder")],
    ]);
    expect(await home.run(["down"])).toMatchObject({ code: 0 });
    expect(remains(traces)).toEqual([]);
    expect(await home.run([...up, "--detach"])).toMatchObject({ code: 0 });
  });

  it("dies with the command that holds it in the foreground", async () => {
    const { child, done } = home.start(up);
    const traces = tracesOf(await home.ready("default"));
    child.kill("SIGKILL");
    await done;
    await untilGone(traces);
    expect(await home.run([...up, "--detach"])).toMatchObject({ code: 0 });
  });

  it.each(["SIGINT", "SIGTERM"] as const)("goes down in order at %s and exits 0", async (signal) => {
    const { child, done, held } = home.start(up);
    await held();
    const status = await home.ready("default");
    const traces = tracesOf(status);
    child.kill(signal);
    expect(await done).toMatchObject({ code: 0 });
    expect(remains(traces)).toEqual([]);
    expect(existsSync(status.stateDir)).toBe(false);
  });

  it("gives up a start at Ctrl-C, and leaves nothing of it", async () => {
    const { child, done } = home.start(up);
    const begun = () => home.statusFile("default")?.outer !== undefined;
    await until(begun, { reason: "the start has begun", timeoutMs: 60_000, intervalMs: 5 });
    const traces = tracesOf(home.statusFile("default") ?? expect.fail());
    child.kill("SIGINT");
    const { code, stderr } = await done;
    expect(stderr).toMatch(/taken down while it started|is down/);
    expect(code).toBe(stderr.includes("while it started") ? 1 : 0);
    expect(remains(traces)).toEqual([]);
    expect(existsSync(traces.stateDir)).toBe(false);
  });

  it("tells in the foreground which part ended, and exits 1", async () => {
    const { done } = home.start(up);
    const status = await home.ready("default");
    process.kill(status.clusters[1]?.pids.node ?? 0, "SIGKILL");
    const { code, stderr } = await done;
    expect(code).toBe(1);
    expect(stderr).toContain("the node of cluster2 was killed by SIGKILL");
  });

  it("shows the end of the log of a program that does not start", async () => {
    const { code, stderr } = await home.run([...up, "--detach"], { STUB_FAILS: "playground-cluster" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/the API server of cluster[12] ended with exit code 3/);
    expect(stderr).toContain("cannot go on");
  });

  it("goes down while another command still holds it in the foreground", async () => {
    const { done, held } = home.start(up);
    await held();
    expect(await home.run(["down"])).toMatchObject({ code: 0 });
    expect(await done).toMatchObject({ code: 0 });
  });

  it("lets only one of two commands start it", async () => {
    const both = await Promise.all([home.run([...up, "--detach"]), home.run([...up, "--detach"])]);
    const codes = both.map(({ code }) => code).sort();
    // The late one fails while the other starts, or finds it healthy.
    expect([
      [0, 0],
      [0, 1],
    ]).toContainEqual(codes);
    expect(await home.run(["status"])).toMatchObject({ code: 0 });
  });

  it("says so when there is nothing to do", async () => {
    expect(await home.run(["down"])).toMatchObject({ code: 0, stderr: "playground default is not running\n" });
    expect(await home.run(["env"])).toMatchObject({ code: 1, stdout: "" });
    await home.run([...up, "--detach"]);
    expect(await home.run([...up, "--detach"])).toMatchObject({
      code: 0,
      stderr: "playground default is up already\n",
    });
    expect((await home.run(["up", "--detach"])).code).toBe(1);
  });
});

describe.skipIf(reason !== undefined)("two playgrounds", () => {
  it("stand side by side, started at the same moment", async () => {
    const home = new StubHome();
    try {
      const names = ["left", "right"];
      const ups = names.map((name) => home.run(["up", "--detach", "--no-common-root", "--name", name]));
      expect((await Promise.all(ups)).map(({ code, stderr }) => (code === 0 ? code : stderr))).toEqual([0, 0]);
      const [left, right] = await Promise.all(names.map((name) => home.ready(name)));
      expect(left?.outer?.cidr).not.toBe(right?.outer?.cidr);
      expect(left?.outer?.hostInterface).not.toBe(right?.outer?.hostInterface);
      await home.run(["down", "--name", "left"]);
      expect((await home.run(["status", "--name", "right"])).code).toBe(0);
    } finally {
      await home.remove(["left", "right"]);
    }
  });
});
