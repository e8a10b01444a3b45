// The agent's own part of Envoy's discovery stream: secrets of the workload, of the type SDS. The rest is relayed.

import type { Logger } from "#base/logger";
import { type DeltaRequest, encodeDeltaResponse } from "#envoy/discovery";
import { FIXED_NAMES } from "#envoy/names";
import { XDS_TYPES } from "#envoy/types";
import type { SecretManager } from "./secrets.ts";

const OWN = new Set<string>([FIXED_NAMES.secretDefault, FIXED_NAMES.secretRoot]);
const NONCE_PREFIX = "agent-";

const isOwn = (name: string) => OWN.has(name);
const isForeign = (name: string) => !OWN.has(name);

export interface SecretStreamOptions {
  readonly secrets: SecretManager;
  readonly send: (message: Uint8Array) => void;
  readonly logger: Logger;
}

/** Serves the secrets that one Envoy stream subscribed to; a secret that is not there yet follows when it is. */
export class SecretStream {
  readonly #options: SecretStreamOptions;
  readonly #subscribed = new Set<string>();
  readonly #unsubscribe: () => void;
  #counter = 0;

  constructor(options: SecretStreamOptions) {
    this.#options = options;
    this.#unsubscribe = options.secrets.subscribe((name) => {
      if (this.#subscribed.has(name)) this.#send([name]);
    });
  }

  close(): void {
    this.#unsubscribe();
  }

  /** Takes what is ours out of an SDS request; what remains is for the control plane, undefined when nothing does. */
  take(request: DeltaRequest): DeltaRequest | undefined {
    if (request.responseNonce.startsWith(NONCE_PREFIX)) {
      const { error } = request;
      if (error !== undefined) this.#options.logger.error({ reason: error.message }, "Envoy refused a secret");
    }
    for (const name of request.unsubscribe) this.#subscribed.delete(name);
    const wanted = request.subscribe.filter(isOwn);
    for (const name of wanted) this.#subscribed.add(name);
    this.#send(wanted.filter((name) => this.#options.secrets.get(name)?.version !== request.initialVersions.get(name)));
    return foreignPart(request);
  }

  #send(names: readonly string[]): void {
    const resources = names.flatMap((name) => this.#options.secrets.get(name) ?? []);
    if (resources.length === 0) return;
    const nonce = `${NONCE_PREFIX}${++this.#counter}`;
    const head = { typeUrl: XDS_TYPES.SDS, nonce, systemVersion: "", removed: [] };
    // One secret a response: each has its own subscription in Envoy, and one bad one should not take the other along.
    for (const resource of resources) this.#options.send(encodeDeltaResponse({ ...head, resources: [resource] }));
  }
}

function foreignPart(request: DeltaRequest): DeltaRequest | undefined {
  const subscribe = request.subscribe.filter(isForeign);
  const unsubscribe = request.unsubscribe.filter(isForeign);
  const isOwnAck = request.responseNonce.startsWith(NONCE_PREFIX);
  const isForeignAck = request.responseNonce !== "" && !isOwnAck;
  if (subscribe.length + unsubscribe.length === 0 && !isForeignAck) return undefined;
  const initialVersions = new Map([...request.initialVersions].filter(([name]) => isForeign(name)));
  const verdict = isOwnAck ? { responseNonce: "", error: undefined } : {};
  return { ...request, subscribe, unsubscribe, initialVersions, ...verdict };
}
