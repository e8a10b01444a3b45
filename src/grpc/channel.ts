import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { FrameParser, frameMessage } from "./frames.ts";
import { errorFromTrailers, GrpcError } from "./grpc-error.ts";
import { DEFAULT_KEEP_ALIVE, type KeepAlive, keepAlive, SESSION_MEMORY_MB, WINDOW_BYTES } from "./keep-alive.ts";
import { MessageQueue } from "./message-queue.ts";
import { formatTimeout, type Metadata } from "./metadata.ts";
import { drained } from "./server-call.ts";

/** PEM texts. `servername` is what the server's certificate must name, default the host of the target. */
export interface ClientTls {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

export interface GrpcChannelOptions {
  /** `host:port` or `unix:/path`. */
  readonly target: string;
  /** Asked at each connect, so that renewed roots are used; undefined speaks plain text. */
  readonly tls?: () => ClientTls;
  /** Asked at each call, so that a rotated token is used. */
  readonly metadata?: () => Metadata;
  /** Longest message taken, default 64 MiB. */
  readonly maxMessageBytes?: number;
  readonly keepAlive?: KeepAlive;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
}

export interface ClientStream {
  /** What the server sends; throws GrpcError when the call ends other than OK. */
  readonly messages: AsyncIterable<Buffer>;
  /** False: the server reads slower than we write; wait for `drained`. The frame is made by `frameMessage`. */
  write(frame: Buffer): boolean;
  drained(): Promise<void>;
  /** Says that nothing more will be written. */
  end(): void;
  /** Cuts the call off. May be called twice or late. */
  cancel(): void;
}

export interface GrpcChannel {
  unary(path: string, request: Uint8Array, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Buffer>;
  bidi(path: string, options?: { signal?: AbortSignal; metadata?: Metadata }): ClientStream;
  /** Ends the connection; the next call opens a new one. */
  close(): void;
}

const DEFAULT_MAX_MESSAGE_BYTES = 64 << 20;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/** A client over one connection, opened by the first call and anew by the first call after it was lost. Never retries. */
export function createGrpcChannel(options: GrpcChannelOptions): GrpcChannel {
  let current: Connection | undefined;
  const connection = () => {
    if (current === undefined || current.session.destroyed || current.session.closed) current = openConnection(options);
    return current;
  };
  const start = (path: string, extra: Record<string, string>, signal?: AbortSignal) => {
    const { session, failure } = connection();
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...options.metadata?.(),
      ...extra,
    });
    const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    stream.once("close", () => signal?.removeEventListener("abort", cancel));
    return openStream(stream, { failure, maxMessageBytes: options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES });
  };
  return {
    async unary(path, request, { timeoutMs, signal }) {
      const stream = start(path, { "grpc-timeout": formatTimeout(timeoutMs) }, signal);
      return oneAnswer(stream, request, timeoutMs);
    },
    bidi(path, { signal, metadata } = {}) {
      return start(path, { ...metadata }, signal);
    },
    close() {
      current?.session.destroy();
      current = undefined;
    },
  };
}

async function oneAnswer(stream: ClientStream, request: Uint8Array, timeoutMs: number): Promise<Buffer> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stream.cancel();
  }, timeoutMs);
  try {
    stream.write(frameMessage(request));
    stream.end();
    let answer: Buffer | undefined;
    for await (const message of stream.messages) answer ??= message;
    if (answer === undefined) throw new GrpcError("internal", "the answer carries no message");
    return answer;
  } catch (thrown) {
    throw late ? new GrpcError("deadlineExceeded", `no answer within ${timeoutMs} ms`, { cause: thrown }) : thrown;
  } finally {
    clearTimeout(timer);
  }
}

interface Connection {
  readonly session: ClientHttp2Session;
  /** Why the connection failed, once it did: streams only learn that they were cut. */
  readonly failure: () => Error | undefined;
}

function openConnection(options: GrpcChannelOptions): Connection {
  let failed: Error | undefined;
  const session = connect(authorityOf(options), {
    createConnection: () => openSocket(options),
    settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    maxSessionMemory: SESSION_MEMORY_MB,
  });
  const timer = setTimeout(
    () => session.destroy(new Error(`no connection to ${options.target} in time`)),
    options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
  );
  session.once("connect", () => {
    clearTimeout(timer);
    session.setLocalWindowSize(WINDOW_BYTES);
    keepAlive(session, options.keepAlive ?? DEFAULT_KEEP_ALIVE);
  });
  session.once("close", () => clearTimeout(timer));
  session.on("error", (error) => {
    failed = error;
  });
  return { session, failure: () => failed };
}

function authorityOf({ target, tls }: GrpcChannelOptions): string {
  if (target.startsWith("unix:")) return "http://localhost";
  return `${tls === undefined ? "http" : "https"}://${target}`;
}

function openSocket({ target, tls }: GrpcChannelOptions) {
  if (target.startsWith("unix:")) return connectTcp({ path: target.slice("unix:".length) });
  const { hostname, port } = new URL(`tcp://${target}`);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (tls === undefined) return connectTcp({ host, port: Number(port) });
  const credentials = tls();
  const name = credentials.servername ?? host;
  // TLS forbids to name an address; the certificate is then checked against the host connected to.
  const servername = isIP(name) ? "" : name;
  return connectTls({ host, port: Number(port), ALPNProtocols: ["h2"], ...credentials, servername });
}

interface StreamOptions {
  readonly failure: () => Error | undefined;
  readonly maxMessageBytes: number;
}

function openStream(stream: ClientHttp2Stream, { failure, maxMessageBytes }: StreamOptions): ClientStream {
  const messages = new MessageQueue({ pause: () => stream.pause(), resume: () => stream.resume() });
  const parser = new FrameParser(maxMessageBytes);
  const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
  let ending: IncomingHttpHeaders | undefined;
  stream.on("response", (headers) => {
    if (headers["grpc-status"] !== undefined) ending = headers;
    else if (headers[":status"] !== 200) {
      messages.finish(new GrpcError("unavailable", `the server answered HTTP ${headers[":status"]}`));
      cancel();
    }
  });
  stream.on("trailers", (headers) => {
    ending = headers;
  });
  stream.on("data", (chunk: Buffer) => {
    try {
      messages.push(parser.push(chunk));
    } catch (thrown) {
      messages.finish(GrpcError.from(thrown));
      cancel();
    }
  });
  stream.once("end", () => stream.end()); // the server said its last word, so we say ours
  let broken: Error | undefined;
  stream.on("error", (error) => {
    broken = error;
  });
  stream.once("close", () => messages.finish(endOf(ending, failure() ?? broken)));
  return {
    messages,
    write: (frame) => !stream.destroyed && !stream.writableEnded && stream.write(frame),
    drained: () => drained(stream),
    end: () => stream.end(),
    cancel,
  };
}

function endOf(ending: IncomingHttpHeaders | undefined, broken: Error | undefined): GrpcError | undefined {
  if (ending !== undefined) return errorFromTrailers(textOf(ending["grpc-status"]), textOf(ending["grpc-message"]));
  return new GrpcError("unavailable", broken?.message || "the connection was lost", { cause: broken });
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
