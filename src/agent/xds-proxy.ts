// Relays Envoy's one discovery stream to the control plane. Messages pass as bytes; only secrets are answered here.
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import {
  DELTA_ADS_METHOD,
  decodeDeltaRequest,
  encodeDeltaRequest,
  typeUrlOfRequest,
  typeUrlOfResponse,
} from "#envoy/discovery";
import { XDS_TYPES } from "#envoy/types";
import type { ClientStream, GrpcChannel } from "#grpc/channel";
import { frameMessage } from "#grpc/frames";
import { GrpcError } from "#grpc/grpc-error";
import type { GrpcMethod } from "#grpc/server";
import type { ServerStream } from "#grpc/server-call";
import { fullJitterBackoff } from "./backoff.ts";
import { SecretStream } from "./secret-stream.ts";
import type { SecretManager } from "./secrets.ts";

export interface XdsProxyOptions {
  readonly channel: GrpcChannel;
  readonly secrets: SecretManager;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears the type of each answer that goes to Envoy. */
  readonly onResponse?: (typeUrl: string) => void;
}

/** The method to serve on Envoy's Unix socket. */
export function createXdsProxy(options: XdsProxyOptions): GrpcMethod {
  return { kind: "bidi", path: DELTA_ADS_METHOD, handle: (envoy) => relay(envoy, options) };
}

async function relay(envoy: ServerStream, options: XdsProxyOptions): Promise<void> {
  const upstream = new Upstream(envoy, options);
  const secrets = new SecretStream({
    secrets: options.secrets,
    logger: options.logger,
    send: (message) => envoy.write(frameMessage(message)),
  });
  const forward = async () => {
    for await (const message of envoy.messages) {
      const rest = typeUrlOfRequest(message) === XDS_TYPES.SDS ? secretsTaken(secrets, message) : message;
      if (rest !== undefined) await upstream.send(rest);
    }
    upstream.end();
  };
  try {
    await Promise.all([forward(), upstream.run()]);
  } finally {
    secrets.close();
    upstream.end();
  }
}

function secretsTaken(secrets: SecretStream, message: Buffer): Uint8Array | undefined {
  const rest = secrets.take(decodeDeltaRequest(message));
  return rest === undefined ? undefined : encodeDeltaRequest(rest);
}

/**
 * The stream to the control plane. Until it has answered once, a failure is tried again with all requests so far:
 * Envoy, which would wait up to 30 s, does not learn of it. Afterwards a failure ends Envoy's stream, and Envoy comes
 * back with the versions it holds.
 */
class Upstream {
  readonly #envoy: ServerStream;
  readonly #options: XdsProxyOptions;
  #replay: Buffer[] | undefined = [];
  #stream: ClientStream | undefined;
  readonly #ended = new AbortController();

  constructor(envoy: ServerStream, options: XdsProxyOptions) {
    this.#envoy = envoy;
    this.#options = options;
  }

  async send(message: Uint8Array): Promise<void> {
    const frame = frameMessage(message);
    this.#replay?.push(frame);
    if (this.#stream?.write(frame) === false) await this.#stream.drained();
  }

  /** Envoy's side is over. May be called twice. */
  end(): void {
    this.#ended.abort();
    this.#stream?.cancel();
  }

  /** Resolves when Envoy's side is over, rejects when the control plane's stream broke after its first answer. */
  async run(): Promise<void> {
    const { clock, logger } = this.#options;
    const backoff = fullJitterBackoff(100, 5000);
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        await this.#relayOnce();
        throw new GrpcError("unavailable", "the control plane ended the stream");
      } catch (thrown) {
        if (signal.aborted) return;
        const error = errorMessage(thrown);
        if (this.#replay === undefined) {
          logger.info({ error }, "control plane stream ended; Envoy will subscribe anew");
          throw new GrpcError("unavailable", error, { cause: thrown });
        }
        const wait = backoff.next();
        logger.warn({ error, retryMs: Math.round(wait) }, "no control plane yet");
        await clock.sleep(wait, signal).catch(() => undefined);
      }
    }
  }

  async #relayOnce(): Promise<void> {
    const stream = this.#options.channel.bidi(DELTA_ADS_METHOD);
    this.#stream = stream;
    for (const frame of this.#replay ?? []) stream.write(frame);
    for await (const message of stream.messages) {
      this.#replay = undefined;
      this.#options.onResponse?.(typeUrlOfResponse(message));
      if (!this.#envoy.write(frameMessage(message))) await this.#envoy.drained();
    }
  }
}
