// One cluster's API server: TLS, HTTP/1.1 and HTTP/2 on one port, and the engine behind it.
import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "#base/logger";
import type { ClusterProcessConfig } from "#playground/process-config";
import type { EngineParts } from "./api-context.ts";
import { bootstrapObjects, ensureObjects } from "./bootstrap-objects.ts";
import type {
  AdmissionPlugin,
  ApiRequest,
  ApiResponse,
  Authenticator,
  Authorizer,
  JsonObject,
  ObjectAccess,
  PodConnector,
  VirtualResource,
} from "./contract.ts";
import { watchDefinitions } from "./crd/custom-resources.ts";
import { createEngine, type Engine } from "./create-engine.ts";
import { createFlowClassifier } from "./flow-control/flow-classifier.ts";
import { keepFlowConfiguration } from "./flow-control/flow-configuration.ts";
import { watchFlowSchemas } from "./flow-control/flow-schema-status.ts";
import { createRequestHandler, type RequestHandler } from "./http/handle-request.ts";
import type { Documents } from "./http/serve-path.ts";
import { keepIdentityLease } from "./identity-lease.ts";
import { watchServiceAddresses } from "./service-addresses.ts";

export interface ApiServerOptions {
  readonly config: ClusterProcessConfig;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly admission: readonly AdmissionPlugin[];
  readonly virtualResources: readonly VirtualResource[];
  readonly pods: PodConnector;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** The engine that the plug-ins read; a new one by default. */
  readonly engine?: Engine;
  /** Objects to make beside the engine's own, such as the default roles. */
  readonly bootstrap?: readonly JsonObject[];
  /** What is served as it stands, by path. */
  readonly documents?: Documents;
}

export interface RunningApiServer {
  /** https://ADDRESS:PORT */
  readonly url: string;
  readonly objects: ObjectAccess;
  /** Ends every connection; may be called twice. Also called when the signal aborts. */
  close(): Promise<void>;
}

/** Resolves when the server answers and its first objects exist. Port 0 takes a free one. */
export async function startApiServer(options: ApiServerOptions): Promise<RunningApiServer> {
  const { config, logger, signal } = options;
  const engine = options.engine ?? createEngine(config, logger);
  const parts: EngineParts = { ...engine, admission: options.admission, now: Date.now };
  const stop = new AbortController();
  // Every watch listens to it.
  setMaxListeners(0, stop.signal);
  watchDefinitions(parts, logger);
  parts.store.announce();
  await ensureObjects(parts, [...bootstrapObjects(config, engine.allocator.address(1)), ...(options.bootstrap ?? [])]);
  watchFlowSchemas(parts);
  await keepIdentityLease(parts, { logger, signal: stop.signal });
  keepFlowConfiguration(parts, options.bootstrap ?? [], { logger, signal: stop.signal });
  watchServiceAddresses(parts);
  const server = createSecureServer({
    key: readFileSync(config.pki.serverKey),
    cert: readFileSync(config.pki.serverCert),
    ca: readFileSync(config.pki.clientCaCert),
    requestCert: true,
    rejectUnauthorized: false,
    allowHTTP1: true,
    settings: { maxConcurrentStreams: 1000 },
    // In megabytes: one connection may carry every watch of a controller, and a long list beside them.
    maxSessionMemory: 1000,
  });
  let port = config.listen.port;
  const host = config.listen.address.includes(":") ? `[${config.listen.address}]` : config.listen.address;
  const serverAddress = () => `${host}:${port}`;
  const handler = createRequestHandler({
    ...options,
    parts,
    flows: createFlowClassifier(parts.store),
    serverAddress,
    stopping: stop.signal,
  });
  const close = closer(server, handler, stop);
  port = await listen(server, config);
  if (signal.aborted) await close();
  else signal.addEventListener("abort", () => void close(), { once: true });
  logger.info({ address: config.listen.address, port }, "API server ready");
  return { url: `https://${serverAddress()}`, objects: engine.objects, close };
}

function listen(server: Http2SecureServer, config: ClusterProcessConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(config.listen.port, config.listen.address, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Connects the handler and remembers what is open, so that closing does not wait for watchers. */
function closer(server: Http2SecureServer, handler: RequestHandler, stop: AbortController): () => Promise<void> {
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("request", (request: ApiRequest, response: ApiResponse) => void handler.serve(request, response));
  server.on(
    "upgrade",
    (request: IncomingMessage, socket: Duplex, head: Buffer) => void handler.upgrade(request, socket, head),
  );
  let closed: Promise<void> | undefined;
  return () => {
    closed ??= new Promise((resolve) => {
      stop.abort();
      server.close(() => resolve());
      for (const session of sessions) session.close();
      setImmediate(() => {
        for (const session of sessions) session.destroy();
        for (const socket of sockets) socket.destroy();
      });
    });
    return closed;
  };
}
