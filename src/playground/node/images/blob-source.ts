// Where the pieces of an image lie: in a folder, or in a tar file that is read in place.
import { closeSync, createReadStream, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { paddedSize, parseTarHeader } from "./tar-reader.ts";

export interface BlobSource {
  /** Whether there is a file of that path. */
  has(path: string): boolean;
  /** Whole content. Throws when there is none. */
  read(path: string): Buffer;
  open(path: string): Readable;
}

const BLOCK = 512;
const GZIP_MAGIC = 0x1f8b;

/** Throws when `path` is neither a folder nor a plain tar file. */
export function openBlobSource(path: string): BlobSource {
  return statSync(path).isDirectory() ? folderSource(path) : tarSource(path);
}

function folderSource(folder: string): BlobSource {
  return {
    has: (path) => statSync(join(folder, path), { throwIfNoEntry: false })?.isFile() === true,
    read: (path) => readFileSync(join(folder, path)),
    open: (path) => createReadStream(join(folder, path)),
  };
}

interface Place {
  readonly offset: number;
  readonly size: number;
}

function tarSource(file: string): BlobSource {
  const places = indexTar(file);
  const placeOf = (path: string) => {
    const place = places.get(path);
    if (place === undefined) throw new Error(`${file} holds no ${path}`);
    return place;
  };
  return {
    has: (path) => places.has(path),
    read(path) {
      const { offset, size } = placeOf(path);
      return withFile(file, (descriptor) => readAt(descriptor, offset, size));
    },
    open(path) {
      const { offset, size } = placeOf(path);
      return createReadStream(file, { start: offset, end: offset + size - 1 });
    },
  };
}

/** Where each file of the archive lies; only headers are read. */
function indexTar(file: string): ReadonlyMap<string, Place> {
  return withFile(file, (descriptor) => {
    const places = new Map<string, Place>();
    const begin = readAt(descriptor, 0, BLOCK);
    if (begin.length >= 2 && begin.readUInt16BE(0) === GZIP_MAGIC)
      throw new Error(`${file} is compressed as a whole: unpack it with gunzip first`);
    for (let at = 0; ; ) {
      const block = readAt(descriptor, at, BLOCK);
      const header = block.length < BLOCK ? undefined : parseTarHeader(block);
      if (header === undefined) return places;
      if (header.type === "file")
        places.set(header.path.replace(/^\.\//, ""), { offset: at + BLOCK, size: header.size });
      at += BLOCK + paddedSize(header.size);
    }
  });
}

function withFile<T>(file: string, use: (descriptor: number) => T): T {
  const descriptor = openSync(file, "r");
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function readAt(descriptor: number, offset: number, size: number): Buffer {
  const buffer = Buffer.alloc(size);
  const length = readSync(descriptor, buffer, 0, size, offset);
  return buffer.subarray(0, length);
}
