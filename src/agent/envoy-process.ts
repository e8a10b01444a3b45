import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { MeshError } from "#base/mesh-error";

export interface EnvoyOptions {
  readonly binary: string;
  readonly bootstrapPath: string;
  readonly concurrency: number;
  readonly logLevel: string;
  readonly componentLogLevel: string;
  /** Seconds that a removed listener serves on. */
  readonly drainSeconds: number;
}

export interface EnvoyProcess {
  readonly pid: number;
  /** Its exit code, 128 + the signal's number for a signal. Rejects when the binary cannot be run. */
  readonly exited: Promise<number>;
  /** Ends it: SIGTERM, then SIGKILL if it is still there after `graceMs`. Resolves with the exit code. */
  stop(graceMs?: number): Promise<number>;
}

/** Starts Envoy with the agent's own standard output and error. */
export function startEnvoy(options: EnvoyOptions): EnvoyProcess {
  const child = spawn(options.binary, envoyArguments(options), { stdio: ["ignore", "inherit", "inherit"] });
  const exited = exitOf(child, options.binary);
  exited.catch(() => undefined); // the caller may come to it later
  return {
    pid: child.pid ?? 0,
    exited,
    async stop(graceMs = 1000) {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Hot restart wants shared memory and a number of its own; access logs should not wait 10 s to be seen. */
export function envoyArguments(options: EnvoyOptions): string[] {
  const { bootstrapPath, concurrency, logLevel, componentLogLevel, drainSeconds } = options;
  return [
    "-c",
    bootstrapPath,
    "--disable-hot-restart",
    "--concurrency",
    String(concurrency),
    "-l",
    logLevel,
    ...(componentLogLevel === "" ? [] : ["--component-log-level", componentLogLevel]),
    "--drain-time-s",
    String(drainSeconds),
    "--drain-strategy",
    "immediate",
    "--file-flush-interval-msec",
    "200",
  ];
}

function exitOf(child: ChildProcess, binary: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      const hint = "Set PROXY_CONFIG.binaryPath to an Envoy that runs on this machine.";
      reject(new MeshError("ENVOY", `cannot run ${binary}: ${cause.message}`, { cause, hint }));
    });
    child.once("exit", (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
