// Joins DeltaStream and PushQueue to gRPC. One turn of the event loop serves streams for a few milliseconds only, so
// that a push to many proxies does not keep a new proxy, or a probe, waiting.
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import {
  DELTA_ADS_METHOD,
  type DeltaRequest,
  decodeDeltaRequest,
  encodeDeltaResponse,
  type XdsNode,
} from "#envoy/discovery";
import { frameMessage } from "#grpc/frames";
import { GrpcError } from "#grpc/grpc-error";
import type { GrpcMethod } from "#grpc/server";
import type { ServerStream } from "#grpc/server-call";
import { type ConnectionStatus, typeStatus } from "./connection-status.ts";
import { type DeltaAction, DeltaStream } from "./delta-stream.ts";
import { PushQueue } from "./push-queue.ts";
import type { ResourceSource, Touched, XdsPeer } from "./resource-source.ts";

export interface AdsServiceOptions<Session extends object, Change> {
  readonly source: ResourceSource<Session, Change>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears of every answer and every verdict, for metrics. */
  readonly observe?: (connection: { readonly node: XdsNode }, action: DeltaAction) => void;
}

export interface AdsService<Change> {
  /** To be mounted on a gRPC server. */
  readonly method: GrpcMethod;
  /** Queues a change for every stream it may touch. Returns at once. */
  push(change: Change): void;
  connections(): ConnectionStatus[];
}

interface Connection<Session> {
  readonly id: string;
  readonly node: XdsNode;
  readonly peer: XdsPeer;
  readonly connectedSince: number;
  readonly session: Session;
  readonly delta: DeltaStream;
  readonly stream: ServerStream;
  readonly logger: Logger;
}

const TURN_MS = 5;

export function createAdsService<Session extends object, Change>(
  options: AdsServiceOptions<Session, Change>,
): AdsService<Change> {
  const streams = new AdsStreams(options);
  return {
    method: { kind: "bidi", path: DELTA_ADS_METHOD, handle: (stream) => streams.serve(stream) },
    push: (change) => streams.push(change),
    connections: () => streams.status(),
  };
}

class AdsStreams<Session extends object, Change> {
  readonly #options: AdsServiceOptions<Session, Change>;
  readonly #connections = new Map<Session, Connection<Session>>();
  readonly #queue: PushQueue<Connection<Session>, Change>;
  readonly #startedAt: string;
  #counter = 0;
  #pushes = 0;
  #isPumping = false;

  constructor(options: AdsServiceOptions<Session, Change>) {
    this.#options = options;
    this.#queue = new PushQueue((a, b) => options.source.merge(a, b));
    this.#startedAt = new Date(options.clock.now()).toISOString();
  }

  async serve(stream: ServerStream): Promise<void> {
    let connection: Connection<Session> | undefined;
    try {
      for await (const message of stream.messages) {
        const request = decode(message);
        connection ??= await this.#open(request, stream);
        this.#perform(connection, connection.delta.step({ kind: "request", request }));
        await stream.drained(); // a proxy that does not read is not asked what it wants next
      }
    } finally {
      if (connection !== undefined) this.#close(connection);
    }
  }

  push(change: Change): void {
    this.#pushes++;
    const { source } = this.#options;
    const sessions = source.affected?.(change) ?? this.#connections.keys();
    for (const session of sessions) {
      const connection = this.#connections.get(session);
      if (connection !== undefined) this.#queue.add(connection, change);
    }
    this.#pump();
  }

  status(): ConnectionStatus[] {
    return [...this.#connections.values()].map(({ id, node, peer, connectedSince, delta }) => ({
      id,
      node,
      peer,
      connectedSince,
      types: [...delta.subscriptions.values()].map(typeStatus),
    }));
  }

  async #open(request: DeltaRequest, stream: ServerStream): Promise<Connection<Session>> {
    const { node } = request;
    if (node === undefined) throw new GrpcError("invalidArgument", "the first request of the stream names no node");
    const { source, clock } = this.#options;
    const peer = { ...stream.peer, metadata: stream.metadata };
    const session = await source.open(node, peer);
    const delta = new DeltaStream({
      read: (typeUrl, names) => source.read(session, typeUrl, names),
      nextNonce: () => (++this.#counter).toString(36),
      version: () => `${this.#startedAt}/${this.#pushes}`,
      now: () => clock.now(),
    });
    const id = `${node.id}-${++this.#counter}`;
    const logger = this.#options.logger.child({ proxy: node.id });
    const connection = { id, node, peer, session, delta, stream, logger, connectedSince: clock.now() };
    this.#connections.set(session, connection);
    logger.info({ peer: peer.address }, "proxy connected");
    return connection;
  }

  #close(connection: Connection<Session>): void {
    this.#connections.delete(connection.session);
    this.#queue.delete(connection);
    this.#options.source.close(connection.session);
    connection.logger.info("proxy disconnected");
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    setImmediate(() => {
      this.#isPumping = false;
      const { clock } = this.#options;
      const end = clock.now() + TURN_MS;
      for (let turn = this.#queue.next(); turn !== undefined; turn = this.#queue.next()) {
        this.#serveChange(...turn);
        if (clock.now() >= end) return this.#pump();
      }
    });
  }

  #serveChange(connection: Connection<Session>, change: Change): void {
    const touched = this.#impact(connection, change);
    if (touched.size > 0) this.#perform(connection, connection.delta.step({ kind: "change", touched }));
  }

  /** A change whose reach cannot be told touches everything: better a needless look than a lost change. */
  #impact(connection: Connection<Session>, change: Change): ReadonlyMap<string, Touched> {
    try {
      return this.#options.source.impact(connection.session, change);
    } catch (thrown) {
      connection.logger.error({ error: errorMessage(thrown) }, "cannot tell what a change touches; looking at all");
      return new Map([...connection.delta.subscriptions.keys()].map((typeUrl) => [typeUrl, "all"]));
    }
  }

  #perform(connection: Connection<Session>, actions: readonly DeltaAction[]): void {
    let hasRoom = true;
    for (const action of actions) {
      this.#options.observe?.(connection, action);
      if (action.kind === "respond") {
        hasRoom = connection.stream.write(frameMessage(encodeDeltaResponse(action.response)));
      } else logVerdict(connection.logger, action);
    }
    if (!hasRoom) this.#holdBack(connection);
  }

  #holdBack(connection: Connection<Session>): void {
    this.#queue.block(connection);
    connection.stream.drained().then(
      () => {
        this.#queue.unblock(connection);
        this.#pump();
      },
      (thrown: unknown) => connection.logger.error({ error: errorMessage(thrown) }, "waiting for the stream failed"),
    );
  }
}

function logVerdict(logger: Logger, action: Exclude<DeltaAction, { kind: "respond" }>): void {
  const { typeUrl } = action;
  if (action.kind === "accepted") logger.debug({ typeUrl, nonce: action.mark.nonce }, "configuration accepted");
  else if (action.kind === "rejected") logger.warn({ typeUrl, reason: action.message }, "configuration refused");
  else logger.error({ typeUrl, error: errorMessage(action.error) }, "cannot build configuration; the last one stays");
}

function decode(message: Buffer): DeltaRequest {
  try {
    return decodeDeltaRequest(message);
  } catch (cause) {
    throw new GrpcError("invalidArgument", "the message is no delta discovery request", { cause });
  }
}
