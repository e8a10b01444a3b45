import type { ClientTlsMode } from "#api/networking/destination-rule/types";
import type { PeerAuthentication } from "#api/security/peer-authentication/types";
import type { Endpoint } from "#model/endpoint";
import { mtlsModeOf, type Policy } from "#model/policies";

/** What decides whether a client speaks mesh mTLS to an endpoint. */
export interface MtlsRule {
  readonly autoMtls: boolean;
  /** Of a DestinationRule, which wins over everything. */
  readonly tlsMode: ClientTlsMode | undefined;
  readonly peerAuthentications: readonly Policy<PeerAuthentication>[];
  readonly rootNamespace: string;
}

/** True when connections to this endpoint's port can be mesh mTLS. */
export function isMtlsCapable(endpoint: Endpoint, port: number, rule: MtlsRule): boolean {
  if (rule.tlsMode !== undefined) return rule.tlsMode === "ISTIO_MUTUAL";
  if (!rule.autoMtls || endpoint.tlsMode !== "istio") return false;
  return mtlsModeOf(rule.peerAuthentications, rule.rootNamespace, endpoint, port) !== "DISABLE";
}
