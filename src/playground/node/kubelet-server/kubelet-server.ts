// The kubelet API: what an API server asks of a node when someone wants logs, exec, attach or port-forward.
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import { type Component, untilAborted } from "#base/component";
import { errorMessage, MeshError } from "#base/mesh-error";
import { serveContainerLog } from "./container-log-query.ts";
import { serveAttach, serveExec } from "./exec-session.ts";
import type { KubeletServerOptions, PodRequest, Upgraded } from "./kubelet-request.ts";
import { servePortForward } from "./port-forward.ts";
import { resourceMetrics } from "./resource-metrics.ts";

type Upgrade = (options: KubeletServerOptions, on: PodRequest, upgraded: Upgraded) => Promise<void>;

const UPGRADES: Readonly<Record<string, Upgrade>> = {
  exec: serveExec,
  attach: serveAttach,
  portForward: servePortForward,
};

/** Serves HTTPS on the node's address to those whom `access` lets in. */
export function createKubeletServer(options: KubeletServerOptions): Component {
  const { config, logger } = options;
  return {
    name: "kubelet-server",
    async run(signal) {
      const server = createServer({
        cert: readFileSync(config.kubelet.cert),
        key: readFileSync(config.kubelet.key),
        ca: readFileSync(config.kubelet.clientCaCert),
        requestCert: true,
        // Who shows no certificate may have a token; who has neither hears so in words.
        rejectUnauthorized: false,
        ALPNProtocols: ["http/1.1"],
      });
      const sockets = new Set<Duplex>();
      server.on("secureConnection", (socket: Duplex) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      });
      server.on("request", (request: IncomingMessage, response: ServerResponse) => {
        serve(options, request, response).catch((thrown: unknown) => refuse(response, thrown));
      });
      server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        socket.on("error", () => socket.destroy());
        upgrade(options, { request, socket, head }).catch((thrown: unknown) => {
          logger.warn({ path: request.url?.split("?")[0], error: errorMessage(thrown) }, "upgrade refused");
          const text = `${errorMessage(thrown)}\n`;
          socket.end(
            `HTTP/1.1 ${statusOf(thrown)} Error\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
          );
        });
      });
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(config.kubelet.port, config.address, () => resolve());
      });
      await untilAborted(signal);
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function serve(options: KubeletServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  await options.access.check(request);
  const { kind, on } = parsePath(request);
  if (kind === "healthz") {
    response.end("ok");
  } else if (kind === "metrics" && on.namespace === "resource") {
    response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
    response.end(resourceMetrics(options.manager, options.clock.now()));
  } else if (kind === "pods") {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata: {}, items: options.manager.pods() }));
  } else if (kind === "containerLogs") {
    await serveContainerLog(options, on, response);
  } else {
    throw new MeshError(
      "NOT_FOUND",
      `the node serves no ${request.method ?? "GET"} ${request.url ?? "/"} without an upgrade`,
    );
  }
}

async function upgrade(options: KubeletServerOptions, upgraded: Upgraded): Promise<void> {
  await options.access.check(upgraded.request);
  const { kind, on } = parsePath(upgraded.request);
  const handler = UPGRADES[kind];
  if (!handler) throw new MeshError("NOT_FOUND", `the node upgrades no ${upgraded.request.url ?? "/"}`);
  if (!["spdy/3.1", "websocket"].includes(upgraded.request.headers.upgrade?.toLowerCase() ?? "")) {
    throw new MeshError("BAD_REQUEST", "the node speaks SPDY/3.1 and WebSockets here");
  }
  await handler(options, on, upgraded);
}

function parsePath(request: IncomingMessage): { kind: string; on: PodRequest } {
  const url = new URL(request.url ?? "/", "https://node");
  const [kind = "", namespace = "", pod = "", container = ""] = url.pathname
    .split("/")
    .slice(1)
    .map(decodeURIComponent);
  return { kind, on: { namespace, pod, container, query: url.searchParams } };
}

function refuse(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = statusOf(thrown);
  response.setHeader("content-type", "text/plain");
  // As a kubelet says it: without a line's end.
  response.end(errorMessage(thrown));
}

function statusOf(thrown: unknown): number {
  const codes: Readonly<Record<string, number>> = {
    NOT_FOUND: 404,
    BAD_REQUEST: 400,
    UNAUTHORIZED: 401,
    FORBIDDEN: 403,
  };
  return (thrown instanceof MeshError && codes[thrown.code]) || 500;
}
