// The signal that asks a program to end, as pods and images write it.
import { constants } from "node:os";

const FIRST_REAL_TIME = 34;
const LAST_REAL_TIME = 64;

/** The number of `SIGQUIT`, `quit`, `3`, `SIGRTMIN+3` or `RTMAX-1`; of what is no signal SIGTERM's. */
export function stopSignalNumber(written: string | undefined): number {
  const name = (written ?? "").toUpperCase().replace(/^SIG/, "");
  const number = /^\d+$/.test(name) ? Number(name) : (realTime(name) ?? signals[`SIG${name}`] ?? 0);
  return number > 0 && number <= LAST_REAL_TIME ? number : constants.signals.SIGTERM;
}

const signals: Readonly<Record<string, number>> = constants.signals;

function realTime(name: string): number | undefined {
  const match = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (!match) return undefined;
  const [, end, sign, steps = "0"] = match;
  return (end === "MIN" ? FIRST_REAL_TIME : LAST_REAL_TIME) + (sign === "-" ? -1 : 1) * Number(steps);
}
