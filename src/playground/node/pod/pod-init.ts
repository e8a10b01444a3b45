// The first process of a pid namespace that all containers of a pod share: it waits, and buries orphans.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { MeshError } from "#base/mesh-error";
import { TOOL_ENVIRONMENT } from "../run-command.ts";

export interface PodInit {
  /** Of the namespace, for nsenter. */
  readonly path: string;
  /** Ends every process in it. */
  stop(): void;
}

/** Throws MeshError TOOL_FAILED. */
export async function startPodInit(): Promise<PodInit> {
  const script = "echo ready; while :; do sleep 86400 & wait; done";
  const words = ["--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "sh", "-c", script];
  const child = spawn("setpriv", words, { stdio: ["ignore", "pipe", "ignore"], env: TOOL_ENVIRONMENT });
  const ready = await new Promise<boolean>((resolve) => {
    child.stdout.once("data", () => resolve(true));
    child.once("error", () => resolve(false));
    child.once("exit", () => resolve(false));
  });
  const pid = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ")[0];
  if (!ready || !pid) throw new MeshError("TOOL_FAILED", "the shared pid namespace of the pod could not be made");
  return { path: `/proc/${pid}/ns/pid`, stop: () => child.kill("SIGKILL") };
}
