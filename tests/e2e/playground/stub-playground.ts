import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { until } from "#base/until";
import { identifyProcess } from "#playground/lifecycle/host-process";
import { findExecutable, toolPath } from "#playground/lifecycle/installation";
import type { PlaygroundStatus } from "#playground/lifecycle/playground-status";

/** Why these tests cannot run on this machine; undefined when they can. */
export function cannotRun(): string | undefined {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const missing = ["ip", "iptables-restore", "unshare", "nsenter", "setpriv"].filter(
    (tool) => findExecutable(tool, toolPath(process.env)) === undefined,
  );
  return missing.length === 0 ? undefined : `missing tools: ${missing.join(", ")}`;
}

const SOURCE = fileURLToPath(new URL("stub-cli.ts", import.meta.url));
const STUB_PROGRAM = fileURLToPath(new URL("stub-program.mjs", import.meta.url));

/** The command in one file, as it is built for people: a start from sources takes five times as long. */
async function bundleCli(): Promise<string> {
  const file = fileURLToPath(
    new URL(`../../../node_modules/.isthmus-e2e/stub-cli-${process.pid}.mjs`, import.meta.url),
  );
  const bundle = await rolldown({
    input: SOURCE,
    platform: "node",
    resolve: { conditionNames: ["source", "import", "node"] },
  });
  await bundle.write({ file, format: "esm", codeSplitting: false });
  await bundle.close();
  process.once("exit", () => rmSync(file, { force: true }));
  return file;
}

const CLI = cannotRun() === undefined ? await bundleCli() : SOURCE;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly done: Promise<Finished>;
  readonly held: () => Promise<unknown>;
}

/** One state directory of its own, in which playgrounds with stub programs are started by commands. */
export class StubHome {
  readonly home = mkdtempSync(join(tmpdir(), "isthmus-lifecycle-"));

  /** `held` settles when the command tells that the playground is up and that it stays in the foreground. */
  start(args: readonly string[], env: Record<string, string> = {}): Started {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { ...process.env, XDG_STATE_HOME: this.home, ENVOY_BIN: process.execPath, STUB_PROGRAM, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    const done = new Promise<Finished>((resolve) => {
      child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
    const held = () => until(() => stderr.includes("stays up until"), { reason: "it is held", timeoutMs: 60_000 });
    return { child, done, held };
  }

  run(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
    return this.start(args, env).done;
  }

  statusFile(name: string): PlaygroundStatus | undefined {
    const file = join(this.home, "isthmus", name, "status.json");
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as PlaygroundStatus) : undefined;
  }

  ready(name: string): Promise<PlaygroundStatus> {
    const isReady = () => {
      const status = this.statusFile(name);
      return status?.phase === "ready" && status;
    };
    return until(isReady, { reason: `playground ${name} is ready`, timeoutMs: 60_000, intervalMs: 20 });
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await this.run(["down", "--name", name]);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
  }
}

/** What a playground holds on this machine, as the kernel sees it. */
export interface Traces {
  /** Its own and those of its containers. */
  readonly pidNamespaces: readonly string[];
  readonly mountNamespaces: readonly string[];
  readonly netNamespaces: readonly string[];
  /** Clock ticks after boot. The kernel gives the numbers of dead namespaces to new ones, of another playground maybe. */
  readonly takenAt: number;
  readonly hostInterface: string;
  readonly stateDir: string;
}

const namespaceOf = (pid: number | string, kind: string) => {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return "";
  }
};
/** A zombie holds nothing: it waits for the machine's init to take note of it. */
const isZombie = (pid: string) => {
  try {
    return /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
};
const allPids = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name) && !isZombie(name));

const parentOf = (pid: string) => {
  try {
    return /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
};

/** The kernel's unit in /proc, whatever it counts with inside. */
const TICKS_PER_SECOND = 100;

const startedAt = (pid: string) => Number(identifyProcess(Number(pid))?.startTime ?? Number.POSITIVE_INFINITY);

/** The pids of a process and of all that descend from it; whoever loses its parent in a playground stays below its pid 1. */
export function familyOf(pid: number | string): string[] {
  const children = new Map<string, string[]>();
  for (const each of allPids()) children.set(parentOf(each), [...(children.get(parentOf(each)) ?? []), each]);
  const family = (parent: string): string[] => [parent, ...(children.get(parent) ?? []).flatMap(family)];
  return family(String(pid));
}

export function tracesOf(status: PlaygroundStatus): Traces {
  const family = familyOf(status.guard?.pid ?? 0);
  const own = (kind: string) =>
    [...new Set(family.map((pid) => namespaceOf(pid, kind)))].filter(
      (namespace) => namespace !== "" && namespace !== namespaceOf("self", kind),
    );
  return {
    pidNamespaces: own("pid"),
    mountNamespaces: own("mnt"),
    netNamespaces: own("net"),
    takenAt: Math.ceil(Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * TICKS_PER_SECOND),
    hostInterface: status.outer?.hostInterface ?? "",
    stateDir: status.stateDir,
  };
}

/** Everything of `traces` that is still there; empty when nothing is. */
export function remains(traces: Traces): string[] {
  const left: string[] = [];
  for (const pid of allPids().filter((pid) => startedAt(pid) <= traces.takenAt)) {
    if (traces.pidNamespaces.includes(namespaceOf(pid, "pid"))) left.push(`process ${pid}`);
    if (traces.mountNamespaces.includes(namespaceOf(pid, "mnt"))) left.push(`mount namespace of ${pid}`);
    if (traces.netNamespaces.includes(namespaceOf(pid, "net"))) left.push(`network namespace of ${pid}`);
  }
  if (existsSync(`/sys/class/net/${traces.hostInterface}`)) left.push(`interface ${traces.hostInterface}`);
  if (readFileSync("/proc/mounts", "utf8").includes(traces.stateDir)) left.push("a mount");
  return left;
}

/** Waits until nothing is left: a fraction of a second, but on a busy machine. */
export async function untilGone(traces: Traces, timeoutMs = 60_000): Promise<void> {
  try {
    await until(() => remains(traces).length === 0, { reason: "nothing is left", timeoutMs, intervalMs: 10 });
  } catch {
    throw new Error(`after ${timeoutMs} ms still there: ${remains(traces).join(", ")}`);
  }
}

/** Runs a shell script in a network namespace of a running playground, named as below its own /run/netns. */
export function inNamespace(status: PlaygroundStatus, namespace: string, script: string): string {
  const enter = ["-t", String(status.supervisor?.pid), "-m", "-p", "--", "nsenter", `--net=/run/netns/${namespace}`];
  return execFileSync("nsenter", [...enter, "bash", "-ec", script], { encoding: "utf8", stdio: "pipe" });
}
