// From a kubeconfig to what a client needs to reach one API server. Plain credentials are read here; kubeconfigs with
// exec plugins or auth providers go through the official client library, which is loaded only then.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { MeshError } from "#base/mesh-error";

/** How to reach one API server as one user. */
export interface ClusterAccess {
  readonly server: string;
  /** Undefined: the system's roots. */
  readonly caPem?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
  readonly clientCertPem?: string;
  readonly clientKeyPem?: string;
  /** Asked before each request, so that rotated tokens are seen; the value goes into the Authorization header whole. */
  readonly authorization?: () => Promise<string>;
  readonly contextName: string;
  readonly clusterName: string;
  /** Namespace of the context, `default` when it names none. */
  readonly namespace: string;
}

interface RawConfig {
  "current-context"?: string;
  clusters?: { name: string; cluster: RawCluster }[];
  users?: { name: string; user: RawUser }[];
  contexts?: { name: string; context: { cluster: string; user?: string; namespace?: string } }[];
}

interface RawCluster {
  server?: string;
  "certificate-authority"?: string;
  "certificate-authority-data"?: string;
  "insecure-skip-tls-verify"?: boolean;
  "tls-server-name"?: string;
}

interface RawUser {
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  "client-certificate"?: string;
  "client-certificate-data"?: string;
  "client-key"?: string;
  "client-key-data"?: string;
  exec?: unknown;
  "auth-provider"?: unknown;
}

export interface KubeConfigSource {
  /** One file; default: the files of $KUBECONFIG, else ~/.kube/config. */
  readonly path?: string | undefined;
  readonly context?: string | undefined;
  /** Value of $KUBECONFIG, handed in by the program's options. */
  readonly environment?: string | undefined;
}

/** Reads kubeconfig files as kubectl does: several files merge, the first that names a thing wins. */
export function loadKubeConfig(source: KubeConfigSource): ClusterAccess {
  const explicit = source.path !== undefined && source.path !== "";
  const listed = explicit
    ? [source.path ?? ""]
    : (source.environment ?? "").split(delimiter).filter((path) => path !== "");
  const paths = listed.length > 0 ? listed : [join(homedir(), ".kube", "config")];
  const configs = paths.flatMap((path) => {
    const text = readIfPresent(path, explicit);
    return text === undefined ? [] : [{ config: parseText(text, path), folder: dirname(path) }];
  });
  if (configs.length === 0) {
    throw new MeshError("KUBECONFIG_MISSING", `no kubeconfig found at ${paths.join(", ")}`, {
      hint: 'set KUBECONFIG or pass --kubeconfig; for a local playground: eval "$(isthmus playground env)"',
    });
  }
  return accessOf(merge(configs), source.context, paths.join(delimiter));
}

/** Reads one kubeconfig text whose credentials are inline, such as a remote secret's. */
export function parseKubeConfig(text: string, options: { context?: string } = {}): ClusterAccess {
  return accessOf(absolute(parseText(text, "kubeconfig"), ""), options.context, "kubeconfig");
}

const IN_CLUSTER = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The access of a pod's own service account. The token is read again for each request: the node rotates it. */
export function inClusterAccess(environment: { host?: string | undefined; port?: string | undefined }): ClusterAccess {
  const { host, port } = environment;
  if (host === undefined || port === undefined) {
    throw new MeshError("NOT_IN_CLUSTER", "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set", {
      hint: "run inside a pod, or name a kubeconfig",
    });
  }
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    caPem: readFileSync(`${IN_CLUSTER}/ca.crt`, "utf8"),
    authorization: async () => `Bearer ${readFileSync(`${IN_CLUSTER}/token`, "utf8").trim()}`,
    contextName: "in-cluster",
    clusterName: "in-cluster",
    namespace: readFileSync(`${IN_CLUSTER}/namespace`, "utf8").trim(),
  };
}

function readIfPresent(path: string, required: boolean): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (!required) return undefined;
    throw new MeshError("KUBECONFIG_UNREADABLE", `cannot read kubeconfig ${path}`, { cause });
  }
}

/** The YAML library's own error quotes the line that is wrong, and lines of a kubeconfig hold tokens: it stays here. */
function parseText(text: string, where: string): RawConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new MeshError("KUBECONFIG_INVALID", `${where} is not YAML: line ${line}, column ${col} (${broken.code})`);
  }
  const value: unknown = document.toJS();
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as RawConfig;
  throw new MeshError(
    "KUBECONFIG_INVALID",
    `${where} is not a kubeconfig: expected a mapping with clusters, users and contexts`,
  );
}

function merge(configs: readonly { config: RawConfig; folder: string }[]): RawConfig {
  const all = configs.map(({ config, folder }) => absolute(config, folder));
  const current = all.map((config) => config["current-context"]).find((name) => name !== undefined && name !== "");
  return {
    ...(current === undefined ? {} : { "current-context": current }),
    clusters: all.flatMap((config) => config.clusters ?? []),
    users: all.flatMap((config) => config.users ?? []),
    contexts: all.flatMap((config) => config.contexts ?? []),
  };
}

const FILE_FIELDS = ["certificate-authority", "client-certificate", "client-key", "tokenFile"] as const;

/** File names in a kubeconfig are relative to the file that names them. */
function absolute(config: RawConfig, folder: string): RawConfig {
  const fix = <T extends object>(part: T): T => {
    const copy: Record<string, unknown> = { ...(part as Record<string, unknown>) };
    for (const field of FILE_FIELDS) {
      const value = copy[field];
      if (typeof value === "string" && value !== "" && !isAbsolute(value)) copy[field] = join(folder, value);
    }
    return copy as T;
  };
  return {
    ...config,
    clusters: (config.clusters ?? []).map((entry) => ({ ...entry, cluster: fix(entry.cluster ?? {}) })),
    users: (config.users ?? []).map((entry) => ({ ...entry, user: fix(entry.user ?? {}) })),
  };
}

function accessOf(config: RawConfig, wanted: string | undefined, where: string): ClusterAccess {
  const contextName = wanted ?? config["current-context"] ?? "";
  const context = config.contexts?.find((entry) => entry.name === contextName)?.context;
  const known = (config.contexts ?? []).map((entry) => entry.name).join(", ");
  if (context === undefined) {
    throw new MeshError("CONTEXT_UNKNOWN", `context "${contextName}" does not exist in ${where}`, {
      hint: `known contexts: ${known || "none"}`,
    });
  }
  const cluster = config.clusters?.find((entry) => entry.name === context.cluster)?.cluster;
  if (cluster?.server === undefined) {
    throw new MeshError(
      "KUBECONFIG_INVALID",
      `${where}: cluster "${context.cluster}" of context "${contextName}" has no server`,
    );
  }
  const user = config.users?.find((entry) => entry.name === context.user)?.user ?? {};
  const caPem = inlineOrFile(cluster["certificate-authority-data"], cluster["certificate-authority"]);
  const clientCertPem = inlineOrFile(user["client-certificate-data"], user["client-certificate"]);
  const clientKeyPem = inlineOrFile(user["client-key-data"], user["client-key"]);
  const authorization = authorizationOf(user, config, contextName);
  return {
    server: cluster.server.replace(/\/+$/, ""),
    ...(caPem === undefined ? {} : { caPem }),
    ...(cluster["insecure-skip-tls-verify"] === true ? { insecureSkipTlsVerify: true } : {}),
    ...(cluster["tls-server-name"] === undefined ? {} : { tlsServerName: cluster["tls-server-name"] }),
    ...(clientCertPem === undefined ? {} : { clientCertPem }),
    ...(clientKeyPem === undefined ? {} : { clientKeyPem }),
    ...(authorization === undefined ? {} : { authorization }),
    contextName,
    clusterName: context.cluster,
    namespace: context.namespace ?? "default",
  };
}

function inlineOrFile(data: string | undefined, file: string | undefined): string | undefined {
  if (data !== undefined && data !== "") return Buffer.from(data, "base64").toString("utf8");
  return file === undefined || file === "" ? undefined : readFileSync(file, "utf8");
}

function authorizationOf(user: RawUser, config: RawConfig, contextName: string): (() => Promise<string>) | undefined {
  const { token, tokenFile, username, password } = user;
  if (token !== undefined && token !== "") return async () => `Bearer ${token}`;
  if (tokenFile !== undefined) return async () => `Bearer ${readFileSync(tokenFile, "utf8").trim()}`;
  if (username !== undefined) {
    const basic = Buffer.from(`${username}:${password ?? ""}`).toString("base64");
    return async () => `Basic ${basic}`;
  }
  if (user.exec === undefined && user["auth-provider"] === undefined) return undefined;
  return () => askAuthPlugin(config, contextName);
}

async function askAuthPlugin(config: RawConfig, contextName: string): Promise<string> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const library = new KubeConfig();
  library.loadFromString(
    JSON.stringify({ apiVersion: "v1", kind: "Config", ...config, "current-context": contextName }),
  );
  const options: { headers?: Record<string, string> } = {};
  await library.applyToHTTPSOptions(options);
  const header = options.headers?.["Authorization"];
  if (header === undefined)
    throw new MeshError("AUTH_PLUGIN_SILENT", `the auth plugin of context "${contextName}" gave no token`);
  return header;
}
