// Every setting of pilot-discovery in one table: its flag, its environment variable, its default and what it does.
// The names are Istio's, so that a Deployment written for istiod works unchanged.
import { parseArgs } from "node:util";
import { NAMES, PATHS } from "#api/constants/names";
import { PORTS } from "#api/constants/ports";
import { LOG_LEVELS, type LogLevel } from "#base/logger";
import { MeshError } from "#base/mesh-error";

interface Row<T> {
  readonly flag?: string;
  readonly env?: string;
  /** The value, in the form it is written in, when neither flag nor variable is set. */
  readonly fallback: string;
  readonly about: string;
  /** Throws a sentence that completes "NAME ...". */
  readonly read: (text: string) => T;
}

/** Where a server listens; no host means all addresses. */
export interface ListenOption {
  readonly host?: string;
  readonly port: number;
}

const text = (value: string): string => value;

const flag = (value: string): boolean => {
  if (["true", "1", "t", "TRUE", "True"].includes(value)) return true;
  if (["false", "0", "f", "FALSE", "False", ""].includes(value)) return false;
  throw new Error(`is "${value}"; write true or false`);
};

const nativeSidecars = (value: string): boolean => value !== "auto" && flag(value);

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `100ms`, `1m30s`, `2160h`, `0`: milliseconds. */
const duration = (value: string): number => {
  if (value === "0") return 0;
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== value) {
    throw new Error(`is "${value}"; write a duration such as 100ms, 30s or 24h`);
  }
  return parts.reduce((sum, [, amount = "0", unit = "s"]) => sum + Number(amount) * (UNITS[unit] ?? 0), 0);
};

const listenAddress = (value: string): ListenOption => {
  const at = value.lastIndexOf(":");
  const host = value.slice(0, Math.max(0, at)).replace(/^\[|\]$/g, "");
  const port = Number(value.slice(at + 1));
  if (at < 0 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`is "${value}"; write an address such as :8080 or 127.0.0.1:8080`);
  }
  return host === "" ? { port } : { host, port };
};

/** Istio's `scope:level` list; the level of scope `default` counts, or a level alone. */
const logLevel = (value: string): LogLevel => {
  const level = value.split(",").find((part) => !part.includes(":") || part.startsWith("default:")) ?? "info";
  const name = level.slice(level.indexOf(":") + 1);
  const renamed = { none: "silent", fatal: "error" }[name] ?? name;
  const known = LOG_LEVELS.find((candidate) => candidate === renamed);
  if (known === undefined) throw new Error(`names the level "${name}"; use one of ${LOG_LEVELS.join(", ")}`);
  return known;
};

const row = <T>(entry: Row<T>): Row<T> => entry;

/** Rows in the order in which `pilot-discovery help` shows them. */
export const OPTION_ROWS = {
  clusterId: row({
    flag: "clusterID",
    env: "CLUSTER_ID",
    fallback: NAMES.defaultClusterId,
    read: text,
    about: "The id of the own cluster; proxies and remote secrets must use the same.",
  }),
  namespace: row({
    flag: "namespace",
    env: "POD_NAMESPACE",
    fallback: NAMES.systemNamespace,
    read: text,
    about: "The namespace of the control plane: remote secrets, CA secrets and mesh configuration are read there.",
  }),
  revision: row({
    env: "REVISION",
    fallback: "default",
    read: text,
    about: "The revision this control plane serves: which webhooks it keeps and how its own names end.",
  }),
  domain: row({
    flag: "domain",
    fallback: NAMES.domain,
    read: text,
    about: "The DNS suffix of Kubernetes services, the same for all clusters of the mesh.",
  }),
  kubeconfig: row({
    flag: "kubeconfig",
    env: "KUBECONFIG",
    fallback: "",
    read: text,
    about:
      "The kubeconfig of the own cluster; a file that does not exist, or none, means the pod's own service account.",
  }),
  kubernetesHost: row({
    env: "KUBERNETES_SERVICE_HOST",
    fallback: "",
    read: text,
    about: "The API server's address for the pod's own service account; set by Kubernetes.",
  }),
  kubernetesPort: row({
    env: "KUBERNETES_SERVICE_PORT",
    fallback: "443",
    read: text,
    about: "The API server's port for the pod's own service account; set by Kubernetes.",
  }),
  httpAddr: row({
    flag: "httpAddr",
    fallback: `:${PORTS.controlPlaneHttp}`,
    read: listenAddress,
    about: "Readiness and debug pages.",
  }),
  httpsAddr: row({
    flag: "httpsAddr",
    fallback: `:${PORTS.webhook}`,
    read: listenAddress,
    about: "Admission webhooks, TLS.",
  }),
  grpcAddr: row({
    flag: "grpcAddr",
    fallback: `:${PORTS.grpcXds}`,
    read: listenAddress,
    about: "xDS in plain text, for callers inside the cluster's network.",
  }),
  secureGrpcAddr: row({
    flag: "secureGRPCAddr",
    fallback: `:${PORTS.grpcTls}`,
    read: listenAddress,
    about: "xDS and certificates over TLS.",
  }),
  monitoringAddr: row({
    flag: "monitoringAddr",
    fallback: `:${PORTS.controlPlaneMonitoring}`,
    read: listenAddress,
    about: "Prometheus metrics, version and debug pages.",
  }),
  logLevel: row({
    flag: "log_output_level",
    fallback: "default:info",
    read: logLevel,
    about: "Least severe level that is logged: debug, info, warn, error or none.",
  }),
  maxConnectionAgeMs: row({
    flag: "keepaliveMaxServerConnectionAge",
    fallback: "30m",
    read: duration,
    about: "Proxies are asked to reconnect after this time, so that replicas share the load.",
  }),
  remoteTimeoutMs: row({
    env: "PILOT_REMOTE_CLUSTER_TIMEOUT",
    fallback: "30s",
    read: duration,
    about: "Readiness waits at most this long for each remote cluster; 0 waits without end.",
  }),
  debounceAfterMs: row({
    env: "PILOT_DEBOUNCE_AFTER",
    fallback: "100ms",
    read: duration,
    about: "A batch of changes is pushed when nothing new came for this long.",
  }),
  debounceMaxMs: row({
    env: "PILOT_DEBOUNCE_MAX",
    fallback: "10s",
    read: duration,
    about: "A batch of changes is pushed at the latest this long after its first change.",
  }),
  debounceEndpoints: row({
    env: "PILOT_ENABLE_EDS_DEBOUNCE",
    fallback: "false",
    read: flag,
    about:
      "Let batches of endpoints wait too; otherwise the first leaves at once and those close behind it are gathered.",
  }),
  identityCheck: row({
    env: "PILOT_ENABLE_XDS_IDENTITY_CHECK",
    fallback: "true",
    read: flag,
    about: "Refuse a proxy that names another namespace or service account than its certificate or token.",
  }),
  plugInCaDir: row({
    env: "ROOT_CA_DIR",
    fallback: PATHS.plugInCa,
    read: text,
    about: "Where the Secret cacerts is mounted.",
  }),
  multiRoot: row({
    env: "ISTIO_MULTIROOT_MESH",
    fallback: "false",
    read: flag,
    about: "Accept a renewed CA whose root bundle holds the old roots and more.",
  }),
  workloadTtlMs: row({
    env: "DEFAULT_WORKLOAD_CERT_TTL",
    fallback: "24h",
    read: duration,
    about: "Life of a workload certificate whose request names none.",
  }),
  maxWorkloadTtlMs: row({
    env: "MAX_WORKLOAD_CERT_TTL",
    fallback: "2160h",
    read: duration,
    about: "A request for a longer life is refused.",
  }),
  nativeSidecars: row({
    env: "ENABLE_NATIVE_SIDECARS",
    fallback: "false",
    read: nativeSidecars,
    about:
      "Inject the proxy as an init container that stays (needs Kubernetes 1.28); auto means false: nodes are not asked.",
  }),
  podName: row({
    env: "POD_NAME",
    fallback: "istiod",
    read: text,
    about: "The name of this replica in debug pages and in proxy-status.",
  }),
  resolveGatewayHosts: row({
    env: "RESOLVE_HOSTNAME_GATEWAYS",
    fallback: "true",
    read: flag,
    about: "Ask DNS for the addresses of network gateways that have a host name.",
  }),
} as const;

type Rows = typeof OPTION_ROWS;

export type ControlPlaneOptions = { readonly [Key in keyof Rows]: ReturnType<Rows[Key]["read"]> };

/** Flags that istiod takes and that mean nothing here; accepted so that its Deployment works. */
const IGNORED_FLAGS = [
  "keepaliveInterval",
  "keepaliveTimeout",
  "log_as_json",
  "log_target",
  "caCertFile",
  "tlsCertFile",
  "tlsKeyFile",
  "plugins",
  "profile",
];

/**
 * Reads `discovery` flags and environment; a flag wins over a variable. Throws MeshError USAGE naming what is wrong.
 */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ControlPlaneOptions {
  const flags = parseFlags(args);
  const entries = (Object.entries(OPTION_ROWS) as [string, Row<unknown>][]).map(([key, entry]) => {
    const given = entry.flag === undefined ? undefined : flags[entry.flag];
    const variable = entry.env === undefined ? undefined : environment[entry.env];
    const name = given === undefined ? (entry.env ?? `--${entry.flag}`) : `--${entry.flag}`;
    try {
      return [key, entry.read(given || variable || entry.fallback)] as const;
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new MeshError("USAGE", `${name} ${why}`, { hint: entry.about });
    }
  });
  return Object.fromEntries(entries) as ControlPlaneOptions;
}

function parseFlags(args: readonly string[]): Record<string, string | undefined> {
  const names = Object.values(OPTION_ROWS).flatMap((entry: Row<unknown>) => entry.flag ?? []);
  const options = Object.fromEntries([...names, ...IGNORED_FLAGS].map((name) => [name, { type: "string" as const }]));
  try {
    const short = { ...options, namespace: { type: "string" as const, short: "n" } };
    return parseArgs({ args: [...args], options: short, allowPositionals: false, strict: true }).values as Record<
      string,
      string
    >;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new MeshError("USAGE", why, { hint: "run `pilot-discovery help` for the list of flags" });
  }
}

/** The table as text, one setting a paragraph. */
export function renderOptions(): string {
  return Object.values(OPTION_ROWS)
    .map((entry: Row<unknown>) => {
      const names = [entry.flag && `--${entry.flag}`, entry.env && `$${entry.env}`].filter(Boolean).join(", ");
      return `  ${names}  (default ${entry.fallback || "none"})\n      ${entry.about}\n`;
    })
    .join("");
}
