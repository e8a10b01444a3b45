// "Why not?" is a value: what is known but not used carries its reason, so that a debug page or a command can say it.

export type WhyNotReason =
  | "no-gateway-for-network"
  | "no-gateway-address-family"
  | "no-mtls-across-networks"
  | "not-in-network-view"
  | "not-ready"
  | "draining"
  | "port-name-absent"
  | "no-address-family"
  | "cluster-local"
  | "node-local"
  | "subset-mismatch"
  | "listener-conflict"
  | "unsupported";

export interface WhyNot {
  readonly reason: WhyNotReason;
  /** What is not used: an endpoint's pod and cluster, a gateway server, a service port. */
  readonly subject: string;
  /** One sentence. */
  readonly message: string;
}
