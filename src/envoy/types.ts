/** The xDS resource types we serve, by the short name that people use. */
export const XDS_TYPES = {
  CDS: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  EDS: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  LDS: "type.googleapis.com/envoy.config.listener.v3.Listener",
  RDS: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  SDS: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
} as const;

export type XdsType = keyof typeof XDS_TYPES;

/** The order in which types of one push go out: a listener must find its clusters, a cluster its endpoints. */
export const PUSH_ORDER: readonly XdsType[] = ["CDS", "EDS", "LDS", "RDS", "SDS"];

export function xdsTypeOf(typeUrl: string): XdsType | undefined {
  return PUSH_ORDER.find((type) => XDS_TYPES[type] === typeUrl);
}
