import {
  createSecureServer,
  createServer,
  type Http2Server,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type Http2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { Logger } from "#base/logger";
import { GrpcError } from "./grpc-error.ts";
import { DEFAULT_KEEP_ALIVE, type KeepAlive, keepAlive, SESSION_MEMORY_MB, WINDOW_BYTES } from "./keep-alive.ts";
import { type PeerInfo, peerOf } from "./peer.ts";
import { type BidiMethod, endWithError, serveBidi, serveUnary, type UnaryMethod } from "./server-call.ts";

export type GrpcMethod = UnaryMethod | BidiMethod;

/** PEM texts. With `ca`, a client certificate is asked for (and verified) but not demanded: handlers look at the peer. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

export interface GrpcServerOptions {
  readonly services: readonly GrpcMethod[];
  /** Undefined serves plain text. */
  readonly tls?: ServerTls;
  readonly logger: Logger;
  /** Longest request message, default 4 MiB. */
  readonly maxMessageBytes?: number;
  readonly keepAlive?: KeepAlive;
  /** A connection is told to go (GOAWAY) this long after its start, plus up to a tenth; undefined: never. */
  readonly maxConnectionAgeMs?: number;
}

export type ListenAddress = { readonly port: number; readonly host?: string } | { readonly path: string };

export interface GrpcServer {
  /** Resolves once listening, with the port taken (0 for a Unix socket). Rejects when the address is not free. */
  listen(address: ListenAddress): Promise<number>;
  /** New connections get this certificate; those that stand are not touched. */
  updateTls(tls: ServerTls): void;
  /** Stops listening, lets streams end for `graceMs` (default 0), then cuts them. May be called twice. */
  close(graceMs?: number): Promise<void>;
}

const DEFAULT_MAX_MESSAGE_BYTES = 4 << 20;
const AGE_GRACE_MS = 10_000;

/** A gRPC server for the given methods; `grpc-status` 12 for any other path. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const methods = new Map(options.services.map((method) => [method.path, method]));
  const sessions = new Map<Http2Session, PeerInfo | undefined>();
  const server = createHttp2Server(options.tls);
  server.on("session", (session) => openSession(session, sessions, options));
  server.on("sessionError", (error) => options.logger.debug({ error: error.message }, "gRPC session failed"));
  server.on("stream", (stream, headers) => {
    const { session } = stream;
    if (session === undefined) return;
    let peer = sessions.get(session);
    if (peer === undefined) {
      peer = peerOf(session.socket);
      sessions.set(session, peer);
    }
    serve(methods, { stream, headers, peer }, options);
  });
  return {
    listen: (address) => listen(server, address),
    updateTls(tls) {
      if (!("setSecureContext" in server)) throw new Error("this gRPC server serves plain text");
      server.setSecureContext(tlsOptions(tls));
    },
    close: (graceMs = 0) => close(server, [...sessions.keys()], graceMs),
  };
}

const settings = { initialWindowSize: WINDOW_BYTES, maxConcurrentStreams: 100_000 };
const http2Options = { settings, maxSessionMemory: SESSION_MEMORY_MB };

function createHttp2Server(tls: ServerTls | undefined): Http2Server | Http2SecureServer {
  if (tls === undefined) return createServer(http2Options);
  return createSecureServer({ ...http2Options, ...tlsOptions(tls), ALPNProtocols: ["h2"] });
}

function tlsOptions(tls: ServerTls) {
  const { cert, key, ca } = tls;
  const client = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: false };
  return { cert, key, minVersion: "TLSv1.2" as const, ...client };
}

function openSession(
  session: Http2Session,
  sessions: Map<Http2Session, PeerInfo | undefined>,
  options: GrpcServerOptions,
): void {
  sessions.set(session, undefined);
  session.setLocalWindowSize(WINDOW_BYTES);
  keepAlive(session, options.keepAlive ?? DEFAULT_KEEP_ALIVE);
  session.on("error", (error) => options.logger.debug({ error: error.message }, "gRPC session failed"));
  session.once("close", () => sessions.delete(session));
  if (options.maxConnectionAgeMs === undefined) return;
  const age = options.maxConnectionAgeMs * (1 + Math.random() / 10);
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number, action: () => void) => timers.push(setTimeout(action, ms).unref()); // its socket holds us
  after(age, () => {
    session.close();
    after(AGE_GRACE_MS, () => session.destroy()); // streams that never end would hold the connection for ever
  });
  session.once("close", () => timers.forEach(clearTimeout));
}

interface Incoming {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly peer: PeerInfo;
}

function serve(methods: ReadonlyMap<string, GrpcMethod>, incoming: Incoming, options: GrpcServerOptions): void {
  const { stream, headers } = incoming;
  const path = headers[":path"] ?? "";
  stream.on("error", (error) => options.logger.debug({ path, error: error.message }, "gRPC stream failed"));
  if (headers[":method"] !== "POST" || !headers["content-type"]?.startsWith("application/grpc")) {
    stream.respond({ ":status": 415 }, { endStream: true });
    return;
  }
  const method = methods.get(path);
  if (method === undefined) {
    endWithError(stream, new GrpcError("unimplemented", `no method ${path}`));
    return;
  }
  const call = { ...incoming, logger: options.logger };
  const limit = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  if (method.kind === "unary") serveUnary(method, call, limit);
  else serveBidi(method, call, limit);
}

function listen(server: Http2Server | Http2SecureServer, address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, () => {
      server.off("error", reject);
      const bound: AddressInfo | string | null = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
    });
  });
}

function close(
  server: Http2Server | Http2SecureServer,
  sessions: readonly Http2Session[],
  graceMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const cut = () => {
      for (const session of sessions) session.destroy();
    };
    const timer = graceMs > 0 ? setTimeout(cut, graceMs) : undefined;
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    for (const session of sessions) session.close();
    if (timer === undefined) cut();
  });
}
