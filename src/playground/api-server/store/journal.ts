// What makes the store outlive its process: every change is a record in a log before anybody hears of it, and a snapshot
// takes the place of a log that has grown long. Folder: objects-N.snapshot (all objects when log N began) and
// objects-N.log (each change since). A snapshot gets its name when it is whole.
import { fdatasync, fsyncSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "#base/logger";
import { errorMessage, MeshError } from "#base/mesh-error";
import type { JsonObject } from "../contract.ts";
import type { ChangeType, RecordedChange } from "./change.ts";
import { frame, RecordFile, readRecords } from "./record-file.ts";

export interface JournalContent {
  /** Objects of the newest snapshot, in no order. */
  readonly objects: readonly RecordedChange[];
  /** The revision of the snapshot; undefined when there is none. */
  readonly revision: number | undefined;
  /** Every change since, in order. */
  readonly changes: readonly RecordedChange[];
}

export interface Journal {
  /** What former lives left; to be called once, for it is much. */
  takeContent(): JournalContent;
  /** Returns when the change would survive the end of this process. Throws MeshError and keeps nothing otherwise. */
  append(change: RecordedChange): void;
  /** True when it is time to compact: reading the log takes longer than reading a snapshot. */
  isLong(): boolean;
  /** Begins a new log, and writes `objects`, the state at this moment, beside it while changes go on. */
  compact(objects: readonly RecordedChange[], revision: number): Promise<void>;
  close(): void;
}

export interface JournalOptions {
  readonly folder: string;
  readonly logger: Logger;
  /** Bytes of a log that are always allowed; a test makes it small. */
  readonly longBytes?: number;
}

const LONG_BYTES = 32 * 1024 * 1024;
/** Pieces in which a snapshot is written: other work gets its turn between two. */
const PIECE_BYTES = 512 * 1024;
/** A machine that loses power loses at most this much; the end of the process loses nothing. */
const SYNC_MS = 1000;

const NAME = /^objects-(\d+)\.(log|snapshot)$/;
/** Ending of a snapshot that is still being written. */
const UNFINISHED = ".unfinished";
const TYPES: readonly ChangeType[] = ["ADDED", "MODIFIED", "DELETED"];
const LINE_END = 0x0a;

/** What stands before the object. */
type Head = [revision: number, type: number, key: string, hidden?: JsonObject];

function encode(change: RecordedChange): Buffer {
  const { revision, type, key, hidden } = change;
  const head = JSON.stringify([revision, TYPES.indexOf(type), key, ...(hidden === undefined ? [] : [hidden])]);
  return frame([Buffer.from(`${head}\n`), change.bytes]);
}

function decode(payload: Buffer): RecordedChange {
  const split = payload.indexOf(LINE_END);
  const [revision, type, key, hidden] = JSON.parse(payload.toString("utf8", 0, split)) as Head;
  // A copy: the payload is a piece of the whole file.
  const bytes = Buffer.allocUnsafeSlow(payload.length - split - 1);
  payload.copy(bytes, 0, split + 1);
  return { revision, type: TYPES[type] ?? "MODIFIED", key, bytes, hidden };
}

/** The last record of a snapshot: without it the snapshot is not whole. */
const endRecord = (revision: number, count: number) => frame([Buffer.from(JSON.stringify({ revision, count }))]);

/** Opens the journal of a folder, which is made when it is not there. Throws MeshError JOURNAL_DAMAGED. */
export function openJournal({ folder, logger, longBytes = LONG_BYTES }: JournalOptions): Journal {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = listFiles(folder);
  const base = files.snapshots.at(-1) ?? 0;
  const snapshot = base === 0 ? undefined : readSnapshot(pathOf(folder, base, "snapshot"));
  const logs = files.logs.filter((number) => number >= base);
  const read = logs.map((number) => readRecords(pathOf(folder, number, "log")));
  const broken = read.findIndex(({ torn }) => torn);
  if (broken >= 0 && broken < read.length - 1) throw damaged(pathOf(folder, logs[broken] ?? 0, "log"), "it is cut off");
  const number = logs.at(-1) ?? Math.max(base, 1);
  removeBefore(folder, base);
  const content: JournalContent = {
    objects: snapshot?.objects ?? [],
    revision: snapshot?.revision,
    changes: read.flatMap(({ payloads }) => payloads.map(decode)),
  };
  const log = new RecordFile(pathOf(folder, number, "log"), read.at(-1)?.goodBytes ?? 0);
  return new FolderJournal(
    { folder, logger, longBytes },
    { content, number, log, snapshotBytes: snapshot?.bytes ?? 0 },
  );
}

const pathOf = (folder: string, number: number, kind: "log" | "snapshot") => join(folder, `objects-${number}.${kind}`);

function listFiles(folder: string): { readonly logs: number[]; readonly snapshots: number[] } {
  const found = { log: [] as number[], snapshot: [] as number[] };
  for (const name of readdirSync(folder)) {
    const [, number, kind] = NAME.exec(name) ?? [];
    if (kind === "log" || kind === "snapshot") found[kind].push(Number(number));
  }
  const ascending = (a: number, b: number) => a - b;
  return { logs: found.log.sort(ascending), snapshots: found.snapshot.sort(ascending) };
}

/** What a newer snapshot stands for, and snapshots that were never finished. */
function removeBefore(folder: string, base: number): void {
  for (const name of readdirSync(folder)) {
    const number = NAME.exec(name)?.[1];
    if (name.endsWith(UNFINISHED) || (number !== undefined && Number(number) < base)) rmSync(join(folder, name));
  }
}

function readSnapshot(file: string): { objects: RecordedChange[]; revision: number; bytes: number } {
  const { payloads, goodBytes, torn } = readRecords(file);
  const end = JSON.parse(payloads.at(-1)?.toString() ?? "{}") as { revision?: number; count?: number };
  if (torn || end.revision === undefined || end.count !== payloads.length - 1) throw damaged(file, "it is cut off");
  return { objects: payloads.slice(0, -1).map(decode), revision: end.revision, bytes: goodBytes };
}

function damaged(file: string, what: string): MeshError {
  return new MeshError("JOURNAL_DAMAGED", `${file}: ${what}`, {
    hint: "bring the folder back from a copy, or move it away to begin anew",
  });
}

const NOTHING: JournalContent = { objects: [], revision: undefined, changes: [] };

interface OpenedFolder {
  readonly content: JournalContent;
  readonly number: number;
  readonly log: RecordFile;
  readonly snapshotBytes: number;
}

class FolderJournal implements Journal {
  readonly #options: Required<JournalOptions>;
  #number: number;
  #log: RecordFile;
  #snapshotBytes: number;
  #compacting = false;
  #closed = false;
  #syncTimer: NodeJS.Timeout | undefined;
  #content: JournalContent;

  constructor(options: Required<JournalOptions>, opened: OpenedFolder) {
    this.#options = options;
    this.#content = opened.content;
    this.#number = opened.number;
    this.#log = opened.log;
    this.#snapshotBytes = opened.snapshotBytes;
  }

  takeContent(): JournalContent {
    const content = this.#content;
    this.#content = NOTHING;
    return content;
  }

  append(change: RecordedChange): void {
    this.#log.append(encode(change));
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      fdatasync(this.#log.descriptor, (error) => {
        if (error && !this.#closed) this.#options.logger.warn({ error: error.message }, "journal not synced to disk");
      });
    }, SYNC_MS).unref();
  }

  isLong(): boolean {
    return !this.#compacting && this.#log.bytes > Math.max(this.#options.longBytes, 2 * this.#snapshotBytes);
  }

  async compact(objects: readonly RecordedChange[], revision: number): Promise<void> {
    const { folder, logger } = this.#options;
    this.#compacting = true;
    try {
      const number = this.#number + 1;
      const before = this.#log;
      this.#log = new RecordFile(pathOf(folder, number, "log"));
      this.#number = number;
      fsyncSync(before.descriptor);
      before.close();
      const bytes = await this.#writeSnapshot(pathOf(folder, number, "snapshot"), objects, revision);
      if (bytes === undefined) return;
      this.#snapshotBytes = bytes;
      removeBefore(folder, number);
      logger.info({ objects: objects.length, bytes }, "journal compacted");
    } catch (thrown) {
      // Nothing is lost: the older files stay until a snapshot is whole.
      logger.error({ error: errorMessage(thrown) }, "journal not compacted");
      this.#snapshotBytes = this.#log.bytes + this.#options.longBytes;
    } finally {
      this.#compacting = false;
    }
  }

  /** Bytes of the snapshot; undefined when the journal was closed meanwhile. */
  async #writeSnapshot(
    file: string,
    objects: readonly RecordedChange[],
    revision: number,
  ): Promise<number | undefined> {
    const unfinished = `${file}${UNFINISHED}`;
    const handle = await open(unfinished, "w", 0o600);
    let bytes = 0;
    let waiting = 0;
    let piece: Buffer[] = [];
    const add = (record: Buffer) => {
      piece.push(record);
      waiting += record.length;
    };
    const flush = async () => {
      const data = Buffer.concat(piece, waiting);
      bytes += waiting;
      piece = [];
      waiting = 0;
      await handle.writeFile(data);
    };
    try {
      for (const object of objects) {
        add(encode(object));
        if (waiting >= PIECE_BYTES) await flush();
        if (this.#closed) return undefined;
      }
      add(endRecord(revision, objects.length));
      await flush();
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (this.#closed) return undefined;
    renameSync(unfinished, file);
    return bytes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#syncTimer);
    fsyncSync(this.#log.descriptor);
    this.#log.close();
  }
}
