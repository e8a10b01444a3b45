// Records in a file: length, CRC-32 and payload, one after another. A process that dies while it writes leaves at most one
// torn record, at the end; anything else that does not add up is damage, and nobody guesses around it.
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { MeshError } from "#base/mesh-error";

/** Length and checksum, 32 bits each, little-endian. */
const HEADER = 8;

/** A payload as it stands in the file. */
export function frame(payload: readonly Buffer[]): Buffer {
  const length = payload.reduce((sum, part) => sum + part.length, 0);
  const header = Buffer.allocUnsafe(HEADER);
  header.writeUInt32LE(length, 0);
  header.writeUInt32LE(
    payload.reduce((sum, part) => crc32(part, sum), 0),
    4,
  );
  return Buffer.concat([header, ...payload], HEADER + length);
}

export interface ReadRecords {
  /** Views of one buffer. */
  readonly payloads: readonly Buffer[];
  /** Bytes that hold whole records. */
  readonly goodBytes: number;
  /** True when something follows that is no whole record. */
  readonly torn: boolean;
}

/** All records of a file. Throws MeshError JOURNAL_DAMAGED for a bad record that is not the last. */
export function readRecords(file: string): ReadRecords {
  const data = readFileSync(file);
  const payloads: Buffer[] = [];
  let at = 0;
  while (at + HEADER <= data.length) {
    const end = at + HEADER + data.readUInt32LE(at);
    if (end > data.length) break;
    const payload = data.subarray(at + HEADER, end);
    if (crc32(payload) !== data.readUInt32LE(at + 4)) {
      if (end === data.length) break;
      throw new MeshError("JOURNAL_DAMAGED", `${file}: the record at byte ${at} has a wrong checksum`, {
        hint: "the disk or somebody changed the file: bring the folder back from a copy, or move it away to begin anew",
      });
    }
    payloads.push(payload);
    at = end;
  }
  return { payloads, goodBytes: at, torn: at < data.length };
}

/** Appends whole records: what `append` returned from is with the kernel, and so survives the end of the process. */
export class RecordFile {
  readonly #file: string;
  readonly #descriptor: number;
  #bytes: number;

  /** Drops what follows `goodBytes`. */
  constructor(file: string, goodBytes = 0) {
    this.#file = file;
    this.#descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
    this.#bytes = goodBytes;
    if (fstatSync(this.#descriptor).size !== goodBytes) ftruncateSync(this.#descriptor, goodBytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get descriptor(): number {
    return this.#descriptor;
  }

  /** All of it or, with MeshError JOURNAL_FULL or what the disk says, nothing. */
  append(record: Buffer): void {
    let written = 0;
    try {
      while (written < record.length) {
        written += writeSync(this.#descriptor, record, written, record.length - written, this.#bytes + written);
      }
    } catch (thrown) {
      ftruncateSync(this.#descriptor, this.#bytes);
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw new MeshError("JOURNAL_FAILED", `${this.#file}: the write was not kept: ${reason}`, {
        hint: "make room on the disk; everything that was acknowledged before is safe",
      });
    }
    this.#bytes += record.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
