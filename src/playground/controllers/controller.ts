import { setMaxListeners } from "node:events";
import type { Clock } from "#base/clock";
import { type Component, untilAborted } from "#base/component";
import type { Logger } from "#base/logger";
import type { KubeClient } from "#kube/kube-client";
import type { WorkQueue } from "#kube/work-queue";
import type { EventRecorder } from "./objects/event-recorder.ts";
import type { Synced } from "./objects/object-cache.ts";
import type { ObjectCaches } from "./objects/object-caches.ts";
import type { ObjectIndexes } from "./objects/object-index.ts";

/** What every controller is made from; all of it is shared. */
export interface ControllerContext {
  readonly client: KubeClient;
  readonly caches: ObjectCaches;
  readonly indexes: ObjectIndexes;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A controller begins to work when it has seen all of the kinds it needs: never on half the truth. */
export function controllerComponent(queue: WorkQueue, needs: readonly Synced[]): Component {
  return {
    name: `controllers/${queue.name}`,
    async run(signal) {
      // All controllers and watches of the process listen to one signal: more than Node expects by default.
      setMaxListeners(0, signal);
      await Promise.race([Promise.all(needs.map((cache) => cache.synced)), untilAborted(signal)]);
      await queue.run(signal);
    },
  };
}
