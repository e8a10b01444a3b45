// SPDY/3.1 as kubectl, API servers and kubelets speak it after `Upgrade: SPDY/3.1`: many byte streams over one socket.
// Peers of that world (Go's spdystream) send no WINDOW_UPDATE and expect none, so there is no flow control per stream;
// the socket's own back-pressure and a bound on unread bytes keep memory small.
import type { Duplex } from "node:stream";
import {
  controlFrame,
  dataHead,
  FLAG_FIN,
  type Frame,
  FRAME_TYPES,
  FrameReader,
  GOAWAY_STATUS,
  RST_STATUS,
  streamIdOf,
  words,
} from "./frames.ts";
import { HeaderDecoder, HeaderEncoder, type SpdyHeaders } from "./header-block.ts";
import { SpdyStream, type StreamWire } from "./spdy-stream.ts";

/** Reading from the socket pauses while this many received bytes wait for their readers. */
const MAX_UNREAD = 4 << 20;
const MAX_DATA = 1 << 20;

export interface SpdyConnectionOptions {
  /** Clients open streams with odd ids, servers with even ones. */
  readonly role: "server" | "client";
  /** Bytes that came with the upgrade, before the socket was handed over. */
  readonly head?: Buffer;
}

interface Waiting {
  readonly stream: SpdyStream;
  readonly resolve: (stream: SpdyStream) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One SPDY/3.1 connection over any Duplex (a socket after its upgrade, a WebSocket stream). Owns the transport.
 *
 *     // server: echo what comes on each stream
 *     const connection = new SpdyConnection(socket, { role: "server", head });
 *     for await (const stream of connection.streams()) {
 *       if (stream.headers.streamtype === "stdin") stream.pipe(stream);
 *     }
 *     // client
 *     const connection = new SpdyConnection(socket, { role: "client" });
 *     const stdout = await connection.openStream({ streamtype: "stdout" });
 *     for await (const chunk of stdout) process.stdout.write(chunk);
 *     connection.close();
 *
 * SYN_REPLY goes out by itself before a stream is handed out, so writing at once is safe (spdystream drops DATA that
 * comes before its SYN_REPLY). PING is echoed.
 */
export class SpdyConnection {
  /** Settles when the transport is closed, for whatever reason; never rejects. */
  readonly closed: Promise<void>;
  readonly #transport: Duplex;
  readonly #role: "server" | "client";
  readonly #reader = new FrameReader();
  readonly #decoder = new HeaderDecoder();
  readonly #encoder = new HeaderEncoder();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #opening = new Map<number, Waiting>();
  readonly #pings = new Map<number, () => void>();
  readonly #incoming: SpdyStream[] = [];
  readonly #blocked: (() => void)[] = [];
  readonly #wire: StreamWire;
  #wake: (() => void) | undefined;
  #nextStream: number;
  #nextPing: number;
  #lastGood = 0;
  #unread = 0;
  #goingAway = false;
  #over = false;

  constructor(transport: Duplex, options: SpdyConnectionOptions) {
    this.#transport = transport;
    this.#role = options.role;
    this.#nextStream = options.role === "client" ? 1 : 2;
    this.#nextPing = this.#nextStream;
    this.#wire = {
      send: (id, bytes, fin, done) => this.#send(id, bytes, fin, done),
      consumed: (id, bytes) => this.#consumed(id, bytes),
      release: (id, reset) => this.#release(id, reset),
    };
    this.closed = new Promise((resolve) => {
      transport.once("close", () => {
        this.#finish();
        resolve();
      });
    });
    transport.on("error", () => transport.destroy());
    transport.on("end", () => transport.end());
    transport.on("drain", () => this.#unblock());
    if (options.head !== undefined && options.head.length > 0) this.#receive(options.head);
    transport.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  /** The streams that the peer opens, each once, in order; ends when the connection does. For one reader. */
  async *streams(): AsyncGenerator<SpdyStream, void> {
    for (;;) {
      const next = this.#incoming.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      if (this.#over) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Opens a stream; resolves when the peer has accepted it. Rejects when it refuses or the connection is over. */
  openStream(headers: SpdyHeaders): Promise<SpdyStream> {
    if (this.#over || this.#goingAway) return Promise.reject(new Error("the SPDY connection is closing"));
    const id = this.#nextStream;
    this.#nextStream += 2;
    const stream = new SpdyStream(id, headers, this.#wire);
    this.#streams.set(id, stream);
    const block = this.#encoder.encode(headers);
    return new Promise((resolve, reject) => {
      this.#opening.set(id, { stream, resolve, reject });
      this.#control(FRAME_TYPES.synStream, 0, Buffer.concat([words(id, 0), Buffer.alloc(2), block]));
    });
  }

  /** Resolves when the peer echoes, or when the connection is over. */
  ping(): Promise<void> {
    if (this.#over) return Promise.resolve();
    const id = this.#nextPing;
    this.#nextPing += 2;
    return new Promise((resolve) => {
      this.#pings.set(id, resolve);
      this.#control(FRAME_TYPES.ping, 0, words(id));
    });
  }

  /** Tells the peer to open no more streams; those that are open go on. */
  goAway(): void {
    if (this.#over || this.#goingAway) return;
    this.#goingAway = true;
    this.#control(FRAME_TYPES.goAway, 0, words(this.#lastGood, GOAWAY_STATUS.ok));
  }

  /** Says GOAWAY and closes the transport once everything written to the streams has left. May be called twice. */
  close(): void {
    if (this.#over) return;
    this.goAway();
    const unsent = [...this.#streams.values()].filter((stream) => stream.hasUnsent);
    Promise.all(unsent.map((stream) => stream.sent())).then(
      () => this.#transport.end(),
      () => this.#transport.destroy(),
    );
  }

  /** Drops the transport at once. */
  destroy(): void {
    this.#transport.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) {
        if (frame.kind === "data") this.#onData(frame);
        else this.#onControl(frame.type, frame.flags, frame.payload);
      }
    } catch {
      this.#control(FRAME_TYPES.goAway, 0, words(this.#lastGood, GOAWAY_STATUS.protocolError));
      this.#transport.destroy();
    }
  }

  #onData(frame: Extract<Frame, { kind: "data" }>): void {
    const stream = this.#streams.get(frame.streamId);
    if (stream === undefined) return;
    this.#unread += frame.payload.length;
    stream.receive(frame.payload);
    if ((frame.flags & FLAG_FIN) !== 0) stream.receiveFin();
    if (this.#unread > MAX_UNREAD) this.#transport.pause();
  }

  #onControl(type: number, flags: number, payload: Buffer): void {
    const fin = (flags & FLAG_FIN) !== 0;
    const handlers: Record<number, () => void> = {
      [FRAME_TYPES.synStream]: () => this.#onSynStream(payload, fin),
      [FRAME_TYPES.synReply]: () => this.#onSynReply(payload, fin),
      [FRAME_TYPES.rstStream]: () => this.#onReset(streamIdOf(payload)),
      [FRAME_TYPES.ping]: () => this.#onPing(payload),
      [FRAME_TYPES.goAway]: () => this.#onGoAway(),
      [FRAME_TYPES.headers]: () => this.#onHeaders(payload, fin),
    };
    handlers[type]?.();
  }

  #onSynStream(payload: Buffer, fin: boolean): void {
    const id = streamIdOf(payload);
    const headers = this.#decoder.decode(payload.subarray(10));
    if (this.#goingAway || this.#streams.has(id)) {
      this.#control(FRAME_TYPES.rstStream, 0, words(id, RST_STATUS.refusedStream));
      return;
    }
    this.#lastGood = Math.max(this.#lastGood, id);
    const stream = new SpdyStream(id, headers, this.#wire);
    this.#streams.set(id, stream);
    this.#control(FRAME_TYPES.synReply, 0, Buffer.concat([words(id), this.#encoder.encode({})]));
    if (fin) stream.receiveFin();
    this.#incoming.push(stream);
    this.#wakeReader();
  }

  #onSynReply(payload: Buffer, fin: boolean): void {
    this.#decoder.decode(payload.subarray(4));
    const id = streamIdOf(payload);
    const waiting = this.#opening.get(id);
    this.#opening.delete(id);
    if (fin) waiting?.stream.receiveFin();
    waiting?.resolve(waiting.stream);
  }

  #onHeaders(payload: Buffer, fin: boolean): void {
    // Nobody looks at late headers, but their block moves the shared compression window on.
    this.#decoder.decode(payload.subarray(4));
    if (fin) this.#streams.get(streamIdOf(payload))?.receiveFin();
  }

  #onReset(id: number): void {
    const waiting = this.#opening.get(id);
    this.#opening.delete(id);
    waiting?.reject(new Error(`the peer refused SPDY stream ${id}`));
    this.#streams.get(id)?.detach();
  }

  #onPing(payload: Buffer): void {
    const id = payload.readUInt32BE(0);
    const ours = (id % 2 === 1) === (this.#role === "client");
    if (!ours) this.#control(FRAME_TYPES.ping, 0, words(id));
    else this.#pings.get(id)?.();
    if (ours) this.#pings.delete(id);
  }

  #onGoAway(): void {
    this.#goingAway = true;
    if (this.#streams.size === 0) this.#transport.end();
  }

  #send(id: number, bytes: Buffer, fin: boolean, done: () => void): void {
    if (!this.#transport.writable) {
      done();
      return;
    }
    this.#transport.cork();
    let free = true;
    for (let offset = 0; offset < bytes.length || offset === 0; offset += MAX_DATA) {
      const part = bytes.subarray(offset, offset + MAX_DATA);
      free = this.#transport.write(dataHead(id, fin ? FLAG_FIN : 0, part.length));
      if (part.length > 0) free = this.#transport.write(part);
    }
    this.#transport.uncork();
    if (free || fin) done();
    else this.#blocked.push(done);
  }

  #consumed(id: number, bytes: number): void {
    this.#unread -= bytes;
    if (this.#streams.has(id)) this.#control(FRAME_TYPES.windowUpdate, 0, words(id, bytes));
    if (this.#unread <= MAX_UNREAD && this.#transport.isPaused()) this.#transport.resume();
  }

  #release(id: number, reset: boolean): void {
    this.#streams.delete(id);
    if (reset) this.#control(FRAME_TYPES.rstStream, 0, words(id, RST_STATUS.cancel));
    if (this.#goingAway && this.#streams.size === 0) this.#transport.end();
  }

  #control(type: number, flags: number, payload: Buffer): void {
    if (this.#transport.writable) this.#transport.write(controlFrame(type, flags, payload));
  }

  #unblock(): void {
    for (const done of this.#blocked.splice(0)) done();
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    for (const waiting of this.#opening.values()) waiting.reject(new Error("the SPDY connection was closed"));
    this.#opening.clear();
    for (const resolve of this.#pings.values()) resolve();
    this.#pings.clear();
    for (const stream of [...this.#streams.values()]) stream.detach();
    this.#unblock();
    this.#wakeReader();
  }
}
