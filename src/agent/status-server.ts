import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { POD_SOURCE, type ProbeTarget, readAppProbers } from "./app-probes.ts";
import { type MetricsSources, mergedMetrics } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";

export interface StatusServerOptions {
  readonly port: number;
  readonly readiness: Readiness;
  readonly metrics: MetricsSources;
  /** ISTIO_KUBE_APP_PROBERS. */
  readonly appProbers: string;
  /** The pod's address, for probes of the application. */
  readonly podAddress: string;
  readonly drain: () => Promise<void>;
  readonly quit: () => void;
  readonly logger: Logger;
}

type Answer = readonly [status: number, body: string, contentType?: string];
type Handler = (request: IncomingMessage) => Promise<Answer>;

const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

/** The agent's HTTP server (15020). Resolves with the way to close it once it listens. */
export async function startStatusServer(options: StatusServerOptions): Promise<() => void> {
  const routes = routesOf(options);
  const server = createServer((request, response) => {
    answer(routes, request, response).catch((thrown: unknown) => {
      options.logger.error({ path: request.url, error: errorMessage(thrown) }, "status request failed");
      response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, resolve);
  });
  return () => {
    server.close();
    server.closeAllConnections();
  };
}

function routesOf(options: StatusServerOptions): ReadonlyMap<string, Handler> {
  const probers = readAppProbers(options.appProbers);
  const target: ProbeTarget = {
    host: options.podAddress,
    localAddress: options.podAddress === "127.0.0.1" ? undefined : POD_SOURCE,
  };
  const routes = new Map<string, Handler>([
    ["/healthz/ready", () => ready(options.readiness)],
    ["/stats/prometheus", async () => [200, await mergedMetrics(options.metrics), PROMETHEUS]],
    ["/quitquitquit", localPost(async () => options.quit())],
    ["/drain", localPost(options.drain)],
  ]);
  for (const [path, prober] of probers) {
    routes.set(path, async (request) => [await probe(() => prober(target, headersOf(request))), ""]);
  }
  return routes;
}

async function ready(readiness: Readiness): Promise<Answer> {
  const reason = await readiness.whyNotReady();
  return reason === undefined ? [200, ""] : [503, `${reason}\n`];
}

/** What ends or empties the proxy is for the pod itself only. */
function localPost(action: () => Promise<void>): Handler {
  return async (request) => {
    const from = (request.socket.remoteAddress ?? "").replace("::ffff:", "");
    if (!/^(127\.|::1$)/.test(from)) return [403, "only requests from localhost are allowed\n"];
    if (request.method !== "POST") return [405, "only POST is allowed\n"];
    await action();
    return [200, "OK"];
  };
}

async function probe(ask: () => Promise<number>): Promise<number> {
  try {
    return await ask();
  } catch {
    return 500; // the application does not answer: that is what a probe is for
  }
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === "string") headers[name] = value;
  return headers;
}

async function answer(
  routes: ReadonlyMap<string, Handler>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  const handler = routes.get(path);
  const [status, body, contentType] = handler === undefined ? ([404, "not found\n"] as const) : await handler(request);
  response.writeHead(status, { "content-type": contentType ?? "text/plain" }).end(body);
}
