import type { Container, Pod } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import type { ContainerLog } from "./container-log.ts";
import type { ContainerProcess } from "./container-process.ts";

type EventRecorder = (type: "Normal" | "Warning", reason: string, message: string) => void;

export interface ContainerRunnerOptions {
  /** As it is started the next time. */
  readonly container: Container;
  /** Other amounts of cpu and memory from now on. */
  readonly setResources: (from: Container) => void;
  readonly isInit: boolean;
  readonly pod: () => Pod;
  /** The restart count to begin with: what an earlier run of this node told the API server. */
  readonly restartCount: number;
  readonly podIP: () => string;
  readonly graceSeconds: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly record: EventRecorder;
  /** The path of the log of the n-th start. */
  readonly logPath: (attempt: number) => string;
  /** Prepares and starts the program. Throws MeshError. */
  readonly launch: (attempt: number, log: ContainerLog) => Promise<ContainerProcess>;
  /** The status changed. */
  readonly onChange: () => void;
}
