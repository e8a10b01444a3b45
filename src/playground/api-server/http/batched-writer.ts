// Events of one turn of the event loop leave together: encrypting and sending costs the same for one as for many.
import type { ApiResponse } from "../contract.ts";
import { drained, writePiece } from "./respond.ts";

export interface BatchedWriter {
  /** Sent at the end of this turn. */
  write(piece: Buffer): void;
  /** Sends what waits. False when the client reads more slowly than it is written to. */
  flush(): boolean;
  keepsUp(): boolean;
  /** Waits until the client has caught up; false when it has gone. */
  drained(): Promise<boolean>;
  /** Bytes that the client has not read yet. */
  waiting(): number;
}

const FULL_BYTES = 128 * 1024;

export function batchedWriter(response: ApiResponse): BatchedWriter {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let planned = false;
  let keepsUp = true;
  const flush = () => {
    if (pieces.length === 0) return keepsUp;
    const data = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, bytes);
    pieces = [];
    bytes = 0;
    keepsUp = writePiece(response, data);
    return keepsUp;
  };
  const flushPlanned = () => {
    planned = false;
    flush();
  };
  return {
    write(piece) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= FULL_BYTES) flush();
      else if (!planned) {
        planned = true;
        setImmediate(flushPlanned);
      }
    },
    flush,
    keepsUp: () => keepsUp,
    async drained() {
      keepsUp = await drained(response);
      return keepsUp;
    },
    waiting: () => bytes + response.writableLength,
  };
}

let last: { readonly type: string; readonly object: Buffer; readonly line: Buffer } | undefined;

/** One event as a line. All who watch the same object are told one after another: the newest line is kept for them. */
export function eventLine(type: string, object: Buffer): Buffer {
  if (last?.type !== type || last.object !== object) {
    last = { type, object, line: Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, LINE_END]) };
  }
  return last.line;
}

const LINE_END = Buffer.from("}\n");
