import type { DeltaRequest } from "#envoy/discovery";

/** A response as it went out, or as it was answered. */
export interface ResponseMark {
  readonly nonce: string;
  /** The push it belonged to. */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What it held or took away; of a rejection, what has not been accepted since. */
  readonly names: readonly string[];
}

export interface Rejection extends ResponseMark {
  /** Envoy's own words. */
  readonly message: string;
}

/** What one stream wants of one type, and what it is known to hold. A value: every step makes a new one. */
export interface Subscription {
  readonly typeUrl: string;
  /** Everything of the type, by `*` or by a first request without names. */
  readonly wildcard: boolean;
  /** Names asked for one by one. */
  readonly names: ReadonlySet<string>;
  /** Versions the client holds or was sent, by name. */
  readonly held: ReadonlyMap<string, string>;
  /** Responses that were not answered yet, oldest first. */
  readonly open: readonly ResponseMark[];
  readonly sent: ResponseMark | undefined;
  readonly acked: ResponseMark | undefined;
  /** The last refusal, until all it was about is accepted. */
  readonly rejected: Rejection | undefined;
}

const WILDCARD = "*";

/** The subscription that a first request of a type makes: without names it means everything (the legacy form). */
export function firstSubscription(request: DeltaRequest): Subscription {
  const names = request.subscribe.filter((name) => name !== WILDCARD);
  return {
    typeUrl: request.typeUrl,
    wildcard: request.subscribe.length === 0 || names.length < request.subscribe.length,
    names: new Set(names),
    held: request.initialVersions,
    open: [],
    sent: undefined,
    acked: undefined,
    rejected: undefined,
  };
}

/** Adds and drops names. What is no longer subscribed is forgotten by the client, so it is no longer held. */
export function resubscribe(subscription: Subscription, request: DeltaRequest): Subscription {
  const names = new Set(subscription.names);
  for (const name of request.subscribe) if (name !== WILDCARD) names.add(name);
  for (const name of request.unsubscribe) names.delete(name);
  const wildcard =
    request.subscribe.includes(WILDCARD) || (subscription.wildcard && !request.unsubscribe.includes(WILDCARD));
  const kept = [...subscription.held].filter(([name]) => wildcard || names.has(name));
  return { ...subscription, wildcard, names, held: new Map(kept) };
}

/** Takes in an ACK or a NACK. One whose nonce we do not await is stale and changes nothing. */
export function settle(subscription: Subscription, request: DeltaRequest, now: number): Subscription {
  const index = subscription.open.findIndex((mark) => mark.nonce === request.responseNonce);
  const mark = subscription.open[index];
  if (mark === undefined) return subscription;
  const open = subscription.open.filter((_, at) => at !== index);
  if (request.error !== undefined) {
    return { ...subscription, open, rejected: { ...mark, at: now, message: request.error.message } };
  }
  return { ...subscription, open, acked: { ...mark, at: now }, rejected: withoutNames(subscription.rejected, mark) };
}

function withoutNames(rejected: Rejection | undefined, accepted: ResponseMark): Rejection | undefined {
  if (rejected === undefined) return undefined;
  const mended = new Set(accepted.names);
  const names = rejected.names.filter((name) => !mended.has(name));
  if (names.length === rejected.names.length) return rejected;
  return names.length === 0 ? undefined : { ...rejected, names };
}

/** What remains of names for a change: those that this subscription would hear of. */
export function concerns(subscription: Subscription, name: string): boolean {
  return subscription.wildcard || subscription.names.has(name);
}

/** Names as read from the source: undefined for everything. */
export function readable(subscription: Subscription): readonly string[] | undefined {
  return subscription.wildcard ? undefined : [...subscription.names];
}
