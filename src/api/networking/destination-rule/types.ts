/** SIMPLE and MUTUAL, which leave the mesh, are refused for now: ignoring them would send plain text. */
export const CLIENT_TLS_MODES = ["DISABLE", "ISTIO_MUTUAL"] as const;
export type ClientTlsMode = (typeof CLIENT_TLS_MODES)[number];

export interface Subset {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** networking.istio.io DestinationRule, its spec, as far as it is read today. */
export interface DestinationRule {
  readonly host: string;
  readonly subsets: readonly Subset[];
  readonly tlsMode?: ClientTlsMode;
  readonly exportTo: readonly string[];
}
