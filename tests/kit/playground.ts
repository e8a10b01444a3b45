// A playground of a test's own: booted by the same command that a person types, taken down whatever happens.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parsePage } from "#playground/guide/parse-page";
import { runPage } from "#playground/guide/run-page";
import { guideEnvironment } from "#playground/guide/start-command";
import type { PlaygroundStatus } from "#playground/lifecycle/playground-status";
import type { Engine, NodeKind } from "#playground/process-config";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const GUIDE = join(ROOT, "docs", "guide.md");
/** Istio's own page lies beside the clone where it may be read; it is not part of the project. */
export const ISTIO_PAGE = join(ROOT, "..", "shared", "guide", "multi-primary-different-networks.txt");

/** Why tests that need a playground cannot run here; undefined when they can. */
export function whyNoPlayground(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  return process.getuid?.() === 0 ? undefined : "needs root";
}

export interface Output {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TestPlayground {
  readonly name: string;
  /** What it was started with. */
  readonly flags: readonly string[];
  readonly status: PlaygroundStatus;
  readonly environment: Record<string, string | undefined>;
  /** Runs a program with the playground's settings; never throws for an exit code. */
  run(program: string, args: readonly string[], options?: { input?: string; timeoutMs?: number }): Promise<Output>;
  /** Standard output; throws with standard error when the exit code is not 0. */
  ok(program: string, args: readonly string[], options?: { input?: string; timeoutMs?: number }): Promise<string>;
  /** Shell text, as a person types it in the release folder. */
  shell(text: string): Promise<string>;
  /** Runs all commands of a page; throws at the first that fails. */
  page(file: string): Promise<number>;
  /** Runs commands in any order the test wants. */
  commands(texts: readonly string[]): Promise<void>;
  /** Waits until every pod of the namespace is Running with all containers ready, in both clusters. */
  ready(namespace: string): Promise<void>;
  down(): Promise<void>;
}

export interface BootOptions {
  readonly flags?: readonly string[];
  /** Default: ISTHMUS_ENGINE, else embedded. */
  readonly engine?: Engine;
  /** Default: ISTHMUS_NODES, else isthmus. */
  readonly nodes?: NodeKind;
}

let serial = 0;

/** The engine that a test without a wish of its own runs on: the whole suite can run on each. */
const ENGINE = process.env["ISTHMUS_ENGINE"] ?? "embedded";
const NODES = process.env["ISTHMUS_NODES"] ?? "isthmus";

/** Why tests of the engine `kubernetes` cannot run here; undefined when they can. `npm test` builds what is missing. */
export function whyNoKubernetes(...programs: readonly string[]): string | undefined {
  const names = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", ...programs];
  const find = spawnSync(process.execPath, [join(ROOT, "tools", "kubernetes-programs.mjs"), "--find", ...names]);
  return find.status === 0 ? whyNoPlayground() : "programs of a Kubernetes release are missing: npm run kubernetes";
}

/** Why tests of real nodes cannot run here; undefined when they can. `npm test` fetches and builds what is missing. */
export function whyNoRealNodes(): string | undefined {
  const why = whyNoKubernetes("kubelet", "kube-proxy");
  if (why !== undefined) return why;
  const prepare = spawnSync(process.execPath, [join(ROOT, "tools", "image-store.mjs")]);
  return prepare.status === 0 ? undefined : `real nodes cannot be prepared: ${prepare.stderr.toString()}`;
}

/** Why tests that need a whole system in a container do not run on real nodes; undefined elsewhere. */
export function whyNoWholeSystem(): string | undefined {
  if (NODES !== "kubelet") return undefined;
  return "real nodes have the images of `npm run images` alone, and none of them has tar, ps and the like";
}

/**
 * Boots; takes 2 to 4 seconds, with the engine `kubernetes` about 10. The caller takes it down in a `finally` or afterAll.
 */
export async function bootPlayground(options: BootOptions = {}): Promise<TestPlayground> {
  serial += 1;
  const name = `t${process.pid}-${serial}`;
  const stateHome = mkdtempSync(join(tmpdir(), "isthmus-state-"));
  const isthmus = join(ROOT, "bin", "isthmus");
  const base = { ...process.env, XDG_STATE_HOME: stateHome };
  const engine = ["--engine", options.engine ?? ENGINE, "--nodes", options.nodes ?? NODES];
  const flags = [...engine, ...(options.flags ?? [])];
  await upInForeground(["playground", "up", "--name", name, ...flags], base);
  const readStatus = (): PlaygroundStatus =>
    JSON.parse(execFileSync(isthmus, ["playground", "status", "--name", name, "-o", "json"], { env: base }).toString());
  const status = readStatus();
  const environment = { ...base, ...guideEnvironment(status, ROOT), XDG_STATE_HOME: stateHome };
  const run: TestPlayground["run"] = (program, args, how = {}) => runProgram(program, args, environment, how);
  const ok: TestPlayground["ok"] = async (program, args, how) => {
    const output = await run(program, args, how);
    if (output.exitCode === 0) return output.stdout;
    throw new Error(`${program} ${args.join(" ")} ended with ${output.exitCode}:\n${output.stdout}${output.stderr}`);
  };
  const commands = async (texts: readonly string[], samples: readonly (readonly string[])[] = []) => {
    const list = texts.map((text, index) => ({ line: index + 1, text, sample: samples[index] ?? [] }));
    const results = await runPage(list, {
      environment,
      releaseFolder: ROOT,
      onResult: () => {},
      signal: new AbortController().signal,
    });
    const failed = results.find((result) => result.exitCode !== 0);
    if (failed !== undefined) throw new Error(`${failed.command.text}\n${failed.output}`);
  };
  const down = async () => {
    await runProgram(isthmus, ["playground", "down", "--name", name], environment, {});
    rmSync(stateHome, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
  };
  return {
    name,
    flags,
    status,
    environment,
    run,
    ok,
    down,
    commands,
    async ready(namespace) {
      const sample = ["NAME READY STATUS"];
      const looks = status.clusters.map((cluster) => `kubectl get pods --context=${cluster.context} -n ${namespace}`);
      await commands(
        looks,
        looks.map(() => sample),
      );
    },
    shell: (text) => ok("bash", ["-o", "pipefail", "-c", `cd '${ROOT}' && ${text}`]),
    async page(file) {
      const list = parsePage(readFileSync(file, "utf8"));
      await commands(
        list.map((command) => command.text),
        list.map((command) => command.sample),
      );
      return list.length;
    },
  };
}

/** In the foreground and with a death signal: a test run that is ended by force takes its playground along. */
function upInForeground(args: readonly string[], env: Record<string, string | undefined>): Promise<void> {
  const child = spawn("setpriv", ["--pdeathsig", "TERM", join(ROOT, "bin", "isthmus"), ...args], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("it stays up until Ctrl-C")) resolve();
    });
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`playground up ended with ${code}:\n${said}`)));
  });
}

function runProgram(
  program: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
  how: { input?: string; timeoutMs?: number },
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env,
      stdio: ["pipe", "pipe", "pipe"],
      timeout: how.timeoutMs ?? 120_000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdin.on("error", () => {});
    child.stdin.end(how.input ?? "");
    child.on("error", reject);
    child.on("close", (code) => resolve({ exitCode: code ?? 137, stdout, stderr }));
  });
}
