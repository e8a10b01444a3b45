import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { Logger } from "#base/logger";
import { FrameParser, frameMessage } from "./frames.ts";
import { encodeMessage, GRPC_CODES, GrpcError } from "./grpc-error.ts";
import { MessageQueue } from "./message-queue.ts";
import { type Metadata, metadataOf, parseTimeout } from "./metadata.ts";
import type { PeerInfo } from "./peer.ts";

/** What a handler knows of a call. */
export interface ServerCall {
  readonly metadata: Metadata;
  readonly peer: PeerInfo;
  /** Aborts when the caller went away or its deadline passed. */
  readonly signal: AbortSignal;
}

/** An open stream: read `messages`, write frames made by `frameMessage`. It ends when the handler returns or throws. */
export interface ServerStream extends ServerCall {
  readonly messages: AsyncIterable<Buffer>;
  /** False: the peer reads slower than we write; wait for `drained` before writing more. Never copies the frame. */
  write(frame: Buffer): boolean;
  /** Resolves when there is room again, or when the stream is gone. */
  drained(): Promise<void>;
}

export interface UnaryMethod {
  readonly kind: "unary";
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Throws GrpcError to refuse. */
  handle(request: Buffer, call: ServerCall): Promise<Uint8Array>;
}

export interface BidiMethod {
  readonly kind: "bidi";
  readonly path: string;
  /** The stream ends OK when this resolves, with the error's status when it rejects. */
  handle(stream: ServerStream): Promise<void>;
}

export interface IncomingCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly peer: PeerInfo;
  readonly logger: Logger;
}

const RESPONSE_HEADERS = { ":status": 200, "content-type": "application/grpc+proto" };

/** Ends a call with a status: in the headers when none went out yet, in trailers otherwise. */
export function endWithError(stream: ServerHttp2Stream, error: GrpcError): void {
  if (stream.destroyed || stream.closed) return;
  const trailers = { "grpc-status": String(GRPC_CODES[error.code]), "grpc-message": encodeMessage(error.message) };
  if (stream.headersSent) {
    sendTrailers(stream, trailers);
    return;
  }
  stream.respond({ ...RESPONSE_HEADERS, ...trailers }, { endStream: true });
  resetLater(stream);
}

const RESET_AFTER_MS = 1000;

/**
 * A caller that never ends its own side would keep the stream half open. A reset in the same turn would overtake the
 * trailers, so the caller gets a moment first.
 */
function resetLater(stream: ServerHttp2Stream): void {
  if (stream.closed) return;
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), RESET_AFTER_MS);
  timer.unref(); // the session's socket holds the process
  stream.once("close", () => clearTimeout(timer));
}

function sendTrailers(stream: ServerHttp2Stream, trailers: Record<string, string>): void {
  stream.once("wantTrailers", () => {
    stream.sendTrailers(trailers);
    resetLater(stream);
  });
  stream.end();
}

/** Aborts with the stream, and answers a passed deadline. */
function lifeOf(call: IncomingCall): AbortSignal {
  const controller = new AbortController();
  const { stream } = call;
  const timeout = parseTimeout(call.headers["grpc-timeout"]);
  const expire = () => {
    const error = new GrpcError("deadlineExceeded", "the caller's deadline passed");
    controller.abort(error);
    endWithError(stream, error);
  };
  const timer = timeout === undefined ? undefined : setTimeout(expire, timeout);
  stream.once("close", () => {
    clearTimeout(timer);
    controller.abort(new GrpcError("cancelled", "the caller went away"));
  });
  return controller.signal;
}

function receive(stream: ServerHttp2Stream, maxMessageBytes: number): MessageQueue {
  const queue = new MessageQueue({ pause: () => stream.pause(), resume: () => stream.resume() });
  const parser = new FrameParser(maxMessageBytes);
  stream.on("data", (chunk: Buffer) => {
    try {
      queue.push(parser.push(chunk));
    } catch (thrown) {
      queue.finish(GrpcError.from(thrown));
    }
  });
  stream.once("end", () => {
    queue.finish(parser.isEmpty() ? undefined : new GrpcError("internal", "the stream ended inside a message"));
  });
  stream.once("close", () => queue.finish());
  return queue;
}

export function serveUnary(method: UnaryMethod, call: IncomingCall, maxMessageBytes: number): void {
  const { stream } = call;
  const context = { metadata: metadataOf(call.headers), peer: call.peer, signal: lifeOf(call) };
  const answer = async () => {
    let request: Buffer | undefined;
    for await (const message of receive(stream, maxMessageBytes)) request ??= message;
    if (request === undefined) throw new GrpcError("internal", "the request carries no message");
    const response = await method.handle(request, context);
    if (stream.destroyed || stream.headersSent) return;
    stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    stream.write(frameMessage(response));
    sendTrailers(stream, { "grpc-status": "0" });
  };
  finishCall(answer(), call, method.path);
}

export function serveBidi(method: BidiMethod, call: IncomingCall, maxMessageBytes: number): void {
  const { stream } = call;
  const signal = lifeOf(call);
  const messages = receive(stream, maxMessageBytes);
  stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
  const serve = async () => {
    await method.handle({
      metadata: metadataOf(call.headers),
      peer: call.peer,
      signal,
      messages,
      write: (frame) => !stream.destroyed && stream.write(frame),
      drained: () => drained(stream),
    });
    if (!stream.destroyed) sendTrailers(stream, { "grpc-status": "0" });
  };
  finishCall(serve(), call, method.path);
}

/** Resolves when a written stream has room again, or is gone. */
export function drained(stream: NodeJS.WritableStream & { writableNeedDrain: boolean; destroyed: boolean }) {
  return new Promise<void>((resolve) => {
    if (!stream.writableNeedDrain || stream.destroyed) return resolve();
    const done = () => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
}

function finishCall(work: Promise<void>, call: IncomingCall, path: string): void {
  work.catch((thrown: unknown) => {
    const error = GrpcError.from(thrown);
    if (!(thrown instanceof GrpcError)) call.logger.error({ path, error: error.message }, "gRPC handler failed");
    endWithError(call.stream, error);
  });
}
