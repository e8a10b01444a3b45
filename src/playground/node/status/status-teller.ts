import type { PodStatus } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";

const RETRY_MS = 500;
const GATHER_MS = 8;

/** Tells the API server a pod's status: only when it changed, one patch at a time, the newest when several are due. */
export class StatusTeller {
  /** What was told last. */
  last: PodStatus | undefined;
  readonly #compute: () => PodStatus;
  readonly #send: (status: PodStatus) => Promise<boolean>;
  readonly #context: { readonly clock: Clock; readonly logger: Logger };
  readonly #listeners = new Set<() => void>();
  #lastText = "";
  #dirty = false;
  #sending: Promise<void> | undefined;

  /** `send` gives false when the pod is gone: then nothing is told any more. */
  constructor(
    compute: () => PodStatus,
    send: (status: PodStatus) => Promise<boolean>,
    context: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#compute = compute;
    this.#send = send;
    this.#context = context;
  }

  /** Something happened that the status may depend on. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
    this.#dirty = true;
    this.#sending ??= this.#tellAll();
  }

  /** A newer version of the pod came, with this status. Who else wrote the pod's readiness did not ask its containers: it is told anew. */
  found(status: PodStatus | undefined): void {
    if (this.last !== undefined && readinessOf(status) !== readinessOf(this.last)) this.#lastText = "";
    this.changed();
  }

  /** Resolves when all that happened so far is told. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  /** Resolves when `isSo` holds, looking again whenever something happened, or when the signal aborts. */
  until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isSo() && !signal.aborted) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      signal.addEventListener("abort", look, { once: true });
      look();
    });
  }

  async #tellAll(): Promise<void> {
    while (this.#dirty) {
      // What happens together travels together.
      await this.#context.clock.sleep(GATHER_MS);
      this.#dirty = false;
      const status = this.#compute();
      const text = JSON.stringify(status);
      if (text === this.#lastText) continue;
      this.last = status;
      try {
        if (!(await this.#send(status))) break;
        this.#lastText = text;
      } catch (thrown) {
        this.#context.logger.warn({ error: errorMessage(thrown) }, "pod status not told, trying again");
        this.#dirty = true;
        await this.#context.clock.sleep(RETRY_MS);
      }
    }
    this.#sending = undefined;
  }
}

function readinessOf(status: PodStatus | undefined): string | undefined {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status;
}
