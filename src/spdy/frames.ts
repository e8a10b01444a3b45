// SPDY/3.1 frames (https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/): eight bytes of head, then
// up to 16 MiB of payload. The top bit tells control frames from data frames.

export const FRAME_TYPES = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const FLAG_FIN = 0x01;

/** Status words of RST_STREAM and GOAWAY. */
export const RST_STATUS = { protocolError: 1, refusedStream: 3, cancel: 5 } as const;
export const GOAWAY_STATUS = { ok: 0, protocolError: 1 } as const;

const VERSION = 3;
const HEAD = 8;
const STREAM_ID_MASK = 0x7fffffff;
const MAX_CONTROL_PAYLOAD = 1 << 20;

export type Frame =
  | { readonly kind: "data"; readonly streamId: number; readonly flags: number; readonly payload: Buffer }
  | { readonly kind: "control"; readonly type: number; readonly flags: number; readonly payload: Buffer };

/** Cuts a byte stream into frames. Throws when the bytes are not SPDY/3. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #buffered = 0;

  /** The frames that are complete with this chunk. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    for (;;) {
      const head = this.#peek(HEAD);
      if (head === undefined) return;
      const length = head.readUInt32BE(4) & 0xffffff;
      const control = (head.readUInt8(0) & 0x80) !== 0;
      if (control) checkControl(head, length);
      const bytes = this.#peek(HEAD + length);
      if (bytes === undefined) return;
      this.#drop(HEAD + length);
      const payload = bytes.subarray(HEAD, HEAD + length);
      const flags = bytes.readUInt8(4);
      yield control
        ? { kind: "control", type: bytes.readUInt16BE(2), flags, payload }
        : { kind: "data", streamId: bytes.readUInt32BE(0) & STREAM_ID_MASK, flags, payload };
    }
  }

  /** The first chunk, grown to at least `size` bytes; joins chunks only once all of them are there. */
  #peek(size: number): Buffer | undefined {
    if (this.#buffered < size) return undefined;
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= size) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #drop(size: number): void {
    const first = this.#chunks.shift();
    this.#buffered -= size;
    if (first !== undefined && first.length > size) this.#chunks.unshift(first.subarray(size));
  }
}

function checkControl(head: Buffer, length: number): void {
  const version = head.readUInt16BE(0) & 0x7fff;
  if (version !== VERSION) throw new Error(`peer speaks SPDY version ${version}, expected ${VERSION}`);
  if (length > MAX_CONTROL_PAYLOAD) throw new Error(`SPDY control frame of ${length} bytes is too long`);
}

export function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt16BE(0x8000 | VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(((flags & 0xff) * 0x1000000 + payload.length) >>> 0, 4);
  return Buffer.concat([head, payload]);
}

/** The head of a data frame; its payload follows in a write of its own. */
export function dataHead(streamId: number, flags: number, length: number): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32BE(streamId & STREAM_ID_MASK, 0);
  head.writeUInt32BE(((flags & 0xff) * 0x1000000 + length) >>> 0, 4);
  return head;
}

/** A payload of 32-bit words, as in RST_STREAM, PING, GOAWAY and WINDOW_UPDATE. */
export function words(...values: number[]): Buffer {
  const payload = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    payload.writeUInt32BE(value >>> 0, 4 * index);
  });
  return payload;
}

/** The stream id in the first word of most control frames. Throws when the frame is too short. */
export function streamIdOf(payload: Buffer): number {
  return payload.readUInt32BE(0) & STREAM_ID_MASK;
}
