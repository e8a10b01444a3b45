import type { NumberPool } from "./number-pool.ts";
import type { ServiceRanges } from "./service-ranges.ts";

/** One try to take and to give back: undone as a whole. */
export interface Operation {
  readonly owner: string;
  readonly ports: NumberPool;
  readonly ranges: ServiceRanges;
  readonly undo: (() => void)[];
  readonly dryRun: boolean;
  /** Ports that it has taken. */
  readonly given: number[];
}
