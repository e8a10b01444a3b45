import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const TICKS = Number(execFileSync("getconf", ["CLK_TCK"]).toString());

export interface ProcessCost {
  readonly pssMiB: number;
  readonly cpuSeconds: number;
}

/** What the processes hold and have used so far, together. */
export function processCost(pids: readonly number[]): ProcessCost {
  let pssKiB = 0;
  let ticks = 0;
  for (const pid of pids) {
    pssKiB += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return { pssMiB: Math.round(pssKiB / 1024), cpuSeconds: ticks / TICKS };
}
