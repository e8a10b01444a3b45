// Events are for people (`kubectl describe`): written beside the work, never waited for, repeated ones counted.

import { apiVersionOf, Kinds, type ResourceType } from "#api/kinds";
import type { Event } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { KubeClient } from "#kube/kube-client";
import { identityOf, kubeTime } from "./object-meta.ts";

export interface EventText {
  readonly type: "Normal" | "Warning";
  /** One CamelCase word, Kubernetes' own where it has one. */
  readonly reason: string;
  readonly message: string;
  /** What was tried, of sources that tell it. */
  readonly action?: string;
}

export interface EventRecorder {
  record(source: string, about: { type: ResourceType; object: KubeObject }, text: EventText): void;
}

interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

const REMEMBERED = 1000;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, logger } = options;
  const counts = new Map<string, { name: string; count: number }>();
  let sequence = clock.now();
  return {
    record(source, about, text) {
      const { namespace, name, uid } = identityOf(about.object);
      const key = [source, uid, text.reason, text.message].join("\n");
      const known = counts.get(key);
      const event = known ?? { name: `${name}.${(++sequence).toString(16)}`, count: 0 };
      event.count += 1;
      counts.delete(key);
      counts.set(key, event);
      if (counts.size > REMEMBERED) counts.delete(counts.keys().next().value ?? "");
      const at = { namespace: namespace === "" ? "default" : namespace, name: event.name };
      const now = kubeTime(clock.now());
      const write =
        event.count > 1
          ? client.patch(Kinds.Event, at, { count: event.count, lastTimestamp: now }, { type: "merge" })
          : client.create(Kinds.Event, newEvent(at, about, { ...text, source, now }));
      write.catch((thrown: unknown) => {
        counts.delete(key);
        logger.debug({ reason: text.reason, key: `${namespace}/${name}`, error: errorMessage(thrown) }, "event lost");
      });
    },
  };
}

function newEvent(
  at: { namespace: string; name: string },
  about: { type: ResourceType; object: KubeObject },
  text: EventText & { source: string; now: string },
): Event {
  const { namespace, name, uid } = identityOf(about.object);
  const resourceVersion = about.object.metadata?.resourceVersion;
  return {
    metadata: at,
    involvedObject: {
      apiVersion: apiVersionOf(about.type),
      kind: about.type.kind,
      name,
      uid,
      ...(namespace === "" ? {} : { namespace }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    type: text.type,
    reason: text.reason,
    message: text.message,
    ...(text.action === undefined ? {} : { action: text.action }),
    source: { component: text.source },
    reportingComponent: text.source,
    count: 1,
    firstTimestamp: text.now,
    lastTimestamp: text.now,
  };
}
