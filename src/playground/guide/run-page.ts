// Runs the commands of a page one after another, as a person at a terminal would: waits where the page says to wait.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "#base/clock";
import type { PageCommand } from "./parse-page.ts";

export interface CommandResult {
  readonly command: PageCommand;
  readonly exitCode: number;
  /** Standard output and error together, as a terminal shows them. */
  readonly output: string;
  readonly milliseconds: number;
}

export interface RunPageOptions {
  /** KUBECONFIG, CTX_*, PATH with istioctl. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The folder that holds `samples`, as a release folder does. */
  readonly releaseFolder: string;
  readonly onResult: (result: CommandResult, index: number) => void;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Bound of one command and of one wait, default 120 s. */
  readonly timeoutMs?: number;
}

const RETRY_MS = 100;

/** Runs in a folder of its own, so that files which the page makes stay out of the release folder. Stops at the first failure. */
export async function runPage(commands: readonly PageCommand[], options: RunPageOptions): Promise<CommandResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-guide-"));
  symlinkSync(join(options.releaseFolder, "samples"), join(folder, "samples"));
  const results: CommandResult[] = [];
  try {
    for (const [index, command] of commands.entries()) {
      const result = await runUntilReady(command, folder, options);
      results.push(result);
      options.onResult(result, index);
      if (result.exitCode !== 0 || options.signal.aborted) break;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

/** A page that shows a table with READY expects the reader to wait until the pods are: look again until they are. */
async function runUntilReady(command: PageCommand, folder: string, options: RunPageOptions): Promise<CommandResult> {
  const clock = options.clock ?? systemClock;
  const start = clock.now();
  const deadline = start + (options.timeoutMs ?? 120_000);
  for (;;) {
    const { exitCode, output } = await runShell(command.text, folder, options, deadline - clock.now());
    const milliseconds = clock.now() - start;
    const result = { command, exitCode, output, milliseconds };
    if (exitCode !== 0 || !awaitsReady(command) || allReady(output)) return result;
    if (clock.now() >= deadline || options.signal.aborted) {
      return { ...result, exitCode: 1, output: `${output}\nthe pods did not become ready in time\n` };
    }
    await clock.sleep(RETRY_MS, options.signal).catch(() => {});
  }
}

export function awaitsReady(command: PageCommand): boolean {
  return /\bREADY\b/.test(command.sample[0] ?? "");
}

/** Every row of a `kubectl get pod` table is Running with all containers ready, and there is at least one row. */
export function allReady(table: string): boolean {
  const lines = table.trim().split("\n");
  const head = lines.findIndex((line) => /\bREADY\b/.test(line));
  const rows = lines.slice(head + 1);
  if (head < 0 || rows.length === 0) return false;
  return rows.every((row) => {
    const [, ready = "", status] = row.trim().split(/\s+/);
    const [have, want] = ready.split("/");
    return have === want && status === "Running";
  });
}

/**
 * bash, standard input answers every prompt with y. Without --norc bash takes a standard input that is a socket, as Node's
 * are, for a remote shell's and reads the person's .bashrc.
 */
function runShell(
  text: string,
  folder: string,
  options: RunPageOptions,
  timeoutMs: number,
): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn("bash", ["--norc", "-o", "pipefail", "-c", text], {
      cwd: folder,
      env: options.environment,
      stdio: ["pipe", "pipe", "pipe"],
      signal: options.signal,
      timeout: Math.max(1000, timeoutMs),
      killSignal: "SIGKILL",
    });
    let output = "";
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.stdin.on("error", () => {});
    child.stdin.end("y\n");
    child.on("error", (error) => resolve({ exitCode: 1, output: `${output}${error.message}\n` }));
    child.on("close", (code) => resolve({ exitCode: code ?? 1, output }));
  });
}
