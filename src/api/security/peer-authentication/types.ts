export const MTLS_MODES = ["UNSET", "DISABLE", "PERMISSIVE", "STRICT"] as const;
export type MtlsMode = (typeof MTLS_MODES)[number];

/** security.istio.io PeerAuthentication, its spec. */
export interface PeerAuthentication {
  /** matchLabels of the workloads; empty selects the whole namespace. */
  readonly selector: Readonly<Record<string, string>>;
  readonly mode: MtlsMode;
  /** By workload port (not service port). */
  readonly portLevelMtls: Readonly<Record<number, MtlsMode>>;
}
