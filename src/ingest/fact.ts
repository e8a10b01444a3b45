import type { MeshConfig } from "#api/mesh-config/mesh-config";
import type { MeshNetworks } from "#api/mesh-config/mesh-networks";
import type { Endpoint } from "#model/endpoint";
import type { ClusterId, ServiceKey } from "#model/ids";
import type { NetworkGateway, UnusableGateway } from "#model/network";
import type { Policy, PolicyKind, PolicySpecs } from "#model/policies";
import type { ClusterService } from "#model/service";

/** A way into a network by name; the store puts the name's addresses in its place. */
export interface HostGateway extends Omit<NetworkGateway, "address"> {
  /** Lower case, without a dot at its end. */
  readonly host: string;
}

/** What one object says about ways into a network. */
export interface GatewayFacts {
  readonly gateways: readonly NetworkGateway[];
  readonly hosts: readonly HostGateway[];
  readonly unusable: readonly UnusableGateway[];
}

/** What one cluster says about one of its services. */
export type ClusterFact =
  | { readonly kind: "service"; readonly service: ServiceKey; readonly value: ClusterService | undefined }
  | { readonly kind: "endpoints"; readonly service: ServiceKey; readonly value: readonly Endpoint[] }
  | { readonly kind: "gateways"; readonly source: string; readonly value: GatewayFacts | undefined };

type PolicyFactOf<Kind extends PolicyKind> = {
  readonly kind: "policy";
  readonly policy: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly value: Policy<PolicySpecs[Kind]> | undefined;
};
export type PolicyFact = { [Kind in PolicyKind]: PolicyFactOf<Kind> }[PolicyKind];

/** What the configuration of the own cluster says. */
export type ConfigFact =
  | PolicyFact
  | { readonly kind: "mesh-config"; readonly value: MeshConfig }
  | { readonly kind: "mesh-networks"; readonly value: MeshNetworks };

/** What DNS says of a host name; without addresses it may say why. */
export interface HostAddresses {
  /** Sorted, without duplicates. */
  readonly addresses: readonly string[];
  readonly problem?: string | undefined;
}

/** An object that was refused, and why; the last good version of it stays in force. */
export interface ObjectProblem {
  readonly cluster: ClusterId;
  /** `Gateway istio-system/cross-network-gateway`. */
  readonly object: string;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}
