import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { startCaretaker } from "./caretaker.ts";
import { toolPath } from "./installation.ts";
import type { Environment, PlaygroundPaths } from "./playground-paths.ts";

/**
 * Pid 1 of the playground. A shell, as it reaps orphans while it waits, which Node does not; when the supervisor ends so
 * does the shell, and the kernel then kills whatever is left.
 */
const INIT = 'mount -t tmpfs -o mode=0755 isthmus /run/netns || exit 1\n"$@" &\nwait "$!"';

export interface Guard {
  readonly process: ChildProcess;
  /** Settles with its end, which is the end of everything inside; rejects when it could not be started. */
  readonly ended: Promise<void>;
}

export interface GuardOptions {
  /** The supervisor's command line, its configuration included. */
  readonly command: readonly string[];
  readonly paths: PlaygroundPaths;
  /** True: it outlives this process. False: it dies with it, by SIGKILL too. */
  readonly detached: boolean;
  readonly env: Environment;
  /** Its nodes keep cgroup folders, which somebody must remove after a crash. */
  readonly cgroups: boolean;
}

/** Starts the chain that ends with the supervisor. Its output goes to logs/supervisor.log. */
export function startGuard({ command, paths, detached, env, cgroups }: GuardOptions): Guard {
  mkdirSync("/run/netns", { recursive: true });
  const namespaces = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const guard = ["unshare", ...namespaces, "sh", "-c", INIT, "isthmus-playground", ...command];
  const [program = "", ...args] = detached ? guard : ["setpriv", "--pdeathsig", "KILL", ...guard];
  const log = openSync(join(paths.logsDir, "supervisor.log"), "a", 0o644);
  const hostProc = openSync("/proc", "r");
  const lifeline = cgroups ? startCaretaker(paths).lifeline : undefined;
  try {
    // A session of its own in both cases: Ctrl-C is for `up`, which then asks the supervisor to stop in order.
    const child = spawn(program, args, {
      stdio: ["ignore", log, log, hostProc, ...(lifeline === undefined ? [] : [lifeline])],
      detached: true,
      cwd: "/",
      env: { ...env, PATH: toolPath(env) },
    });
    if (detached) child.unref();
    const ended = new Promise<void>((resolve, reject) => {
      child.on("exit", () => resolve());
      child.on("error", reject);
    });
    // Awaited later or never: its error is told by whoever awaits it.
    ended.catch(() => {});
    return { process: child, ended };
  } finally {
    closeSync(log);
    closeSync(hostProc);
    lifeline?.destroy();
  }
}
