// SPDY compresses all header blocks of one direction as one zlib stream that is flushed after each block. A flushed
// block ends on a byte, so each one inflates by itself when the last 32 KiB of dictionary and output come along as
// its dictionary: that keeps decoding synchronous with node:zlib's documented calls. Encoding uses stored blocks.
import { constants, inflateRawSync } from "node:zlib";
import { SPDY_DICTIONARY, SPDY_DICTIONARY_ADLER32 } from "./dictionary.ts";

export type SpdyHeaders = Readonly<Record<string, string>>;

const WINDOW = 32 * 1024;
const MAX_HEADER_BYTES = 1 << 20;
const MAX_STORED = 0xffff;
/** CMF 0x78, FLG with FDICT, then the dictionary's checksum. */
const ZLIB_PREFIX = Buffer.from([0x78, 0x20, ...uint32(SPDY_DICTIONARY_ADLER32)]);
/** An empty stored block: what a sync flush leaves. Go's reader waits for it before it hands out the data. */
const FLUSH_MARK = Buffer.from([0, 0, 0, 0xff, 0xff]);

/** Decodes the header blocks of one connection, in the order in which they came. Throws on damaged input. */
export class HeaderDecoder {
  #window: Buffer = SPDY_DICTIONARY;
  #first = true;

  decode(block: Buffer): SpdyHeaders {
    const plain = inflateRawSync(this.#first ? withoutPrefix(block) : block, {
      dictionary: this.#window,
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: MAX_HEADER_BYTES,
    });
    this.#first = false;
    this.#window = Buffer.concat([this.#window, plain]).subarray(-WINDOW);
    return parseHeaders(plain);
  }
}

/** Encodes the header blocks of one connection, in the order in which they are sent. */
export class HeaderEncoder {
  #first = true;

  encode(headers: SpdyHeaders): Buffer {
    const plain = renderHeaders(headers);
    const parts: Buffer[] = this.#first ? [ZLIB_PREFIX] : [];
    this.#first = false;
    for (let offset = 0; offset < plain.length; offset += MAX_STORED) {
      const chunk = plain.subarray(offset, offset + MAX_STORED);
      const head = Buffer.alloc(5);
      head.writeUInt16LE(chunk.length, 1);
      head.writeUInt16LE(~chunk.length & 0xffff, 3);
      parts.push(head, chunk);
    }
    return Buffer.concat([...parts, FLUSH_MARK]);
  }
}

function withoutPrefix(block: Buffer): Buffer {
  if (block.length < 2) throw new Error("SPDY header block is shorter than a zlib prefix");
  return block.subarray((block.readUInt8(1) & 0x20) === 0 ? 2 : 6);
}

function parseHeaders(plain: Buffer): SpdyHeaders {
  if (plain.length < 4) return {};
  let offset = 4;
  const readText = () => {
    const end = offset + 4 + plain.readUInt32BE(offset);
    if (end > plain.length) throw new Error("SPDY header block is cut off");
    const text = plain.toString("utf8", offset + 4, end);
    offset = end;
    return text;
  };
  const headers: Record<string, string> = {};
  const count = plain.readUInt32BE(0);
  for (let index = 0; index < count; index += 1) {
    const name = readText().toLowerCase();
    headers[name] = readText();
  }
  return headers;
}

function renderHeaders(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers);
  const parts = [Buffer.from(uint32(entries.length))];
  for (const [name, value] of entries) {
    for (const text of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(text, "utf8");
      parts.push(Buffer.from(uint32(bytes.length)), bytes);
    }
  }
  return Buffer.concat(parts);
}

function uint32(value: number): number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
