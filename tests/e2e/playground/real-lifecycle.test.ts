// Life and death of playgrounds with the real programs and a mesh in them; lifecycle.test.ts has the finer cases.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { callSpread, whyNotSpread } from "#playground/guide/call-spread";
import type { PlaygroundStatus } from "#playground/lifecycle/playground-status";
import {
  bootPlayground,
  GUIDE,
  type Output,
  ROOT,
  type TestPlayground,
  whyNoPlayground,
} from "../../kit/playground.ts";
import { familyOf, remains, type Traces, tracesOf, untilGone } from "./stub-playground.ts";

const ISTHMUS = join(ROOT, "bin", "isthmus");

const commandLine = (pid: string) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
};

describe.skipIf(whyNoPlayground())("two playgrounds with a mesh in each", () => {
  let left: TestPlayground;
  let right: TestPlayground;
  beforeAll(async () => {
    [left, right] = await Promise.all([bootPlayground(), bootPlayground()]);
    await Promise.all([left.page(GUIDE), right.page(GUIDE)]);
  });
  afterAll(() => Promise.all([left?.down(), right?.down()]));

  const whyNot = async ({ environment }: TestPlayground) =>
    whyNotSpread(await callSpread({ context: "cluster1", calls: 40, environment }), ["v1", "v2"]);
  const statusOf = async ({ name, run }: TestPlayground): Promise<PlaygroundStatus> =>
    JSON.parse((await run(ISTHMUS, ["playground", "status", "--name", name, "-o", "json"])).stdout);

  test("both keep the guide's promise at the same time", async () => {
    expect(await Promise.all([whyNot(left), whyNot(right)])).toEqual([undefined, undefined]);
  });

  test.each([
    ["control plane", /pilot-discovery\.cjs discovery/],
    ["agent", /pilot-agent\.cjs proxy sidecar/],
    ["Envoy", /\/envoy -c/],
  ])("a killed %s comes back, and nothing else goes down", async (_, pattern) => {
    const family = familyOf(left.status.guard?.pid ?? 0);
    const victims = family.filter((pid) => pattern.test(commandLine(pid)));
    expect(victims.length).toBeGreaterThanOrEqual(2);
    process.kill(Number(victims[0]), "SIGKILL");
    const heals = async () => (await whyNot(left)) === undefined;
    await until(heals, { reason: "calls are answered again", timeoutMs: 90_000, intervalMs: 500 });
    expect((await statusOf(left)).phase).toBe("ready");
  });

  test("a killed supervisor takes its whole playground along, and not the other one", async () => {
    const traces = tracesOf(left.status);
    // The pods count: otherwise this test proves nothing.
    expect(traces.netNamespaces.length).toBeGreaterThanOrEqual(10);
    process.kill(left.status.supervisor?.pid ?? 0, "SIGKILL");
    await untilGone(traces);
    expect(await whyNot(right)).toBeUndefined();
    const again = await left.run(ISTHMUS, ["playground", "up", "--detach", "--name", left.name, ...left.flags]);
    expect(again).toMatchObject({ exitCode: 0 });
  });

  test("a killed API server takes its whole playground along", async () => {
    const traces = tracesOf(right.status);
    process.kill(right.status.clusters[0]?.pids.cluster ?? 0, "SIGKILL");
    await untilGone(traces);
    expect(await statusOf(right)).toMatchObject({ phase: "failed", reason: expect.stringContaining("cluster1") });
  });
});

describe.skipIf(whyNoPlayground())("isthmus start", () => {
  const home = mkdtempSync(join(tmpdir(), "isthmus-start-"));
  const name = `s${process.pid}`;
  const page = (command: string) => {
    const file = join(home, `${command.replace(/\W/g, "-")}.md`);
    writeFileSync(file, `\`\`\`bash\n$ ${command}\n\`\`\`\n`);
    return file;
  };
  const begin = (program: readonly string[], file: string): { child: ChildProcess; done: Promise<Output> } => {
    const [first = "", ...rest] = program;
    const child = spawn(first, [...rest, "--name", name, "--page", file], {
      env: { ...process.env, XDG_STATE_HOME: home },
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream]?.on("data", (bytes: Buffer) => {
        output[stream] += bytes.toString();
      });
    }
    const done = new Promise<Output>((resolve) => {
      child.on("close", (code) => resolve({ ...output, exitCode: code ?? 137 }));
    });
    return { child, done };
  };
  const tracesWhenReady = (): Promise<Traces> =>
    until(
      () => {
        try {
          const status = JSON.parse(readFileSync(join(home, "isthmus", name, "status.json"), "utf8"));
          // The file of a playground that was killed stays until the next start.
          return status.phase === "ready" && commandLine(String(status.guard.pid)) !== "" && tracesOf(status);
        } catch {
          return undefined;
        }
      },
      { reason: "the playground is ready", timeoutMs: 180_000, intervalMs: 50 },
    );
  const START = [ISTHMUS, "start"];
  const NPM_START = [process.execPath, "tools/start.mjs"];
  afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 }));

  test("exits 1 and leaves nothing when a command of the page fails", async () => {
    const go = join(home, "go");
    const { done } = begin([...START, "--once"], page(`until [ -e ${go} ]; do sleep 0.1; done; false`));
    const traces = await tracesWhenReady();
    writeFileSync(go, "");
    const { exitCode, stdout } = await done;
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("failed at line 2") });
    expect(remains(traces)).toEqual([]);
  });

  test.each([
    ["isthmus start", START],
    ["the program of npm start", NPM_START],
  ])("a killed %s takes its playground along", async (_, program) => {
    const { child } = begin(program, page("sleep 100"));
    const traces = await tracesWhenReady();
    child.kill("SIGKILL");
    await untilGone(traces);
  });

  test("Ctrl-C takes it down in order; meanwhile a second start of the name is refused", async () => {
    const { child, done } = begin(START, page("sleep 100"));
    const traces = await tracesWhenReady();
    const second = await begin(START, page("true")).done;
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("take it down first") });
    child.kill("SIGINT");
    expect(await done).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`playground ${name} is down`) });
    expect(remains(traces)).toEqual([]);
  });
});
