import { existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { MeshError } from "#base/mesh-error";
import type { ContainerLog } from "../container/container-log.ts";
import { findContainer } from "./find-container.ts";
import type { KubeletServerOptions, PodRequest } from "./kubelet-request.ts";

export interface LogQuery {
  readonly tailLines: number | undefined;
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly timestamps: boolean;
  readonly limitBytes: number;
}

/** `2026-..Z stdout F text` lines as a person asked for them. */
export function renderLog(content: string, query: LogQuery): string {
  const lines = content.split("\n").filter(Boolean);
  const recent =
    query.since === undefined ? lines : lines.filter((line) => Date.parse(stampOf(line)) >= (query.since ?? 0));
  const tail = query.tailLines === undefined ? recent : recent.slice(Math.max(0, recent.length - query.tailLines));
  return tail.map((line) => renderLine(line, query.timestamps)).join("");
}

/** Answers GET /containerLogs; with `follow` until the container ends or the client goes. */
export async function serveContainerLog(
  { manager, clock }: KubeletServerOptions,
  on: PodRequest,
  response: ServerResponse,
): Promise<void> {
  const runner = findContainer(manager, on);
  const previous = on.query.get("previous") === "true";
  const path = runner.logPath(previous);
  if (path === undefined || (previous && !existsSync(path))) {
    const what = previous ? "previous terminated container" : "container";
    throw new MeshError("BAD_REQUEST", `${what} "${on.container}" in pod "${on.pod}" has not started: no log`);
  }
  const query = parseQuery(on.query, clock.now());
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.flushHeaders();
  const sink = limitedSink(response, query.limitBytes);
  const reader = await createReader(path);
  try {
    const older = existsSync(`${path}.1`) ? await (await createReader(`${path}.1`)).drain() : "";
    sink(renderLog(older + (await reader.read()), query));
    const { log } = runner;
    const isCurrent = log?.path === path;
    if (on.query.get("follow") === "true" && log && isCurrent) {
      await follow(log, response, async () => sink(renderLog(await reader.read(), { ...query, tailLines: undefined })));
    }
  } finally {
    await reader.close();
  }
  response.end();
}

async function follow(log: ContainerLog, response: ServerResponse, more: () => Promise<void>): Promise<void> {
  let gone = false;
  let wake: () => void = () => undefined;
  response.once("close", () => {
    gone = true;
    wake();
  });
  let written = true;
  const unsubscribe = log.onWrite(() => {
    written = true;
    wake();
  });
  try {
    while (!gone) {
      const open = log.isOpen();
      if (written) {
        written = false;
        await more();
      }
      if (!open) return;
      if (written || gone) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    unsubscribe();
  }
}

/** Reads on from where it stopped; starts again when the file was replaced by a shorter one. */
async function createReader(path: string) {
  let file = await open(path, "r");
  let offset = 0;
  let rest = "";
  const read = async () => {
    const { size } = await file.stat();
    const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.max(0, size - offset)), 0, size - offset, offset);
    offset += bytesRead;
    const { size: now, ino } = await stat(path).catch(() => ({ size: -1, ino: -1 }));
    if (now >= 0 && ino !== (await file.stat()).ino) {
      await file.close();
      file = await open(path, "r");
      offset = 0;
    }
    const text = rest + buffer.toString("utf8", 0, bytesRead);
    const end = text.lastIndexOf("\n") + 1;
    rest = text.slice(end);
    return text.slice(0, end);
  };
  const close = () => file.close();
  return {
    read,
    close,
    async drain() {
      const text = await read();
      await close();
      return text;
    },
  };
}

function parseQuery(query: URLSearchParams, now: number): LogQuery {
  const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
  const sinceSeconds = number("sinceSeconds");
  const sinceTime = query.get("sinceTime");
  return {
    tailLines: number("tailLines"),
    since: sinceSeconds !== undefined ? now - sinceSeconds * 1000 : sinceTime ? Date.parse(sinceTime) : undefined,
    timestamps: query.get("timestamps") === "true",
    limitBytes: number("limitBytes") ?? Number.POSITIVE_INFINITY,
  };
}

function limitedSink(response: ServerResponse, limit: number): (text: string) => void {
  let left = limit;
  return (text) => {
    if (text === "" || left <= 0) return;
    const bytes = Buffer.from(text);
    const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
    left -= part.length;
    response.write(part);
  };
}

function stampOf(line: string): string {
  return line.slice(0, line.indexOf(" "));
}

function renderLine(line: string, timestamps: boolean): string {
  const match = /^(\S+) \S+ ([FP]) (.*)$/s.exec(line);
  if (!match) return `${line}\n`;
  const [, stamp = "", tag, text = ""] = match;
  return `${timestamps ? `${stamp} ` : ""}${text}${tag === "P" ? "" : "\n"}`;
}
