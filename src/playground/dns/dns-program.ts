// The cluster's DNS as a program of a pod: `playground-dns`, its flags and its answers to the kubelet's probes.
import { once } from "node:events";
import { createServer } from "node:http";
import { Command, InvalidArgumentError } from "commander";
import { createLogger, LOG_LEVELS, type LogLevel } from "#base/logger";
import { MeshError } from "#base/mesh-error";
import { createKubeClient } from "#kube/create-kube-client";
import { inClusterAccess, loadKubeConfig } from "#kube/kubeconfig";
import { serveClusterDns } from "./serve-cluster-dns.ts";

interface DnsFlags {
  readonly address: string;
  readonly port: number;
  readonly domain: string;
  readonly readyAddress: string;
  readonly readyPort: number;
  readonly kubeconfig?: string;
  readonly logLevel: string;
}

const EXAMPLE = `
Reads Services and EndpointSlices of the cluster it runs in (its ServiceAccount needs list and watch of both), or of
the one that a kubeconfig names, and answers for names below the domain alone.

Example: playground-dns --port 10053 --kubeconfig ~/.kube/config
`;

/** The command; `env` are the variables that Kubernetes gives each container. Runs until `signal` aborts. */
export function dnsCommand(env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Command {
  return new Command("playground-dns")
    .description("Serve a cluster's DNS from its Services and EndpointSlices")
    .option("--address <ip>", "where to listen", "0.0.0.0")
    .option("--port <port>", "UDP and TCP port", readPort, 53)
    .option("--domain <domain>", "the cluster's domain", "cluster.local")
    .option("--ready-address <ip>", "where /ready is served", "0.0.0.0")
    .option("--ready-port <port>", "port of /ready: 200 once queries are answered, 503 before", readPort, 8181)
    .option("--kubeconfig <file>", "the cluster to serve, instead of the one that this runs in")
    .option("--log-level <level>", LOG_LEVELS.join(", "), "info")
    .addHelpText("after", EXAMPLE)
    .action((flags: DnsFlags) => serve(flags, env, signal));
}

async function serve(
  flags: DnsFlags,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const logger = createLogger("playground-dns", readLevel(flags.logLevel));
  const access =
    flags.kubeconfig === undefined
      ? inClusterAccess({ host: env["KUBERNETES_SERVICE_HOST"], port: env["KUBERNETES_SERVICE_PORT"] })
      : loadKubeConfig({ path: flags.kubeconfig });
  const client = createKubeClient(access);
  const readiness = await serveReadiness(flags);
  try {
    const onReady = (port: number) => {
      readiness.ready = true;
      logger.info({ address: flags.address, port, domain: flags.domain }, "answering queries");
    };
    const { address, port, domain: clusterDomain } = flags;
    await serveClusterDns({ client, address, port, clusterDomain, logger, onReady }, signal);
  } finally {
    readiness.close();
    await client.close();
  }
}

interface Readiness {
  ready: boolean;
  close(): void;
}

async function serveReadiness({ readyAddress, readyPort }: DnsFlags): Promise<Readiness> {
  const server = createServer((request, response) => {
    const known = request.url === "/ready";
    response.writeHead(known ? (readiness.ready ? 200 : 503) : 404, { "content-type": "text/plain" });
    response.end(known && readiness.ready ? "OK" : "");
  });
  const readiness = { ready: false, close: () => server.close() };
  server.listen(readyPort, readyAddress);
  await once(server, "listening");
  return readiness;
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("a port is a number from 0 to 65535");
}

function readLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  throw new MeshError("USAGE", `log level ${text} does not exist`, { hint: `one of ${LOG_LEVELS.join(", ")}` });
}
