import { spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { cgroupMounts } from "../kubelet-node/cgroup-folders.ts";
import { playgroundId } from "./playground-paths.ts";

/** What all cgroup folders of a playground's real nodes begin with. */
export function cgroupPrefix(paths: { readonly stateDir: string }): string {
  return `isthmus-${playgroundId(paths)}-`;
}

/**
 * Ten seconds, as the last process may take a moment. The folders of a killed playground hold nothing any more; one that
 * does not go is left for `down`, which says so.
 */
const SCRIPT = `
cat >/dev/null
prefix=$1
shift
for try in $(seq 200); do
  left=$(find "$@" -mindepth 1 -maxdepth 1 -name "$prefix*")
  [ -z "$left" ] && exit
  find $left -depth -type d -exec rmdir {} + 2>/dev/null
  sleep 0.05
done
`;

export interface Caretaker {
  /** Must be handed to the guard and closed here: when nobody holds it any more, the playground is gone. */
  readonly lifeline: Writable;
}

/**
 * A process outside of the playground's namespaces that sees its end, however it comes, and removes the cgroup folders:
 * the one thing that the kernel does not take along.
 */
export function startCaretaker(paths: { readonly stateDir: string }): Caretaker {
  const command = ["-c", SCRIPT, "isthmus-caretaker", cgroupPrefix(paths), ...cgroupMounts()];
  const child = spawn("sh", command, { stdio: ["pipe", "ignore", "ignore"], detached: true, cwd: "/" });
  child.unref();
  // Its absence costs folders after a crash, which the next command removes.
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  return { lifeline: child.stdin };
}
