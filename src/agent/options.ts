// Everything the agent is told from outside: Istio's environment variables and arguments, each read here and only here.
import { readFileSync } from "node:fs";
import { availableParallelism, networkInterfaces } from "node:os";
import { join } from "node:path";
import { ANNOTATIONS } from "#api/constants/labels";
import { ISTIO_COMPATIBLE_VERSION, NAMES, PATHS } from "#api/constants/names";
import { PORTS } from "#api/constants/ports";
import { MeshError } from "#base/mesh-error";
import type { JsonObject } from "#envoy/struct";
import {
  durationMs,
  isObject,
  type ProxyConfig,
  parseJsonObject,
  parsePodInfo,
  parseProxyConfig,
} from "./proxy-config.ts";

export type ProxyRole = "sidecar" | "router";
type Env = Readonly<Record<string, string | undefined>>;

export interface AgentConfig {
  readonly role: ProxyRole;
  readonly pod: { readonly name: string; readonly namespace: string; readonly serviceAccount: string };
  /** Addresses of the pod, first the one in the node id. */
  readonly addresses: readonly string[];
  /** `NAMESPACE.svc.cluster.local`. */
  readonly domain: string;
  readonly trustDomain: string;
  readonly clusterId: string;
  readonly serviceCluster: string;
  /** Becomes the metadata of the xDS node. */
  readonly metadata: JsonObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly proxy: ProxyConfig;
  readonly concurrency: number;
  /** Where xDS comes from, `host:port`. */
  readonly discoveryAddress: string;
  readonly caAddress: string;
  readonly rootCertPath: string;
  readonly tokenPath: string;
  readonly secretTtlSeconds: number;
  /** A certificate is renewed when less than this part of its life is left. */
  readonly secretGracePeriodRatio: number;
  readonly terminationDrainMs: number;
  readonly exitOnZeroActiveConnections: boolean;
  readonly minimumDrainMs: number;
  readonly logLevel: string;
  readonly componentLogLevel: string;
  readonly statusPort: number;
  /** Probes of the application that the injector moved to us, JSON as the injector wrote it. */
  readonly appProbers: string;
  /** Where the application serves metrics, JSON as the injector wrote it. */
  readonly appMetrics: string;
}

export interface ProxyArguments {
  readonly role: string;
  readonly domain?: string | undefined;
  readonly serviceCluster?: string | undefined;
  readonly trustDomain?: string | undefined;
  readonly concurrency?: string | undefined;
  readonly proxyLogLevel?: string | undefined;
  readonly proxyComponentLogLevel?: string | undefined;
}

const META = "ISTIO_META_";
const METAJSON = "ISTIO_METAJSON_";

/** Reads the whole configuration. Throws MeshError naming the variable or argument that is wrong. */
export function readAgentConfig(args: ProxyArguments, env: Env, podInfoFolder: string = PATHS.podInfo): AgentConfig {
  const role = roleOf(args.role);
  const annotations = readPodInfo(join(podInfoFolder, "annotations"));
  const labels = readPodInfo(join(podInfoFolder, "labels"));
  const proxy = parseProxyConfig(env["PROXY_CONFIG"] ?? "", annotations[ANNOTATIONS.proxyConfig]);
  const pod = {
    name: env["POD_NAME"] ?? "unknown",
    namespace: env["POD_NAMESPACE"] ?? "default",
    serviceAccount: env["SERVICE_ACCOUNT"] ?? "default",
  };
  const addresses = podAddresses(env);
  const discoveryAddress = proxy.discoveryAddress ?? `istiod.${NAMES.systemNamespace}.svc:${PORTS.grpcTls}`;
  const base = {
    role,
    pod,
    addresses,
    labels,
    annotations,
    proxy,
    discoveryAddress,
    domain: args.domain ?? `${pod.namespace}.svc.${NAMES.domain}`,
    trustDomain: args.trustDomain ?? env["TRUST_DOMAIN"] ?? NAMES.trustDomain,
    clusterId: env[`${META}CLUSTER_ID`] ?? NAMES.defaultClusterId,
    serviceCluster:
      args.serviceCluster ?? `${env[`${META}WORKLOAD_NAME`] ?? labels["app"] ?? "istio-proxy"}.${pod.namespace}`,
    metadata: nodeMetadata({ env, pod, addresses, labels, annotations, proxy }),
    concurrency: concurrencyOf(args.concurrency, proxy, env),
    caAddress: env["CA_ADDR"] || discoveryAddress,
    rootCertPath: env["XDS_ROOT_CA"] || env["CA_ROOT_CA"] || PATHS.rootCert,
    tokenPath: env["ISTIO_TOKEN_FILE"] || PATHS.istioToken,
    logLevel: args.proxyLogLevel ?? "warning",
    componentLogLevel: args.proxyComponentLogLevel ?? "misc:error",
    statusPort: proxy.statusPort ?? PORTS.agentStatus,
    appProbers: env["ISTIO_KUBE_APP_PROBERS"] ?? "",
    appMetrics: env["ISTIO_PROMETHEUS_ANNOTATIONS"] ?? "",
  };
  return { ...base, ...lifeOptions(env, proxy) };
}

function roleOf(text: string): ProxyRole {
  if (text === "sidecar" || text === "router") return text;
  throw new MeshError("USAGE", `a proxy is a sidecar or a router, not ${JSON.stringify(text)}`);
}

function lifeOptions(env: Env, proxy: ProxyConfig) {
  return {
    secretTtlSeconds: duration(env, "SECRET_TTL", "24h") / 1000,
    secretGracePeriodRatio: ratio(env, "SECRET_GRACE_PERIOD_RATIO", 0.5),
    terminationDrainMs: proxy.terminationDrainDuration ?? duration(env, "TERMINATION_DRAIN_DURATION_SECONDS", "5s"),
    exitOnZeroActiveConnections: env["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"] === "true",
    minimumDrainMs: duration(env, "MINIMUM_DRAIN_DURATION", "0s"),
  };
}

/** A duration of Go's form; a bare number means seconds. */
function duration(env: Env, name: string, fallback: string): number {
  const text = env[name] || fallback;
  const ms = durationMs(/^\d+$/.test(text) ? `${text}s` : text);
  if (ms === undefined)
    throw new MeshError("USAGE", `${name}: ${JSON.stringify(text)} is no duration such as 30s or 1h30m`);
  return ms;
}

function ratio(env: Env, name: string, fallback: number): number {
  const value = env[name] ? Number(env[name]) : fallback;
  if (!(value >= 0 && value < 1)) throw new MeshError("USAGE", `${name}: ${env[name]} is not between 0 and 1`);
  return value;
}

/** Workers: as told, else one for each CPU of the limit, else two, and never more than the machine has. */
function concurrencyOf(argument: string | undefined, proxy: ProxyConfig, env: Env): number {
  if (argument !== undefined) return Number(argument);
  if (proxy.concurrency !== undefined) return proxy.concurrency;
  const limit = Math.ceil(Number(env["ISTIO_CPU_LIMIT"] ?? "0")) || 2;
  return Math.min(limit, availableParallelism());
}

function podAddresses(env: Env): readonly string[] {
  const told = env["INSTANCE_IP"];
  if (told) return told.split(",");
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .map(({ address }) => address);
  return found.length > 0 ? found : ["127.0.0.1"];
}

interface MetadataInput {
  readonly env: Env;
  readonly pod: AgentConfig["pod"];
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly proxy: ProxyConfig;
}

function nodeMetadata({ env, pod, addresses, labels, annotations, proxy }: MetadataInput): JsonObject {
  const metadata: Record<string, JsonObject[string]> = {
    ISTIO_VERSION: ISTIO_COMPATIBLE_VERSION,
    NAME: pod.name,
    NAMESPACE: pod.namespace,
    SERVICE_ACCOUNT: pod.serviceAccount,
    INSTANCE_IPS: addresses.join(","),
    LABELS: labels,
    ANNOTATIONS: annotations,
    PROXY_CONFIG: proxy.json,
    ENVOY_PROMETHEUS_PORT: PORTS.proxyStats,
    ENVOY_STATUS_PORT: PORTS.proxyHealth,
    PILOT_SAN: [hostOf(proxy.discoveryAddress ?? `istiod.${NAMES.systemNamespace}.svc`)],
  };
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (name.startsWith(META)) metadata[name.slice(META.length)] = value;
    else if (name.startsWith(METAJSON)) Object.assign(metadata, metadataFromJson(name, value));
  }
  return metadata;
}

/** ISTIO_METAJSON_X holds JSON: an object's own keys are taken as they are. */
function metadataFromJson(name: string, text: string): JsonObject {
  const value = parseJsonObject(name, text);
  return isObject(value) ? value : { [name.slice(METAJSON.length)]: value };
}

export function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}

function readPodInfo(path: string): Readonly<Record<string, string>> {
  try {
    return parsePodInfo(readFileSync(path, "utf8"));
  } catch {
    return {}; // outside Kubernetes there is no downward API
  }
}
