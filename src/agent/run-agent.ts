// The life of one proxy. Envoy starts at once, while the first certificate is on its way: each is there when the other
// needs it, and the pod is ready sooner.
import { readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { PATHS } from "#api/constants/names";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { CREATE_CERTIFICATE_METHOD, decodeCertificateResponse, encodeCertificateRequest } from "#envoy/istio-ca";
import { createGrpcChannel, type GrpcChannel } from "#grpc/channel";
import { createGrpcServer } from "#grpc/server";
import { buildSpiffeId } from "#pki/spiffe";
import { adminPort, buildBootstrap, nodeId, proxyPaths } from "./bootstrap.ts";
import { drainProxy } from "./drain-proxy.ts";
import { createEnvoyAdmin, type EnvoyAdmin } from "./envoy-admin.ts";
import { type EnvoyProcess, startEnvoy } from "./envoy-process.ts";
import { readAppMetrics } from "./metrics.ts";
import { type AgentConfig, hostOf } from "./options.ts";
import { createReadiness, type Readiness } from "./readiness.ts";
import { SecretManager } from "./secrets.ts";
import { type StatusServerOptions, startStatusServer } from "./status-server.ts";
import { createXdsProxy } from "./xds-proxy.ts";

export interface AgentHost {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the pod is to end: the proxy is drained and then stopped. */
  readonly signal: AbortSignal;
}

const CA_TIMEOUT_MS = 10_000;
const DEFAULT_DRAIN_MS = 45_000;

/** Runs the proxy until Envoy ends or the signal aborts. Resolves with the exit code: Envoy's own if it died, else 0. */
export async function runAgent(config: AgentConfig, host: AgentHost): Promise<number> {
  const { clock, logger } = host;
  const stop = new AbortController();
  const channels = createChannels(config);
  const secrets = createSecrets(config, host, channels.ca);
  const admin = createEnvoyAdmin(adminPort(config));
  const readiness = createReadiness(admin);
  const paths = proxyPaths(config);
  await mkdir(paths.folder, { recursive: true });
  await rm(paths.socket, { force: true }); // a socket that a killed agent left would refuse the new one
  const server = createGrpcServer({
    services: [createXdsProxy({ channel: channels.xds, secrets, clock, logger })],
    logger,
    maxMessageBytes: 64 << 20,
  });
  await Promise.all([
    server.listen({ path: paths.socket }),
    writeFile(paths.bootstrap, JSON.stringify(buildBootstrap(config))),
  ]);
  const renewing = secrets.run(stop.signal);
  const envoy = startEnvoy(envoyOptions(config, paths.bootstrap));
  logger.info({ node: nodeId(config), envoy: envoy.pid, discovery: config.discoveryAddress }, "proxy started");
  const ending = endOf({ config, host, envoy, admin, readiness });
  let closeStatus: (() => void) | undefined;
  try {
    closeStatus = await startStatusServer(
      statusOptions(config, host, { admin, readiness, secrets, quit: ending.quit }),
    );
    return await ending.code;
  } finally {
    stop.abort();
    closeStatus?.();
    channels.close();
    await Promise.all([envoy.stop().catch(() => undefined), server.close(), renewing]);
  }
}

interface StatusParts {
  readonly admin: EnvoyAdmin;
  readonly readiness: Readiness;
  readonly secrets: SecretManager;
  readonly quit: () => void;
}

function statusOptions(config: AgentConfig, { clock, logger }: AgentHost, parts: StatusParts): StatusServerOptions {
  const { admin, readiness, secrets, quit } = parts;
  return {
    port: config.statusPort,
    readiness,
    metrics: {
      envoy: () => admin.prometheus(),
      app: readAppMetrics(config.appMetrics),
      agent: () => agentMetrics(secrets, clock),
      logger,
    },
    appProbers: config.appProbers,
    podAddress: config.addresses[0] ?? "127.0.0.1",
    drain: () => admin.drainListeners(),
    quit,
    logger,
  };
}

function envoyOptions(config: AgentConfig, bootstrapPath: string) {
  const { concurrency, logLevel, componentLogLevel, proxy } = config;
  const drainSeconds = Math.round((proxy.drainDuration ?? DEFAULT_DRAIN_MS) / 1000);
  const binary = proxy.binaryPath ?? PATHS.envoyBinary;
  return { binary, bootstrapPath, concurrency, logLevel, componentLogLevel, drainSeconds };
}

/** One connection serves xDS and certificates when both have one address: a TLS handshake and its memory saved. */
function createChannels(config: AgentConfig) {
  const channel = (target: string) =>
    createGrpcChannel({
      target,
      tls: () => ({ ca: readFileSync(config.rootCertPath, "utf8"), servername: hostOf(target) }),
      metadata: () => ({ authorization: `Bearer ${readToken(config.tokenPath)}`, clusterid: config.clusterId }),
    });
  const xds = channel(config.discoveryAddress);
  const ca = config.caAddress === config.discoveryAddress ? xds : channel(config.caAddress);
  return {
    xds,
    ca,
    close() {
      xds.close();
      ca.close();
    },
  };
}

/** Read at each call: Kubernetes renews the token in its file. */
function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return ""; // the control plane refuses with a clear status, and it is tried again
  }
}

function createSecrets(config: AgentConfig, { clock, logger }: AgentHost, channel: GrpcChannel): SecretManager {
  return new SecretManager({
    uri: buildSpiffeId({
      trustDomain: config.trustDomain,
      namespace: config.pod.namespace,
      serviceAccount: config.pod.serviceAccount,
    }),
    ttlSeconds: config.secretTtlSeconds,
    gracePeriodRatio: config.secretGracePeriodRatio,
    rootCertPath: config.rootCertPath,
    clock,
    logger,
    async sign(csr, validitySeconds) {
      const request = encodeCertificateRequest({ csr, validitySeconds, metadata: {} });
      const answer = await channel.unary(CREATE_CERTIFICATE_METHOD, request, { timeoutMs: CA_TIMEOUT_MS });
      return decodeCertificateResponse(answer);
    },
  });
}

function agentMetrics(secrets: SecretManager, clock: Clock): string {
  if (secrets.notAfter === undefined) return "";
  const seconds = Math.round((secrets.notAfter - clock.now()) / 1000);
  const name = "istio_agent_cert_expiry_seconds";
  return `# TYPE ${name} gauge\n${name}{resource_name="default"} ${seconds}\n`;
}

interface Life {
  readonly config: AgentConfig;
  readonly host: AgentHost;
  readonly envoy: EnvoyProcess;
  readonly admin: EnvoyAdmin;
  readonly readiness: Readiness;
}

/** How the proxy ends: Envoy by itself, the signal with draining, or a request to quit at once. */
function endOf({ config, host, envoy, admin, readiness }: Life) {
  const { signal, logger, clock } = host;
  const quit = new AbortController();
  const drained = async () => {
    readiness.drain();
    const options = {
      terminationDrainMs: config.terminationDrainMs,
      exitOnZeroActiveConnections: config.exitOnZeroActiveConnections,
      minimumDrainMs: config.minimumDrainMs,
    };
    await drainProxy(options, { admin, clock, logger, signal: quit.signal });
    await envoy.stop();
    return 0;
  };
  const asked = new Promise<number>((resolve, reject) => {
    const end = () => {
      drained().then(resolve, reject);
    };
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    quit.signal.addEventListener("abort", () => envoy.stop().then(() => resolve(0), reject), { once: true });
  });
  const died = envoy.exited.then((code) => {
    if (!signal.aborted && !quit.signal.aborted) logger.error({ code }, "Envoy ended by itself");
    return signal.aborted || quit.signal.aborted ? 0 : code;
  });
  return { code: Promise.race([asked, died]), quit: () => quit.abort() };
}
