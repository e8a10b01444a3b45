// From published facts to proxies: batch, make the snapshot current, count, and hand over to the xDS engine.
import { type AdsService, createAdsService } from "#ads/ads-service";
import type { DeltaAction } from "#ads/delta-stream";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { xdsTypeOf } from "#envoy/types";
import type { MeshStore } from "#ingest/mesh-store";
import type { MeshResources } from "./mesh-resources.ts";
import type { Metrics } from "./metrics.ts";
import { createPushBatcher, type MeshPush } from "./push-batcher.ts";

export interface PushesOptions {
  readonly store: MeshStore;
  readonly resources: MeshResources;
  readonly metrics: Metrics;
  readonly debounce: { readonly quietMs: number; readonly maxMs: number; readonly debounceEndpoints: boolean };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface Pushes {
  readonly ads: AdsService<MeshPush>;
  lastPush(): MeshPush | undefined;
}

/** An answer this long after the last push is an answer to a request of its own, not to the push. */
const PUSH_ANSWER_MS = 1000;

export function createPushes(options: PushesOptions): Pushes {
  const { store, resources, metrics, clock, logger, signal } = options;
  let last: { readonly push: MeshPush; readonly emittedAt: number } | undefined;
  const ads = createAdsService({
    source: resources,
    clock,
    logger,
    observe: (_connection, action) => count(action),
  });
  const count = (action: DeltaAction) => {
    if (action.kind === "failed") return metrics.pushErrors.inc();
    const type = (
      xdsTypeOf(action.kind === "respond" ? action.response.typeUrl : action.typeUrl) ?? "other"
    ).toLowerCase();
    if (action.kind === "respond") return metrics.pushes.inc({ type });
    if (action.kind === "rejected") return metrics.rejects.inc({ type });
    // The mark of an accepted answer carries when it was accepted; only answers to the last push tell its way.
    if (last !== undefined && action.mark.at - last.emittedAt < PUSH_ANSWER_MS) {
      metrics.convergence.observe((clock.now() - last.push.observedAt) / 1000);
    }
  };
  const batcher = createPushBatcher({
    clock,
    ...options.debounce,
    emit(push) {
      last = { push, emittedAt: clock.now() };
      resources.publish(push);
      for (const change of push.changes) metrics.inboundUpdates.inc({ type: change.kind });
      logger.debug({ changes: push.changes.length, generation: push.snapshot.generation }, "push");
      ads.push(push);
    },
  });
  const unsubscribe = store.subscribe((publication) => batcher.add(publication));
  const close = () => {
    unsubscribe();
    batcher.close();
  };
  signal.addEventListener("abort", close, { once: true });
  return { ads, lastPush: () => last?.push };
}
