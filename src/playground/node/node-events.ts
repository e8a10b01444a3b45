// What a node tells of itself as events, as a kubelet does. Never waited for: a lost one is no harm.
import { Kinds } from "#api/kinds";
import type { Event } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { KubeClient } from "#kube/kube-client";
import type { NodeProcessConfig } from "../process-config.ts";
import { kubeTime } from "./kube-time.ts";

interface NodeVoice {
  readonly client: Pick<KubeClient, "create">;
  readonly config: Pick<NodeProcessConfig, "nodeName">;
  readonly clock: Clock;
  readonly logger: Logger;
}

type NodeEvent = readonly [reason: string, message: string];

export const statusIsNow = ({ config }: NodeVoice, reason: string): NodeEvent => [
  reason,
  `Node ${config.nodeName} status is now: ${reason}`,
];

export function tellEvents({ client, config, clock, logger }: NodeVoice, events: readonly NodeEvent[]): void {
  const { nodeName: name } = config;
  const now = kubeTime(clock);
  for (const [index, [reason, message]] of events.entries()) {
    const event: Event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { namespace: "default", name: `${name}.${(clock.now() + index).toString(16)}` },
      involvedObject: { kind: "Node", name, uid: name },
      ...{ type: "Normal", reason, message, count: 1, firstTimestamp: now, lastTimestamp: now },
      source: { component: "kubelet", host: name },
      reportingComponent: "kubelet",
      reportingInstance: name,
    };
    client.create(Kinds.Event, event).catch((thrown: unknown) => {
      logger.debug({ reason, error: errorMessage(thrown) }, "event not told");
    });
  }
}

/** Tells of each change; a node begins as one that takes pods, so that one that begins cordoned is told of, too. */
export function createScheduleTeller(voice: NodeVoice): (unschedulable: boolean) => void {
  let before = false;
  return (unschedulable) => {
    if (unschedulable === before) return;
    before = unschedulable;
    tellEvents(voice, [statusIsNow(voice, unschedulable ? "NodeNotSchedulable" : "NodeSchedulable")]);
  };
}
