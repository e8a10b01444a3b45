import { Duplex } from "node:stream";
import type { SpdyHeaders } from "./header-block.ts";

/** What a stream asks of its connection. */
export interface StreamWire {
  /** Sends bytes, with FIN when `fin`; calls back when more may be sent. */
  send(streamId: number, bytes: Buffer, fin: boolean, done: () => void): void;
  /** The reader has taken this many bytes. */
  consumed(streamId: number, bytes: number): void;
  /** The stream is over on this side; `reset` when a direction was still open. */
  release(streamId: number, reset: boolean): void;
}

const EMPTY = Buffer.alloc(0);

/**
 * One bidirectional stream of a SpdyConnection: a Node Duplex whose halves close separately. `end()` sends FIN,
 * `destroy()` resets a stream that is still open. It never emits "error" because the connection went away: it is then
 * destroyed without "end", so look for "close", or use `stream.pipeline`.
 *
 * Node destroys a Duplex at the end of `for await`: where the other half is still to be written, read with "data" and
 * "end" events or `iterator({ destroyOnReturn: false })`.
 */
export class SpdyStream extends Duplex {
  readonly id: number;
  /** The headers of SYN_STREAM, names in lower case: `streamtype`, `port`, `requestid`. */
  readonly headers: SpdyHeaders;
  readonly #wire: StreamWire;
  readonly #pending: Buffer[] = [];
  #reading = false;
  #sentFin = false;
  #gotFin = false;
  #detached = false;

  constructor(id: number, headers: SpdyHeaders, wire: StreamWire) {
    super({ allowHalfOpen: true, highWaterMark: 256 * 1024 });
    this.id = id;
    this.headers = headers;
    this.#wire = wire;
  }

  /** For the connection only: bytes of a DATA frame. */
  receive(bytes: Buffer): void {
    if (this.#gotFin || bytes.length === 0) return;
    this.#pending.push(bytes);
    this.#flush();
  }

  /** For the connection only: the peer will send no more. */
  receiveFin(): void {
    if (this.#gotFin) return;
    this.#gotFin = true;
    this.#flush();
  }

  /** For the connection only: bytes or FIN wait for the transport. */
  get hasUnsent(): boolean {
    return !this.destroyed && (this.writableLength > 0 || (this.writableEnded && !this.writableFinished));
  }

  /** For the connection only: resolves when nothing is unsent, or when the stream is gone. */
  sent(): Promise<void> {
    return new Promise((resolve) => {
      for (const event of ["drain", "finish", "close"]) this.once(event, resolve);
    });
  }

  /** For the connection only: the peer reset the stream or the transport is gone. */
  detach(): void {
    this.#detached = true;
    this.destroy();
  }

  override _read(): void {
    this.#reading = true;
    this.#flush();
  }

  #flush(): void {
    while (this.#reading) {
      const next = this.#pending.shift();
      if (next === undefined) break;
      // A reader may ask for more within push(): its request must outlive this call's own answer.
      this.#reading = false;
      if (this.push(next)) this.#reading = true;
      this.#wire.consumed(this.id, next.length);
    }
    if (this.#gotFin && this.#reading && this.#pending.length === 0) {
      this.#reading = false;
      this.push(null);
    }
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#wire.send(this.id, chunk, false, done);
  }

  override _final(done: () => void): void {
    this.#sentFin = true;
    this.#wire.send(this.id, EMPTY, true, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const unread = this.#pending.reduce((sum, bytes) => sum + bytes.length, 0);
    if (unread > 0) this.#wire.consumed(this.id, unread);
    this.#pending.length = 0;
    this.#wire.release(this.id, !this.#detached && !(this.#sentFin && this.#gotFin));
    done(error);
  }
}
