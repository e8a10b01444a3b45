// Clusters of one proxy: those that lead to services, those of its own application, and the fixed ones.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { INBOUND_PASSTHROUGH_SOURCE } from "#api/constants/ports";
import { packAny } from "#envoy/any";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "#envoy/gen/envoy/config/cluster/v3/cluster_pb";
import { HttpProtocolOptionsSchema } from "#envoy/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb";
import { buildClusterName, FIXED_NAMES } from "#envoy/names";
import { shardsOf } from "#model/endpoint";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { isHttp, isHttp2, type Protocol } from "#model/protocol";
import { type ClusterSpec, usesEds } from "./cluster-spec.ts";
import { adsSource, duration } from "./config-source.ts";
import { mtlsRule } from "./endpoint-input.ts";
import { isMtlsCapable } from "./mtls-rule.ts";
import type { ServiceTarget } from "./service-targets.ts";
import { autoMtlsMatches, meshTlsSocket } from "./upstream-tls.ts";

type ClusterInit = Extract<MessageInitShape<typeof ClusterSchema>, { $typeName?: never }>;

/** A cluster that leads to a service. */
export function buildServiceCluster(snapshot: MeshSnapshot, spec: ClusterSpec): Cluster {
  return create(ClusterSchema, {
    ...base(spec.name, snapshot.mesh.config.connectTimeoutMs),
    ...discovery(spec),
    ...(spec.form === "passthrough" ? {} : { ...security(snapshot, spec), ...protocolOptions(spec.port.protocol) }),
    metadata: serviceMetadata(spec),
  });
}

/** The way from the proxy to its own application, on the address the caller dialled. */
export function buildInboundCluster(snapshot: MeshSnapshot, target: ServiceTarget): Cluster {
  const name = buildClusterName({ direction: "inbound", port: target.targetPort, subset: "", hostname: "" });
  return create(ClusterSchema, {
    ...base(name, snapshot.mesh.config.connectTimeoutMs),
    ...ORIGINAL_DESTINATION,
    // The source address is how iptables tells these connections from those it must capture.
    upstreamBindConfig: sourceAddress(),
    // The destination is the pod itself: it never goes away.
    cleanupInterval: duration(MAX_DURATION_MS),
    ...protocolOptions(target.port.protocol),
    metadata: serviceMetadata(target),
  });
}

/** Clusters with fixed names, whatever the mesh holds. */
export function buildFixedClusters(snapshot: MeshSnapshot, type: "sidecar" | "router"): readonly Cluster[] {
  const timeout = snapshot.mesh.config.connectTimeoutMs;
  const blackHole = create(ClusterSchema, {
    ...base(FIXED_NAMES.blackHole, timeout),
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
  });
  if (type === "router") return [blackHole];
  const passthrough = { ...ORIGINAL_DESTINATION, ...protocolOptions("auto") };
  return [
    blackHole,
    create(ClusterSchema, { ...base(FIXED_NAMES.passthrough, timeout), ...passthrough }),
    create(ClusterSchema, {
      ...base(FIXED_NAMES.inboundPassthrough, timeout),
      ...passthrough,
      upstreamBindConfig: sourceAddress(),
    }),
  ];
}

const MAX_COUNT = 0xffff_ffff;
/** About 68 years: a 32-bit number of seconds, which every part of Envoy can hold. */
const MAX_DURATION_MS = 2_147_483_000 * 1000;

const ORIGINAL_DESTINATION = {
  clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST },
  lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
} as const satisfies ClusterInit;

function base(name: string, connectTimeoutMs: number): ClusterInit {
  const threshold = {
    maxConnections: MAX_COUNT,
    maxPendingRequests: MAX_COUNT,
    maxRequests: MAX_COUNT,
    maxRetries: MAX_COUNT,
  };
  return {
    name,
    connectTimeout: duration(connectTimeoutMs),
    circuitBreakers: { thresholds: [{ ...threshold, trackRemaining: true }] },
  };
}

function discovery(spec: ClusterSpec): ClusterInit {
  if (!usesEds(spec)) return ORIGINAL_DESTINATION;
  return {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { serviceName: spec.name, edsConfig: adsSource() },
    lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
    // Endpoints that are not ready are sent as such; without this Envoy would use them when most are not.
    commonLbConfig: { healthyPanicThreshold: { value: 0 } },
  };
}

function security(snapshot: MeshSnapshot, spec: ClusterSpec): ClusterInit {
  const { rule } = spec;
  if (rule?.tlsMode === "ISTIO_MUTUAL") return { transportSocket: meshTlsSocket(snapshot, spec) };
  if (rule?.tlsMode !== undefined || !snapshot.mesh.config.enableAutoMtls) return {};
  if (usesEds(spec)) return { transportSocketMatches: autoMtlsMatches(snapshot, spec) };
  return takesOnlyMtls(snapshot, spec) ? { transportSocket: meshTlsSocket(snapshot, spec) } : {};
}

/** Original destinations carry no metadata to choose by: mTLS only when every known endpoint takes it. */
function takesOnlyMtls(snapshot: MeshSnapshot, spec: ClusterSpec): boolean {
  const rule = mtlsRule(snapshot, spec);
  const ports = [...shardsOf(snapshot.endpoints, spec.service.key).values()].flat().flatMap((endpoint) => {
    const port = endpoint.ports[spec.port.name];
    return port === undefined ? [] : [isMtlsCapable(endpoint, port, rule)];
  });
  return ports.length > 0 && ports.every((capable) => capable);
}

const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** Declared ports are pinned to their protocol; others speak what the caller spoke. */
function protocolOptions(protocol: Protocol): ClusterInit {
  if (protocol !== "auto" && !isHttp(protocol)) return {};
  const chosen = isHttp2(protocol)
    ? ({ case: "http2ProtocolOptions", value: {} } as const)
    : ({ case: "httpProtocolOptions", value: {} } as const);
  const options = create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions:
      protocol === "auto"
        ? { case: "useDownstreamProtocolConfig", value: { httpProtocolOptions: {}, http2ProtocolOptions: {} } }
        : { case: "explicitHttpConfig", value: { protocolConfig: chosen } },
  });
  return { typedExtensionProtocolOptions: { [HTTP_OPTIONS]: packAny(HttpProtocolOptionsSchema, options) } };
}

function serviceMetadata({ service, port }: Pick<ClusterSpec, "service" | "port">) {
  const { hostname: host, name, namespace } = service;
  return {
    filterMetadata: { istio: { services: [{ host, name, namespace }], default_original_port: port.port } },
  };
}

function sourceAddress(): NonNullable<ClusterInit["upstreamBindConfig"]> {
  return {
    sourceAddress: { address: INBOUND_PASSTHROUGH_SOURCE, portSpecifier: { case: "portValue", value: 0 } },
  };
}
