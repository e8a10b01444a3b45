// One drive through the guide, without waiting for a person: times by phase, and how much memory everything takes.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parsePage } from "#playground/guide/parse-page";
import { runPage } from "#playground/guide/run-page";
import { guideEnvironment } from "#playground/guide/start-command";
import type { PlaygroundStatus } from "#playground/lifecycle/playground-status";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const ISTHMUS = join(ROOT, "bin", "isthmus");
export const GUIDE = join(ROOT, "docs", "guide.md");

interface Phase {
  readonly name: string;
  readonly ms: number;
}

export interface ProgramMemory {
  readonly program: string;
  readonly count: number;
  readonly pssMiB: number;
}

export interface Run {
  /** In order; the first is `playground up`. */
  readonly phases: readonly Phase[];
  /** From `playground up` to the first alternation of versions. */
  readonly totalMs: number;
  readonly memoryWhenReady: readonly ProgramMemory[];
  /** After the guide. */
  readonly memory: readonly ProgramMemory[];
}

export interface MeasureOptions {
  readonly page: string;
  /** Of `playground up`. */
  readonly flags?: readonly string[];
}

/** Which phase a command of the guide belongs to, by what it does. */
const PHASES: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["install the control planes", /istioctl install|cat <</],
  ["east-west gateways", /eastwest|expose/],
  ["remote secrets", /remote/],
  ["deploy the sample", /namespace|helloworld\.yaml|sleep\.yaml/],
  ["wait for pods", /get pod(?!.*exec)/],
  ["first calls", /kubectl exec/],
];

/** Set-up must be done; nothing else should load the machine. Takes the playground down, whatever happens. */
export async function measureGuide({ page, flags = [] }: MeasureOptions): Promise<Run> {
  const stateHome = mkdtempSync(join(tmpdir(), "isthmus-bench-"));
  const base = { ...process.env, XDG_STATE_HOME: stateHome };
  const name = `bench${process.pid}`;
  const start = performance.now();
  const phases: Phase[] = [];
  try {
    execFileSync(ISTHMUS, ["playground", "up", "--detach", "--name", name, ...flags], { env: base, stdio: "ignore" });
    phases.push({ name: "playground up", ms: performance.now() - start });
    const status = JSON.parse(
      execFileSync(ISTHMUS, ["playground", "status", "--name", name, "-o", "json"], { env: base }).toString(),
    ) as PlaygroundStatus;
    const looking = performance.now();
    const memoryWhenReady = memoryOf(status.supervisor?.pid ?? 0);
    const looked = performance.now() - looking;
    const environment = { ...base, ...guideEnvironment(status, ROOT), XDG_STATE_HOME: stateHome };
    const results = await runPage(parsePage(readFileSync(page, "utf8")), {
      environment,
      releaseFolder: ROOT,
      onResult: () => {},
      signal: new AbortController().signal,
    });
    const failed = results.find((result) => result.exitCode !== 0);
    if (failed !== undefined) throw new Error(`${failed.command.text}\n${failed.output}`);
    for (const [phase, pattern] of PHASES) {
      const mine = results.filter(
        (result) => PHASES.find(([, first]) => first.test(result.command.text))?.[1] === pattern,
      );
      phases.push({
        name: `${phase} (${mine.length} commands)`,
        ms: mine.reduce((sum, result) => sum + result.milliseconds, 0),
      });
    }
    const alternation = performance.now();
    await untilBothVersions(environment, status.clusters[0]?.context ?? "cluster1");
    phases.push({ name: "until both versions answered", ms: performance.now() - alternation });
    const totalMs = performance.now() - start - looked;
    return { phases, totalMs, memoryWhenReady, memory: memoryOf(status.supervisor?.pid ?? 0) };
  } finally {
    execFileSync(ISTHMUS, ["playground", "down", "--name", name], { env: base, stdio: "ignore" });
    rmSync(stateHome, { recursive: true, force: true });
  }
}

/** Calls until v1 and v2 have both answered; one exec, at most 50 calls. */
function untilBothVersions(env: Record<string, string | undefined>, context: string): Promise<void> {
  const loop =
    'seen=; i=0; while [ $i -lt 50 ]; do r=$(curl -s helloworld.sample:5000/hello); case $r in *v1*) a=1;; *v2*) b=1;; esac; [ "$a$b" = 11 ] && exit 0; i=$((i+1)); done; exit 1';
  return new Promise((resolve, reject) => {
    const child = spawn(
      "kubectl",
      ["exec", "--context", context, "-n", "sample", "-c", "sleep", "deploy/sleep", "--", "sh", "-c", loop],
      { env, stdio: "ignore" },
    );
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error("the versions did not alternate in 50 calls")),
    );
  });
}

/** Proportional memory of all descendants of the supervisor, by program. */
function memoryOf(supervisor: number): readonly ProgramMemory[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = readIfThere(`/proc/${entry}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    parents.set(Number(entry), Number(fields[1] ?? 0));
  }
  const isBelow = (pid: number): boolean => pid === supervisor || (pid > 1 && isBelow(parents.get(pid) ?? 0));
  const sums = new Map<string, { count: number; kib: number }>();
  for (const pid of parents.keys()) {
    if (!isBelow(pid)) continue;
    const kib = Number(/^Pss:\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
    if (kib === 0) continue;
    const program = programOf(pid);
    const sum = sums.get(program) ?? { count: 0, kib: 0 };
    sums.set(program, { count: sum.count + 1, kib: sum.kib + kib });
  }
  return [...sums]
    .map(([program, { count, kib }]) => ({ program, count, pssMiB: Math.round(kib / 102.4) / 10 }))
    .sort((a, b) => b.pssMiB - a.pssMiB);
}

function programOf(pid: number): string {
  const args = readIfThere(`/proc/${pid}/cmdline`).split("\0");
  const script = args.find((arg) => /\.[cm]js$/.test(arg));
  return (script ?? args[0] ?? "?").split("/").at(-1) ?? "?";
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process has ended between the listing and this look.
    return "";
  }
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
