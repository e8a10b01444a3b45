import { readFileSync } from "node:fs";
import { LoggedProgram, logTail } from "../lifecycle/logged-program.ts";

const WATCHES = "/proc/sys/fs/inotify/max_user_instances";

/** What a person can do about a reason that many machines have in common; empty for any other. */
export function adviceOn(log: string): readonly string[] {
  if (!logTail(log).some((line) => line.includes("too many open files"))) return [];
  const limit = readFileSync(WATCHES, "utf8").trim();
  return [
    `each real cluster watches files about 20 times, and this machine lets one user do so ${limit} times:`,
    "take another playground down, or raise it: sysctl -w fs.inotify.max_user_instances=512",
  ];
}

/** One of the programs of a node. */
export class NodeProgram extends LoggedProgram {
  /** One log leads to the other: the supervisor shows the end of this program's. */
  protected override explain(log: string): readonly string[] {
    return [...logTail(log), ...adviceOn(log)];
  }
}
