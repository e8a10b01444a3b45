// Envoy's first configuration. All else comes over ADS; static are only the way to the agent, readiness and metrics.
import { LABELS } from "#api/constants/labels";
import { PATHS } from "#api/constants/names";
import { PORTS } from "#api/constants/ports";
import { FIXED_NAMES } from "#envoy/names";
import type { JsonObject, JsonValue } from "#envoy/struct";
import type { AgentConfig } from "./options.ts";

const AGENT_CLUSTER = "agent";
const STATS_CLUSTER = "prometheus_stats";

/** Where the agent and its Envoy meet. */
export function proxyPaths(config: AgentConfig) {
  const folder = config.proxy.configPath ?? PATHS.proxyConfig;
  return { folder, bootstrap: `${folder}/envoy-rev.json`, socket: `${folder}/XDS` };
}

/** `sidecar~10.244.0.7~sleep-1.sample~sample.svc.cluster.local`. */
export function nodeId({ role, addresses, pod, domain }: AgentConfig): string {
  return [role, addresses[0], `${pod.name}.${pod.namespace}`, domain].join("~");
}

export function adminPort(config: AgentConfig): number {
  return config.proxy.proxyAdminPort ?? PORTS.envoyAdmin;
}

/** The bootstrap as JSON. Pure. */
export function buildBootstrap(config: AgentConfig): JsonObject {
  return {
    node: {
      id: nodeId(config),
      cluster: config.serviceCluster,
      metadata: config.metadata,
      ...locality(config),
    },
    admin: { address: address("127.0.0.1", adminPort(config)), ignore_global_conn_limit: true },
    stats_config: {
      stats_tags: [{ tag_name: "cluster_name", regex: CLUSTER_TAG }],
      stats_matcher: { inclusion_list: { patterns: statsInclusion(config) } },
    },
    bootstrap_extensions: [
      {
        name: "envoy.bootstrap.internal_listener",
        typed_config: typed("bootstrap.internal_listener.v3.InternalListener"),
      },
    ],
    dynamic_resources: { ads_config: adsConfig(), cds_config: viaAds(), lds_config: viaAds() },
    static_resources: {
      clusters: [
        localCluster(STATS_CLUSTER, adminPort(config)),
        localCluster(AGENT_CLUSTER, config.statusPort),
        xdsCluster(config),
      ],
      listeners: [
        routeListener(PORTS.proxyStats, "/stats/prometheus", STATS_CLUSTER),
        routeListener(PORTS.proxyHealth, "/healthz/ready", AGENT_CLUSTER),
      ],
    },
  };
}

/** A cluster's name holds dots itself; what belongs to the name ends with the service's domain, or at the first dot. */
const CLUSTER_TAG = "^cluster\\.((.+?(\\..+?\\.svc\\.[a-z0-9-]+\\.[a-z0-9-]+)?)\\.)";

const ALWAYS_PREFIXES = ["cluster_manager", "listener_manager", "server", `cluster.${FIXED_NAMES.xdsCluster}`, "istio"];
/** What draining waits for, and what authorization decides. */
const ALWAYS_SUFFIXES = ["downstream_cx_active", "rbac.allowed", "rbac.denied", "shadow_allowed", "shadow_denied"];

/** Only these statistics exist: each cluster would cost 40 kB more with all of them. */
function statsInclusion({ proxy, annotations }: AgentConfig): JsonValue[] {
  const listOf = (name: string) =>
    (annotations[`sidecar.istio.io/${name}`] ?? "").split(",").filter((item) => item !== "");
  const { prefixes, suffixes, regexps } = proxy.statsInclusion;
  const patterns = [
    ...[...ALWAYS_PREFIXES, ...prefixes, ...listOf("statsInclusionPrefixes")].map((prefix) => ({ prefix })),
    ...[...ALWAYS_SUFFIXES, ...suffixes, ...listOf("statsInclusionSuffixes")].map((suffix) => ({ suffix })),
    ...[...regexps, ...listOf("statsInclusionRegexps")].map((regex) => ({ safe_regex: { regex } })),
  ];
  return patterns;
}

/** `istio-locality: region.zone.subzone` as a pod label; otherwise the control plane knows the node's place. */
function locality({ labels }: AgentConfig): JsonObject {
  const [region = "", zone = "", subZone = ""] = (labels[LABELS.locality] ?? "").split(/[./]/);
  return region === "" ? {} : { locality: { region, zone, sub_zone: subZone } };
}

function typed(name: string, fields: JsonObject = {}): JsonObject {
  return { "@type": `type.googleapis.com/envoy.extensions.${name}`, ...fields };
}

function address(host: string, port: number): JsonObject {
  return { socket_address: { address: host, port_value: port } };
}

function adsConfig(): JsonObject {
  return {
    api_type: "DELTA_GRPC",
    transport_api_version: "V3",
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: FIXED_NAMES.xdsCluster } }],
  };
}

/** Start waits for the first clusters and listeners however long they take: an empty proxy would lose traffic. */
function viaAds(): JsonObject {
  return { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" };
}

function cluster(name: string, at: JsonObject): JsonObject {
  return {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: at } }] }] },
  };
}

function localCluster(name: string, port: number): JsonObject {
  return cluster(name, address("127.0.0.1", port));
}

function xdsCluster(config: AgentConfig): JsonObject {
  return {
    ...cluster(FIXED_NAMES.xdsCluster, { pipe: { path: proxyPaths(config).socket } }),
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed("upstreams.http.v3.HttpProtocolOptions", {
        explicit_http_config: {
          http2_protocol_options: { initial_stream_window_size: 1 << 20, initial_connection_window_size: 1 << 20 },
        },
      }),
    },
    circuit_breakers: {
      thresholds: ["DEFAULT", "HIGH"].map((priority) => ({
        priority,
        max_connections: 100_000,
        max_pending_requests: 100_000,
        max_requests: 100_000,
      })),
    },
  };
}

/** A listener that passes one path on and knows no other. */
function routeListener(port: number, path: string, to: string): JsonObject {
  const route = { match: { prefix: path }, route: { cluster: to } };
  const manager = typed("filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: to,
    codec_type: "AUTO",
    http_filters: [{ name: "envoy.filters.http.router", typed_config: typed("filters.http.router.v3.Router") }],
    route_config: { virtual_hosts: [{ name: "backend", domains: ["*"], routes: [route] }] },
  });
  return {
    name: `0.0.0.0_${port}`,
    address: address("0.0.0.0", port),
    filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] }],
  };
}
