// Logs on disk in the form of container runtimes: `2026-01-02T03:04:05.000000000Z stdout F text`.
import { closeSync, constants, existsSync, mkdirSync, open, openSync, renameSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { dirname } from "node:path";
import type { Clock } from "#base/clock";

/** As kubelets do: a log that grows beyond 10 Mi is put aside, and the last four put aside are kept, `.1` the newest. */
const MAX_BYTES = 10 << 20;
const OLDER_PARTS = 4;
/** A line longer than this is cut into parts marked P. */
const MAX_LINE = 16 << 10;

export type LogStream = "stdout" | "stderr";

export interface ContainerLog {
  readonly path: string;
  /** True until `close`. */
  isOpen(): boolean;
  write(stream: LogStream, bytes: Buffer): void;
  /** Calls back with output as it comes, for attach; returns the unsubscriber. */
  onBytes(listener: (stream: LogStream, bytes: Buffer) => void): () => void;
  /** Calls back after every write and at the end; returns the unsubscriber. */
  onWrite(listener: () => void): () => void;
  close(): void;
}

export function openContainerLog(path: string, clock: Clock): ContainerLog {
  mkdirSync(dirname(path), { recursive: true });
  let file = openSync(path, "a");
  let size = 0;
  let isOpen = true;
  const rest: Record<LogStream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  const listeners = new Set<() => void>();
  const attached = new Set<(stream: LogStream, bytes: Buffer) => void>();
  const append = (text: string) => {
    size += writeSync(file, text);
    if (size < MAX_BYTES) return;
    closeSync(file);
    rotate(path);
    file = openSync(path, "a");
    size = 0;
  };
  const notify = () => {
    for (const listener of [...listeners]) listener();
  };
  return {
    path,
    isOpen: () => isOpen,
    write(stream, bytes) {
      if (!isOpen) return;
      for (const listener of [...attached]) listener(stream, bytes);
      const { lines, remainder } = cutLines(Buffer.concat([rest[stream], bytes]));
      rest[stream] = remainder;
      const stamp = timestamp(clock.now());
      append(lines.map(({ text, tag }) => `${stamp} ${stream} ${tag} ${text}\n`).join(""));
      if (lines.length > 0) notify();
    },
    onBytes(listener) {
      attached.add(listener);
      return () => attached.delete(listener);
    },
    onWrite(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      const stamp = timestamp(clock.now());
      for (const stream of ["stdout", "stderr"] as const) {
        if (rest[stream].length > 0) append(`${stamp} ${stream} P ${rest[stream].toString()}\n`);
      }
      closeSync(file);
      notify();
    },
  };
}

/** The parts of a log that were put aside, newest first. */
export function olderParts(path: string): string[] {
  return partNames(path).filter((part) => existsSync(part));
}

function partNames(path: string): string[] {
  return Array.from({ length: OLDER_PARTS }, (_, index) => `${path}.${index + 1}`);
}

function rotate(path: string): void {
  const names = [path, ...partNames(path)];
  for (let index = names.length - 1; index > 0; index--) {
    const [from = "", to = ""] = [names[index - 1], names[index]];
    if (existsSync(from)) renameSync(from, to);
  }
}

/**
 * Reads a named pipe into the log until its last writer is gone. The pipe is open for reading when this resolves, so
 * a program may open the other end at once; `ended` then resolves when all is read.
 */
export function readFifo(
  path: string,
  onBytes: (bytes: Buffer) => void,
): Promise<{ ended: Promise<void>; destroy: () => void }> {
  return new Promise((resolve, reject) => {
    open(path, constants.O_RDONLY | constants.O_NONBLOCK, (error, fd) => {
      if (error) return reject(error);
      const socket = new Socket({ fd, readable: true, writable: false });
      socket.on("data", onBytes);
      const ended = new Promise<void>((done) => {
        socket.once("close", () => done());
        socket.once("error", () => done());
      });
      resolve({ ended, destroy: () => socket.destroy() });
    });
  });
}

function cutLines(bytes: Buffer): { lines: { text: string; tag: "F" | "P" }[]; remainder: Buffer } {
  const lines: { text: string; tag: "F" | "P" }[] = [];
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(10, start);
    const length = (end < 0 ? bytes.length : end) - start;
    if (length > MAX_LINE) {
      lines.push({ text: bytes.toString("utf8", start, start + MAX_LINE), tag: "P" });
      start += MAX_LINE;
      continue;
    }
    if (end < 0) break;
    lines.push({ text: bytes.toString("utf8", start, end), tag: "F" });
    start = end + 1;
  }
  return { lines, remainder: bytes.subarray(start) };
}

function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("Z", "000000Z");
}
