// What a person does with kubectl inside of pods that run: debug, cp, attach, exec, logs; each with the oldest and the
// newest kubectl at hand.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootPlayground, ROOT, type TestPlayground, whyNoPlayground, whyNoWholeSystem } from "../../kit/playground.ts";
import { findKubectls } from "../clients/find-kubectls.ts";

const WAIT_MS = 60_000;
const NODE = "cluster1-node";
const SLEEP = "sleep 54321";
const reason = whyNoPlayground() ?? whyNoWholeSystem();
if (reason !== undefined) console.warn(`kubectl in pods is skipped: ${reason}`);
const KUBECTLS = reason === undefined ? (await findKubectls()).slice(0, 2) : [];

const pod = (name: string, container: object) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    restartPolicy: "Never",
    containers: [{ name: "c", image: "busybox:1", ...container }],
  },
});
const OBJECTS = [
  pod("app", {
    command: ["sh", "-c", `for i in 1 2 3 4 5; do echo line $i; done; exec ${SLEEP}`],
    resources: { requests: { cpu: "10m", memory: "16Mi" } },
  }),
  pod("over", { command: ["sh", "-c", "echo first; echo second; exit 7"] }),
  ...KUBECTLS.map(({ minor }) =>
    pod(`talk-${minor}`, {
      command: ["sh", "-c", "read line; echo got $line"],
      stdin: true,
      stdinOnce: true,
      tty: true,
    }),
  ),
];

describe.skipIf(KUBECTLS.length === 0)("kubectl in pods", () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-kubectl-"));
  let playground: TestPlayground;
  beforeAll(async () => {
    const topology = join(folder, "topology.yaml");
    writeFileSync(topology, "clusters: [{name: cluster1, network: network1}]\n");
    playground = await bootPlayground({ flags: ["--no-common-root", "--topology", topology] });
    const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: OBJECTS });
    await playground.ok("kubectl", ["apply", "-f", "-"], { input });
    const names = OBJECTS.map(({ metadata }) => `pod/${metadata.name}`).filter((name) => name !== "pod/over");
    await playground.ok("kubectl", ["wait", ...names, "--for=condition=Ready", "--timeout=60s"]);
  });
  afterAll(async () => {
    await playground?.down();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The exit code of an exec at a terminal where Ctrl-C is typed once the command has said a word. */
  function ctrlC(path: string): Promise<number | null> {
    const line = `${path} exec -it app -c c -- sh -c 'echo ready; exec sleep 50'`;
    const child = spawn("script", ["-qec", line, "/dev/null"], {
      env: playground.environment,
      stdio: ["pipe", "pipe", "ignore"],
      timeout: WAIT_MS,
      killSignal: "SIGKILL",
    });
    let said = "";
    child.stdout.on("data", (bytes: Buffer) => {
      const before = said;
      said += bytes.toString();
      if (said.includes("ready") && !before.includes("ready")) child.stdin.write("\u0003");
    });
    return new Promise((resolve) => child.once("close", resolve));
  }

  describe.each(KUBECTLS)("$version", ({ path, minor }) => {
    const kubectl = (...words: string[]) => playground.run(path, words, { timeoutMs: WAIT_MS });
    /** With a terminal around it, at which `typed` is typed. */
    const atTerminal = (typed: string, ...words: string[]) =>
      playground.run("script", ["-qec", [path, ...words].join(" "), "/dev/null"], { input: typed, timeoutMs: WAIT_MS });

    /** It speaks when it is spoken to: a client that attaches sees nothing of what was said before. */
    const spokenTo = (word: string, script: string, words: readonly string[]) =>
      playground.run(path, [...words, "-i", "--image=busybox:1", "--", "sh", "-c", `read word; ${script}`], {
        input: `${word}\n`,
        timeoutMs: WAIT_MS,
      });

    test.skipIf(minor < 30)("debug puts a container into a pod that runs, beside another's processes", async () => {
      const words = ["debug", "app", "-c", `debug-${minor}`, "--target=c", "--profile=general"];
      const { stdout, stderr, exitCode } = await spokenTo("looking", "echo $word in $HOSTNAME; ps ax -o args", words);
      expect({ exitCode, stdout }, stderr).toEqual({
        exitCode: 0,
        stdout: expect.stringContaining("looking in app\n"),
      });
      expect(stdout).toContain(SLEEP);
    });

    test("debug copies a pod whose processes it may see", async () => {
      const copy = `copy-${minor}`;
      const look = `until ps ax -o args | grep -qx '${SLEEP}'; do sleep 0.1; done; echo $word from $HOSTNAME`;
      const words = ["debug", "app", `--copy-to=${copy}`, "--share-processes"];
      const { stdout, stderr } = await spokenTo("seen", look, words);
      expect(stdout, stderr).toContain(`seen from ${copy}`);
      await kubectl("delete", "pod", copy, "--now", "--wait=false");
    });

    test("debug looks at the node", async () => {
      const file = join(ROOT, "package.json");
      const { stdout, stderr } = await spokenTo("look", `cat '/host${file}'`, ["debug", `node/${NODE}`]);
      expect(stdout, stderr).toContain(readFileSync(file, "utf8"));
    });

    test("cp brings files in and out", async () => {
      const [from, to] = [join(folder, `from-${minor}`), join(folder, `to-${minor}`)];
      writeFileSync(from, "copied\n".repeat(50_000));
      await kubectl("cp", from, `app:/tmp/file-${minor}`);
      await kubectl("cp", `app:/tmp/file-${minor}`, to);
      expect(readFileSync(to, "utf8") === readFileSync(from, "utf8")).toBe(true);
    });

    test("attach talks with the program at its terminal", async () => {
      const { stdout } = await atTerminal("hello\n", "attach", "-it", `talk-${minor}`);
      expect(stdout).toMatch(/got hello\r?\n/);
    });

    test("exec ends as its command does, signals and Ctrl-C included", async () => {
      const exec = async (command: string) => (await kubectl("exec", "app", "--", "sh", "-c", command)).exitCode;
      expect([await exec("exit 9"), await exec("kill -TERM $$"), await exec("kill -KILL $$")]).toEqual([9, 143, 137]);
      expect(await ctrlC(path)).toBe(130);
    });

    test("logs are cut as they are asked for", async () => {
      const logs = async (...flags: string[]) => (await kubectl("logs", "app", "-c", "c", ...flags)).stdout;
      expect(await logs("--tail=2")).toBe("line 4\nline 5\n");
      expect(await logs("--limit-bytes=8")).toBe("line 1\nl");
      expect(await logs("--since=1h", "--tail=1", "--timestamps")).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line 5\n$/,
      );
      expect(await logs("--since-time=2099-01-01T00:00:00Z")).toBe("");
      const previous = await kubectl("logs", "app", "-c", "c", "--previous");
      expect([previous.exitCode, previous.stderr]).toEqual([
        1,
        'Error from server (BadRequest): previous terminated container "c" in pod "app" not found\n',
      ]);
    });

    test("logs -f ends with the container", async () => {
      const { stdout, exitCode } = await kubectl("logs", "-f", "over", "--since=1h");
      expect({ stdout, exitCode }).toEqual({ stdout: "first\nsecond\n", exitCode: 0 });
    });

    test.skipIf(minor < 32)("patch resizes a pod that runs", async () => {
      const resources = { requests: { cpu: "20m", memory: "24Mi" } };
      const patch = JSON.stringify({ spec: { containers: [{ name: "c", resources }] } });
      await kubectl("patch", "pod", "app", "--subresource=resize", "-p", patch);
      const given = "jsonpath={.status.containerStatuses[0].resources.requests.cpu}=20m";
      expect((await kubectl("wait", "pod/app", `--for=${given}`, "--timeout=60s")).stdout).toContain("condition met");
      const restarts = "jsonpath={.status.containerStatuses[0].restartCount}";
      expect((await kubectl("get", "pod", "app", "-o", restarts)).stdout).toBe("0");
    });

    test("top says that nobody measures", async () => {
      for (const what of ["pods", "nodes"]) {
        const { stderr, exitCode } = await kubectl("top", what);
        expect({ stderr, exitCode }).toEqual({ stderr: "error: Metrics API not available\n", exitCode: 1 });
      }
    });
  });
});
