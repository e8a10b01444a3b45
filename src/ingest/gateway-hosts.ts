// Load balancers of some clouds have a name instead of an address. Envoy wants addresses, so the control plane asks DNS,
// and asks again when the answer's life ends: a load balancer may move.
import { isIP } from "node:net";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { MeshStore } from "./mesh-store.ts";

export interface DnsAnswer {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

/** Asks for A (4) or AAAA (6) records. Empty when there are none; throws when the question failed. */
export type ResolveHost = (host: string, family: 4 | 6) => Promise<readonly DnsAnswer[]>;

export interface GatewayHostsOptions {
  readonly store: MeshStore;
  readonly resolve: ResolveHost;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Bounds of an answer's life, Istio's: a name that is asked for too often, or never again, helps nobody. */
const MIN_TTL_MS = 30_000;
const MAX_TTL_MS = 3_600_000;
/** While there is no address at all, the network cannot be reached: ask sooner. */
const FIRST_RETRY_MS = 1000;

export interface GatewayHosts {
  /**
   * Whether DNS has answered, or failed, for every host name known now. A control plane that serves before would take
   * away endpoints that proxies hold from before its restart.
   */
  hasAsked(): boolean;
}

/** Keeps the addresses of all gateways with host names current in the store until the signal aborts. */
export function followGatewayHosts(options: GatewayHostsOptions): GatewayHosts {
  const { store, signal } = options;
  const followed = new Map<string, AbortController>();
  const asked = new WeakSet<AbortController>();
  const update = () => {
    const wanted = store.gatewayHosts();
    for (const [host, life] of followed) {
      if (wanted.has(host)) continue;
      followed.delete(host);
      life.abort();
      store.applyGatewayHost(host, undefined);
    }
    for (const host of wanted) {
      if (followed.has(host)) continue;
      const life = new AbortController();
      followed.set(host, life);
      void new HostFollower(host, options).run(life.signal, () => asked.add(life));
    }
  };
  const unsubscribe = store.subscribe(({ changes }) => {
    if (changes.some(({ kind }) => kind === "networks")) update();
  });
  const end = () => {
    unsubscribe();
    for (const life of followed.values()) life.abort();
  };
  signal.addEventListener("abort", end, { once: true });
  update();
  const hasAsked = (host: string) => {
    const life = followed.get(host);
    return life !== undefined && asked.has(life);
  };
  return { hasAsked: () => [...store.gatewayHosts()].every(hasAsked) };
}

const FAMILIES = [4, 6] as const;

class HostFollower {
  readonly #host: string;
  readonly #options: GatewayHostsOptions;
  /** The last good answer of each family: it stays when a later question fails. */
  readonly #known = new Map<4 | 6, readonly string[]>();
  #retryMs = FIRST_RETRY_MS;

  constructor(host: string, options: GatewayHostsOptions) {
    this.#host = host;
    this.#options = options;
  }

  async run(signal: AbortSignal, onAsked: () => void): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const wait = await this.#askOnce(signal);
      onAsked();
      await clock.sleep(wait, signal).catch(() => {});
    }
  }

  /** Answers how long to wait before the next question, in milliseconds. */
  async #askOnce(signal: AbortSignal): Promise<number> {
    const { store, logger, resolve } = this.#options;
    const host = this.#host;
    const answers = await Promise.allSettled(FAMILIES.map((family) => resolve(host, family)));
    if (signal.aborted) return 0;
    const { lives, problem } = this.#take(answers);
    const addresses = [...this.#known.values()].flat().sort();
    const changes = store.applyGatewayHost(host, addresses.length > 0 ? { addresses } : { addresses, problem });
    if (problem !== undefined) logger.warn({ host, addresses, problem }, "a gateway's host name cannot be resolved");
    else if (changes.length > 0) logger.info({ host, addresses }, "resolved a gateway's host name");
    if (problem === undefined) return Math.min(MAX_TTL_MS, Math.max(MIN_TTL_MS, Math.min(...lives)));
    this.#retryMs = addresses.length > 0 ? MIN_TTL_MS : Math.min(MIN_TTL_MS, this.#retryMs * 2);
    return this.#retryMs;
  }

  /** Keeps what was answered. A name without any address is a failure too: load balancers do not go that way. */
  #take(answers: readonly PromiseSettledResult<readonly DnsAnswer[]>[]) {
    const good = answers.flatMap((answer, index) => {
      const family = FAMILIES[index];
      if (family === undefined || answer.status === "rejected") return [];
      return { family, records: answer.value.filter(({ address }) => isIP(address) === family) };
    });
    const records = good.flatMap((answer) => answer.records);
    const failure = answers.find((answer) => answer.status === "rejected");
    if (records.length > 0) {
      for (const answer of good) {
        this.#known.set(answer.family, [...new Set(answer.records.map(({ address }) => address))].sort());
      }
    }
    const none = records.length > 0 ? undefined : "the name has no addresses";
    const problem = failure === undefined ? none : errorMessage(failure.reason);
    return { lives: records.map(({ ttl }) => ttl * 1000), problem };
  }
}
