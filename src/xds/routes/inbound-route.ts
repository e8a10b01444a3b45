import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RouteConfigurationSchema } from "#envoy/gen/envoy/config/route/v3/route_pb";
import { duration } from "../config-source.ts";

/** Every request of an inbound port goes to the one cluster of that port. */
export function buildInboundRoute(
  cluster: string,
  virtualHost: string,
): MessageInitShape<typeof RouteConfigurationSchema> {
  return {
    name: cluster,
    validateClusters: false,
    virtualHosts: [
      {
        name: virtualHost,
        domains: ["*"],
        routes: [
          {
            name: "default",
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            action: {
              case: "route",
              value: {
                clusterSpecifier: { case: "cluster", value: cluster },
                timeout: duration(0),
                maxStreamDuration: { maxStreamDuration: duration(0), grpcTimeoutHeaderMax: duration(0) },
                // The application may have closed an idle connection at the very moment of the request.
                retryPolicy: { retryOn: "reset-before-request", numRetries: 2 },
              },
            },
          },
        ],
      },
    ],
  };
}
