// What a crashed playground may leave: a guard that is still dying, the host's interface, cgroup folders of
// real nodes, files. Nothing else can stay.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { MeshError } from "#base/mesh-error";
import { until } from "#base/until";
import { removeCgroupFolders } from "../kubelet-node/cgroup-folders.ts";
import { run } from "../network/apply-plan.ts";
import { hostInterfaceName } from "../network/layout.ts";
import { cgroupPrefix } from "./caretaker.ts";
import { isAlive, type ProcessIdentity, signalProcess } from "./host-process.ts";
import type { PlaygroundPaths } from "./playground-paths.ts";
import { readStatus } from "./playground-status.ts";

const DYING_MS = 1000;
const KILLED_MS = 5000;

/** Waits until nothing of the playground runs, by force after a second, then removes its interface, its cgroup
 * folders and its files. */
export async function collectLeftovers(paths: PlaygroundPaths): Promise<void> {
  const status = await readStatus(paths).catch(() => undefined);
  if (status !== undefined) await awaitGuard(status);
  await removeHostInterface(hostInterfaceName(paths.stateDir));
  await removeCgroupFolders(cgroupPrefix(paths));
  await rm(paths.stateDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** Ends the guard if it will not end by itself; with it goes everything inside its pid namespace. */
export async function awaitGuard({ guard }: { readonly guard?: ProcessIdentity | undefined }): Promise<void> {
  if (guard === undefined) return;
  const gone = (timeoutMs: number) =>
    until(() => !isAlive(guard), { reason: `process ${guard.pid} ended`, timeoutMs, intervalMs: 10 });
  try {
    await gone(DYING_MS);
  } catch {
    signalProcess(guard, "SIGKILL");
    await gone(KILLED_MS);
  }
}

/** The kernel removes it with the namespace of its other end, a moment after the last process; else we do. */
async function removeHostInterface(device: string): Promise<void> {
  const gone = () => !existsSync(`/sys/class/net/${device}`);
  const wait = { reason: `interface ${device} is gone`, timeoutMs: DYING_MS, intervalMs: 10 };
  try {
    await until(gone, wait);
  } catch {
    await run(["ip", "link", "del", device]).catch((cause) => {
      if (gone()) return;
      throw new MeshError("LEFTOVER_INTERFACE", `cannot remove the interface ${device}`, {
        cause,
        hint: `remove it: ip link del ${device}`,
      });
    });
  }
}
