// `istioctl create-remote-secret`: the credential with which other clusters' control planes read this cluster.
import { Command } from "commander";
import { stringify } from "yaml";
import { ANNOTATIONS, LABELS } from "#api/constants/labels";
import { NAMES } from "#api/constants/names";
import { Kinds } from "#api/kinds";
import type { Namespace, Secret, ServiceAccount } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import { until } from "#base/until";
import { renderReader } from "#install/manifests/base";
import { resolveInstall } from "#install/resolve-install";
import { applyObject } from "#kube/apply-object";
import { isNotFound, type KubeClient } from "#kube/kube-client";
import type { ClusterAccess } from "#kube/kubeconfig";
import { type CliContext, type ClusterFlags, printLine, withCluster, withClusterFlags } from "../cli-context.ts";

interface Flags extends ClusterFlags {
  readonly name?: string;
  readonly serviceAccount?: string;
  readonly createServiceAccount: boolean | string;
  readonly type: string;
  readonly authType: string;
  readonly server?: string;
  readonly tlsServerName?: string;
  readonly secretName?: string;
}

const TOKEN_TYPE = "kubernetes.io/service-account-token";
const TOKEN_OWNER = "kubernetes.io/service-account.name";

export function createRemoteSecretCommand(io: CliContext): Command {
  const command = new Command("create-remote-secret")
    .description("print a Secret that lets another cluster's control plane discover this cluster")
    .option("--name <name>", "name of this cluster, its CLUSTER_ID (default: the UID of namespace kube-system)")
    .option("--service-account <name>", "account whose token is handed out")
    .option("--create-service-account [boolean]", "make the account and its rights when absent", true)
    .option("--type <remote|config>", "what the secret is for", "remote")
    .option("--auth-type <type>", "bearer-token is the only one", "bearer-token")
    .option("--server <url>", "address of this cluster's API server as others reach it (default: from the kubeconfig)")
    .option("--tls-server-name <name>", "name to check the API server's certificate against")
    .option("--secret-name <name>", "token Secret to use when the account has several")
    .option("-d, --manifests <path>", "accepted for compatibility")
    .addHelpText(
      "after",
      "\nExample:\n  istioctl create-remote-secret --context=cluster1 --name=cluster1 | kubectl apply -f - --context=cluster2\n",
    );
  withClusterFlags(command).action(async (flags: Flags) => {
    checkFlags(flags);
    io.stdout.write(await withCluster(flags, io, (client, access) => createRemoteSecret(client, access, flags, io)));
  });
  return command;
}

async function createRemoteSecret(
  client: KubeClient,
  access: ClusterAccess,
  flags: Flags,
  io: CliContext,
): Promise<string> {
  const name = flags.name ?? (await clusterUid(client));
  const account = flags.serviceAccount ?? (flags.type === "config" ? "istiod" : NAMES.readerServiceAccount);
  await ensureAccount(client, account, flags);
  const token = await readToken(client, account, flags);
  const server = flags.server ?? access.server;
  if (/^https?:\/\/(127\.|localhost|\[::1\])/.test(server)) {
    printLine(
      io.stderr,
      `Warning: the API server's address ${server} is local to this machine: other clusters cannot reach it. Use --server.`,
    );
  }
  return renderRemoteSecret({
    name,
    namespace: flags.istioNamespace,
    server,
    type: flags.type === "config" ? "config" : "remote",
    ...token,
    tlsServerName: flags.tlsServerName,
  });
}

function checkFlags({ authType, type, name }: Flags): void {
  const refuse = (message: string, hint: string) => new MeshError("USAGE", message, { hint });
  if (authType !== "bearer-token") throw refuse(`--auth-type ${authType} is not supported`, "use bearer-token");
  if (type !== "remote" && type !== "config") throw refuse(`--type ${type} does not exist`, "use remote or config");
  if (name === undefined || /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return;
  throw refuse(
    `--name ${JSON.stringify(name)} is not a DNS-1123 label`,
    "lower-case letters, digits and dashes, at most 63",
  );
}

async function clusterUid(client: KubeClient): Promise<string> {
  const namespace = await client.get<Namespace>(Kinds.Namespace, { name: "kube-system" });
  return namespace.metadata?.uid ?? "";
}

async function ensureAccount(client: KubeClient, name: string, flags: Flags): Promise<void> {
  const namespace = flags.istioNamespace;
  const existing = await client
    .get<ServiceAccount>(Kinds.ServiceAccount, { namespace, name })
    .catch((thrown: unknown) => {
      if (isNotFound(thrown)) return undefined;
      throw thrown;
    });
  if (existing !== undefined) return;
  if (String(flags.createServiceAccount) === "false") {
    throw new MeshError("SERVICE_ACCOUNT_MISSING", `service account ${namespace}/${name} does not exist`, {
      hint: "install the mesh first, or leave out --create-service-account=false",
    });
  }
  await applyObject(client, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const install = resolveInstall({ operators: [], set: [`values.global.istioNamespace=${namespace}`] });
  for (const object of renderReader(install)) await applyObject(client, object);
  if (name !== NAMES.readerServiceAccount) {
    await applyObject(client, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } });
  }
}

async function readToken(
  client: KubeClient,
  account: string,
  flags: Flags,
): Promise<{ token: string; caData: string }> {
  const namespace = flags.istioNamespace;
  const name =
    flags.secretName ??
    (await findTokenSecret(client, account, namespace)) ??
    (await createTokenSecret(client, account, namespace));
  const secret = await until(
    async () => {
      const found = await client.get<Secret>(Kinds.Secret, { namespace, name });
      return found.data?.["token"] && found.data["ca.crt"] ? found : undefined;
    },
    {
      reason: `Secret ${namespace}/${name} holds a token and ca.crt (the cluster's token controller writes them)`,
      timeoutMs: 5000,
    },
  );
  return {
    token: Buffer.from(secret.data?.["token"] ?? "", "base64").toString("utf8"),
    caData: secret.data?.["ca.crt"] ?? "",
  };
}

async function findTokenSecret(client: KubeClient, account: string, namespace: string): Promise<string | undefined> {
  const secrets = await client.list<Secret>(Kinds.Secret, { namespace, fieldSelector: `type=${TOKEN_TYPE}` });
  return secrets.items.find((secret) => secret.metadata?.annotations?.[TOKEN_OWNER] === account)?.metadata?.name;
}

async function createTokenSecret(client: KubeClient, account: string, namespace: string): Promise<string> {
  const name = `${account}-istio-remote-secret-token`;
  const secret: Secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, annotations: { [TOKEN_OWNER]: account } },
    type: TOKEN_TYPE,
  };
  await client.create(Kinds.Secret, secret);
  return name;
}

interface RemoteSecret {
  readonly name: string;
  readonly namespace: string;
  readonly server: string;
  readonly token: string;
  /** Base64 of the PEM. */
  readonly caData: string;
  readonly type: "remote" | "config";
  readonly tlsServerName: string | undefined;
}

/** Exactly Istio's text: comment line, Secret with keys in alphabetical order, closing `---`. */
export function renderRemoteSecret(secret: RemoteSecret): string {
  const { name, token } = secret;
  const cluster = {
    "certificate-authority-data": secret.caData,
    server: secret.server,
    ...(secret.tlsServerName === undefined ? {} : { "tls-server-name": secret.tlsServerName }),
  };
  const kubeconfig = {
    apiVersion: "v1",
    clusters: [{ cluster, name }],
    contexts: [{ context: { cluster: name, user: name }, name }],
    "current-context": name,
    kind: "Config",
    users: [{ name, user: { token } }],
  };
  const options = { version: "1.1", lineWidth: 0, indentSeq: false } as const;
  const isConfig = secret.type === "config";
  const object = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      annotations: { [ANNOTATIONS.remoteCluster]: name },
      ...(isConfig ? {} : { labels: { [LABELS.multiCluster]: "true" } }),
      name: isConfig ? "istio-kubeconfig" : `istio-remote-secret-${name}`,
      namespace: secret.namespace,
    },
    stringData: { [isConfig ? "config" : name]: stringify(kubeconfig, options) },
  };
  return `# This file is autogenerated, do not edit.\n${stringify(object, options)}---\n`;
}
