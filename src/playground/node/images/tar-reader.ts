// Reads tar archives as images hold them: ustar, with the pax and GNU forms of long names.

const BLOCK = 512;

export type TarType = "file" | "link" | "symlink" | "directory" | "other";

export interface TarEntry {
  /** As the archive has it: it may try to leave the folder that it is unpacked to. */
  readonly path: string;
  readonly type: TarType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Of links, as the archive has it. */
  readonly target: string;
}

const TYPES: Readonly<Record<string, TarType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "link",
  "2": "symlink",
  "5": "directory",
};

interface Header extends TarEntry {
  readonly flag: string;
}

/** The header in one block; undefined for the empty block that ends an archive. Throws when the block is no header. */
export function parseTarHeader(block: Buffer): Header | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  if (sum !== numberAt(block, 148, 8)) throw new Error("this is no tar archive, or a damaged one");
  const isUstar = block.toString("latin1", 257, 262) === "ustar";
  const prefix = isUstar && block[263] !== 0x20 ? textAt(block, 345, 155) : "";
  const name = textAt(block, 0, 100);
  const flag = block.toString("latin1", 156, 157);
  return {
    flag,
    path: prefix === "" ? name : `${prefix}/${name}`,
    type: TYPES[flag] ?? "other",
    mode: numberAt(block, 100, 8) & 0o7777,
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    size: numberAt(block, 124, 12),
    target: textAt(block, 157, 100),
  };
}

/** Bytes of content together with what fills up its last block. */
export function paddedSize(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function textAt(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? length : end);
}

/** Octal text, or the base-256 form of large numbers. */
function numberAt(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) !== 0) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  const text = field.toString("latin1").replaceAll(/[\0 ]/g, "");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

/**
 * Calls `take` for each entry, one after the other; `content` gives the bytes of a file and need not be read. Throws for
 * what is no tar archive or ends early.
 */
export async function readTar(
  source: AsyncIterable<Buffer>,
  take: (entry: TarEntry, content: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  const bytes = new ByteReader(source);
  let next: Partial<TarEntry> = {};
  for (;;) {
    const block = await bytes.read(BLOCK);
    if (block === undefined) return;
    const header = parseTarHeader(block);
    if (header === undefined) return;
    const extension = EXTENSIONS[header.flag];
    if (extension !== undefined) {
      const text = await bytes.read(paddedSize(header.size));
      next = { ...next, ...extension((text ?? Buffer.alloc(0)).subarray(0, header.size)) };
      continue;
    }
    const entry = { ...header, ...next };
    next = {};
    const end = bytes.position + paddedSize(entry.size);
    await take(entry, bytes.take(entry.size));
    await bytes.skipTo(end);
  }
}

/** What a header says about the entry that follows. */
const EXTENSIONS: Readonly<Record<string, (text: Buffer) => Partial<TarEntry>>> = {
  x: paxFields,
  g: () => ({}),
  L: (text) => ({ path: cString(text) }),
  K: (text) => ({ target: cString(text) }),
};

const PAX: Readonly<Record<string, (value: string) => Partial<TarEntry>>> = {
  path: (path) => ({ path }),
  linkpath: (target) => ({ target }),
  size: (value) => ({ size: Number(value) }),
  uid: (value) => ({ uid: Number(value) }),
  gid: (value) => ({ gid: Number(value) }),
};

/** Records `LENGTH KEY=VALUE\n`, the length counting the whole record in bytes. */
function paxFields(text: Buffer): Partial<TarEntry> {
  let fields: Partial<TarEntry> = {};
  for (let at = 0; at < text.length; ) {
    const length = Number.parseInt(text.toString("latin1", at, at + 20), 10);
    if (!(length > 0)) return fields;
    const record = text.toString("utf8", at, at + length - 1);
    const equals = record.indexOf("=");
    const key = record.slice(record.indexOf(" ") + 1, equals);
    fields = { ...fields, ...PAX[key]?.(record.slice(equals + 1)) };
    at += length;
  }
  return fields;
}

function cString(text: Buffer): string {
  const end = text.indexOf(0);
  return text.toString("utf8", 0, end < 0 ? text.length : end);
}

/** A stream of chunks read by lengths. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  position = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Exactly that many bytes; undefined when the stream has ended before the first. Throws when it ends amid them. */
  async read(length: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    for await (const piece of this.take(length)) pieces.push(piece);
    const all = Buffer.concat(pieces);
    if (all.length === 0 && length > 0) return undefined;
    if (all.length < length) throw new Error("the archive ends in the middle of an entry");
    return all;
  }

  /** Up to that many bytes, as they come. */
  async *take(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (this.#rest.length === 0 && !(await this.#more())) return;
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      this.position += piece.length;
      left -= piece.length;
      yield piece;
    }
  }

  async skipTo(position: number): Promise<void> {
    for await (const _ of this.take(position - this.position));
    if (this.position < position) throw new Error("the archive ends in the middle of an entry");
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done === true) return false;
    this.#rest = value;
    return true;
  }
}
