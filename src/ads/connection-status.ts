import type { XdsNode } from "#envoy/discovery";
import type { XdsPeer } from "./resource-source.ts";
import type { Rejection, ResponseMark, Subscription } from "./subscription.ts";

/** How far one proxy has come with one type. In step: `sent` and `acked` carry the same nonce. */
export interface TypeStatus {
  readonly typeUrl: string;
  readonly sent: ResponseMark | undefined;
  /** The last response that the proxy took: its last good version. */
  readonly acked: ResponseMark | undefined;
  /** Set while the newest answer of the proxy was a refusal. */
  readonly rejected: Rejection | undefined;
  readonly wildcard: boolean;
  /** Names subscribed one by one. */
  readonly names: readonly string[];
  /** Versions that the proxy holds or was sent, by name. */
  readonly held: ReadonlyMap<string, string>;
}

/** One proxy that is connected, as the debug pages and `proxy-status` tell it. */
export interface ConnectionStatus {
  /** `node id-counter`, distinct for each connection of a proxy. */
  readonly id: string;
  readonly node: XdsNode;
  readonly peer: XdsPeer;
  /** Milliseconds since the epoch. */
  readonly connectedSince: number;
  readonly types: readonly TypeStatus[];
}

export function typeStatus(subscription: Subscription): TypeStatus {
  const { typeUrl, sent, acked, rejected, wildcard, names, held } = subscription;
  return { typeUrl, sent, acked, rejected, wildcard, names: [...names], held };
}
