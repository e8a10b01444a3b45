// One stream of incremental xDS as a state machine: events in, actions out, no input or output of its own.
// Three rules come from how Envoy warms up: a cluster that was sent needs its endpoints after it even if they did not
// change; endpoints of a live cluster are never removed; and every first request of a type is answered, if only emptily.
import type { DeltaRequest, DeltaResponse, XdsResource } from "#envoy/discovery";
import { PUSH_ORDER, XDS_TYPES } from "#envoy/types";
import type { Touched } from "./resource-source.ts";
import {
  concerns,
  firstSubscription,
  type ResponseMark,
  readable,
  resubscribe,
  type Subscription,
  settle,
} from "./subscription.ts";

export type DeltaEvent =
  | { readonly kind: "request"; readonly request: DeltaRequest }
  | { readonly kind: "change"; readonly touched: ReadonlyMap<string, Touched> };

export type DeltaAction =
  | { readonly kind: "respond"; readonly response: DeltaResponse }
  | { readonly kind: "accepted"; readonly typeUrl: string; readonly mark: ResponseMark }
  | { readonly kind: "rejected"; readonly typeUrl: string; readonly mark: ResponseMark; readonly message: string }
  | { readonly kind: "failed"; readonly typeUrl: string; readonly error: unknown };

export interface DeltaStreamOptions {
  /** Reads the source for this stream's session. A throw leaves the type as it is, and is told as `failed`. */
  readonly read: (typeUrl: string, names: readonly string[] | undefined) => readonly XdsResource[];
  /** A nonce that this stream has not seen. */
  readonly nextNonce: () => string;
  /** Names the push in `system_version_info`. */
  readonly version: () => string;
  readonly now: () => number;
}

/** Which of the names read are sent although their versions match, and which are told to be gone although not held. */
interface Asked {
  readonly force: (name: string) => boolean;
  readonly isNew: boolean;
}

interface Difference {
  readonly changed: readonly XdsResource[];
  readonly removed: readonly string[];
}

const NOTHING: Difference = { changed: [], removed: [] };
const ORDER: readonly string[] = PUSH_ORDER.map((type) => XDS_TYPES[type]);

export class DeltaStream {
  readonly #options: DeltaStreamOptions;
  #subscriptions = new Map<string, Subscription>();
  /** Clusters that went out and whose endpoints have not followed yet. */
  #endpointsDue = new Set<string>();
  /** Types whose last reading failed: the next change looks at all of them, whatever it touches. */
  readonly #behind = new Set<string>();
  #actions: DeltaAction[] = [];

  constructor(options: DeltaStreamOptions) {
    this.#options = options;
  }

  /** By type URL, in the order of the first request. */
  get subscriptions(): ReadonlyMap<string, Subscription> {
    return this.#subscriptions;
  }

  /** Takes one event in; the actions are to be done in their order. */
  step(event: DeltaEvent): DeltaAction[] {
    this.#actions = [];
    if (event.kind === "request") this.#request(event.request);
    else this.#change(event.touched);
    return this.#actions;
  }

  #request(request: DeltaRequest): void {
    const known = this.#subscriptions.get(request.typeUrl);
    if (known === undefined) this.#firstRequest(request);
    else this.#laterRequest(known, request);
  }

  #firstRequest(request: DeltaRequest): void {
    const subscription = firstSubscription(request);
    this.#subscriptions.set(request.typeUrl, subscription);
    const difference = this.#difference(subscription, readable(subscription), {
      force: this.#forced(request.typeUrl),
      isNew: true,
    });
    if (difference !== undefined) this.#answer(request.typeUrl, difference);
  }

  #laterRequest(known: Subscription, request: DeltaRequest): void {
    const settled = settle(known, request, this.#options.now());
    this.#subscriptions.set(request.typeUrl, settled);
    this.#report(known, settled);
    if (request.error !== undefined && settled.open !== known.open) this.#splitRefused(settled);
    if (request.subscribe.length + request.unsubscribe.length > 0) this.#laterNames(request);
  }

  #laterNames(request: DeltaRequest): void {
    const settled = this.#subscriptions.get(request.typeUrl);
    if (settled === undefined) return;
    const subscription = resubscribe(settled, request);
    this.#subscriptions.set(request.typeUrl, subscription);
    if (request.subscribe.length === 0) return;
    // A name subscribed anew is sent even if it was sent before: the client may have dropped it in between.
    const names = request.subscribe.includes("*") ? undefined : request.subscribe;
    const difference = this.#difference(subscription, names, {
      force: (name) => request.subscribe.includes(name),
      isNew: true,
    });
    if (difference !== undefined) this.#answer(request.typeUrl, difference);
  }

  /**
   * Envoy may refuse a whole response for one bad resource in it. The halves of what was refused go out again, each in
   * a response of its own, down to the one that is bad: it is refused alone.
   */
  #splitRefused(subscription: Subscription): void {
    const refused = subscription.rejected?.names.filter((name) => concerns(subscription, name)) ?? [];
    if (refused.length < 2) return;
    const middle = Math.ceil(refused.length / 2);
    for (const names of [refused.slice(0, middle), refused.slice(middle)]) {
      const again = new Set(names);
      const difference = this.#difference(subscription, names, { force: (name) => again.has(name), isNew: true });
      if (difference !== undefined) this.#answer(subscription.typeUrl, difference);
    }
  }

  #report(before: Subscription, after: Subscription): void {
    const { typeUrl } = after;
    if (after.acked !== undefined && after.acked !== before.acked) {
      this.#actions.push({ kind: "accepted", typeUrl, mark: after.acked });
    } else if (after.rejected !== undefined && after.rejected !== before.rejected) {
      this.#actions.push({ kind: "rejected", typeUrl, mark: after.rejected, message: after.rejected.message });
    }
  }

  #change(touched: ReadonlyMap<string, Touched>): void {
    const answers = new Map<string, Difference>();
    for (const subscription of this.#inPushOrder()) {
      const { typeUrl } = subscription;
      const difference = this.#changeOfType(subscription, this.#behind.has(typeUrl) ? "all" : touched.get(typeUrl));
      if (difference.changed.length + difference.removed.length === 0) continue;
      answers.set(typeUrl, difference);
      this.#noteClusters(typeUrl, difference);
    }
    this.#send(answers);
  }

  #changeOfType(subscription: Subscription, touched: Touched | undefined): Difference {
    const asked = { force: this.#forced(subscription.typeUrl), isNew: false };
    if (touched === "all") return this.#difference(subscription, readable(subscription), asked) ?? NOTHING;
    const due = subscription.typeUrl === XDS_TYPES.EDS ? [...this.#endpointsDue] : [];
    const names = new Set([...(touched ?? []), ...due].filter((name) => concerns(subscription, name)));
    return names.size === 0 ? NOTHING : (this.#difference(subscription, [...names], asked) ?? NOTHING);
  }

  /** Endpoints of clusters just sent go out even when they are the same. */
  #forced(typeUrl: string): (name: string) => boolean {
    return typeUrl === XDS_TYPES.EDS ? (name) => this.#endpointsDue.has(name) : () => false;
  }

  /** Clusters leave last when listeners or routes change too: a route must not lose its cluster before it moves on. */
  #send(answers: ReadonlyMap<string, Difference>): void {
    const clusters = answers.get(XDS_TYPES.CDS);
    const isHeldBack =
      clusters !== undefined &&
      clusters.removed.length > 0 &&
      (answers.has(XDS_TYPES.LDS) || answers.has(XDS_TYPES.RDS));
    for (const [typeUrl, difference] of answers) {
      if (typeUrl === XDS_TYPES.CDS && isHeldBack) {
        if (difference.changed.length > 0) this.#respond(typeUrl, { ...difference, removed: [] });
      } else this.#respond(typeUrl, difference);
    }
    if (isHeldBack) this.#respond(XDS_TYPES.CDS, { changed: [], removed: clusters.removed });
  }

  /** Answers a request; clusters are followed by their endpoints at once when those are subscribed already. */
  #answer(typeUrl: string, difference: Difference): void {
    this.#respond(typeUrl, difference);
    this.#noteClusters(typeUrl, difference);
    const endpoints = this.#subscriptions.get(XDS_TYPES.EDS);
    if (typeUrl !== XDS_TYPES.CDS || endpoints === undefined) return;
    const follow = this.#changeOfType(endpoints, undefined);
    if (follow.changed.length > 0) this.#respond(XDS_TYPES.EDS, follow);
  }

  #noteClusters(typeUrl: string, difference: Difference): void {
    if (typeUrl !== XDS_TYPES.CDS) return;
    for (const resource of difference.changed) this.#endpointsDue.add(resource.name);
    for (const name of difference.removed) this.#endpointsDue.delete(name);
  }

  /** What the client lacks and what it holds in vain, among `names` (undefined: all). Undefined when reading failed. */
  #difference(
    { typeUrl, held }: Subscription,
    names: readonly string[] | undefined,
    asked: Asked,
  ): Difference | undefined {
    let resources: readonly XdsResource[];
    try {
      resources = this.#options.read(typeUrl, names);
      this.#behind.delete(typeUrl);
    } catch (error) {
      this.#behind.add(typeUrl);
      this.#actions.push({ kind: "failed", typeUrl, error });
      return undefined;
    }
    const changed = resources.filter(({ name, version }) => held.get(name) !== version || asked.force(name));
    if (typeUrl === XDS_TYPES.EDS) return { changed, removed: [] };
    const present = new Set(resources.map((resource) => resource.name));
    const candidates = names === undefined ? held.keys() : names.filter((name) => asked.isNew || held.has(name));
    return { changed, removed: [...candidates].filter((name) => !present.has(name)) };
  }

  #respond(typeUrl: string, { changed, removed }: Difference): void {
    const subscription = this.#subscriptions.get(typeUrl);
    if (subscription === undefined) return;
    const names = [...changed.map(({ name }) => name), ...removed];
    const mark = { nonce: this.#options.nextNonce(), version: this.#options.version(), at: this.#options.now(), names };
    const held = new Map(subscription.held);
    for (const { name, version } of changed) held.set(name, version);
    for (const name of removed) held.delete(name);
    if (typeUrl === XDS_TYPES.EDS) for (const { name } of changed) this.#endpointsDue.delete(name);
    this.#subscriptions.set(typeUrl, { ...subscription, held, sent: mark, open: [...subscription.open, mark] });
    const response = { typeUrl, nonce: mark.nonce, systemVersion: mark.version, resources: changed, removed };
    this.#actions.push({ kind: "respond", response });
  }

  #inPushOrder(): Subscription[] {
    const rank = (typeUrl: string) => (ORDER.includes(typeUrl) ? ORDER.indexOf(typeUrl) : ORDER.length);
    return [...this.#subscriptions.values()].sort((a, b) => rank(a.typeUrl) - rank(b.typeUrl));
  }
}
