// kubectl logs: what a container wrote, over all parts of its log, and with `follow` what it writes from then on.
import { existsSync } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { MeshError } from "#base/mesh-error";
import { type ContainerLog, olderParts } from "../container/container-log.ts";
import type { ContainerRunner } from "../container/container-runner.ts";
import { countLines, type LogSelection, renderLog } from "../container/render-log.ts";
import { findContainer } from "./find-container.ts";
import type { KubeletServerOptions, PodRequest } from "./kubelet-request.ts";

interface LogQuery extends LogSelection {
  readonly limitBytes: number;
}

/** Answers GET /containerLogs; with `follow` until the container ends or the client goes. */
export async function serveContainerLog(
  { manager, clock }: KubeletServerOptions,
  on: PodRequest,
  response: ServerResponse,
): Promise<void> {
  const runner = findContainer(manager, on);
  const path = pathOfLog(runner, on);
  const query = parseQuery(on.query, clock.now());
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.flushHeaders();
  const sink = limitedSink(response, query.limitBytes);
  const reader = await createReader(path);
  try {
    const current = await reader.read();
    // Clients that read the log before they attach (kubectl from 1.36) shall not see its words a second time.
    runner.process?.takeEarlyOutput();
    const parts = [...(await readOlder(path, query.tailLines, countLines(current))), current];
    if (query.tailLines === undefined) for (const part of parts) sink(renderLog(part, query));
    else sink(renderLog(parts.join(""), query));
    const { log } = runner;
    if (on.query.get("follow") === "true" && log && log.path === path) {
      await follow(log, response, async () => sink(renderLog(await reader.read(), { ...query, tailLines: undefined })));
    }
  } finally {
    await reader.close();
  }
  response.end();
}

/** Throws MeshError BAD_REQUEST in the words that clients know when there is no log (yet). */
function pathOfLog(runner: ContainerRunner, { query, pod }: PodRequest): string {
  const previous = query.get("previous") === "true";
  const { state, lastState } = runner.status;
  const where = `container "${runner.name}" in pod "${pod}"`;
  const path = runner.logPath(previous);
  const there = path !== undefined && existsSync(path) ? path : undefined;
  if (previous) {
    if (lastState?.terminated && there) return there;
    throw new MeshError("BAD_REQUEST", `previous terminated ${where} not found`);
  }
  if (there && (state?.running || state?.terminated || lastState?.terminated)) return there;
  if (state?.terminated) throw new MeshError("BAD_REQUEST", `${where} is terminated`);
  const reason = state?.waiting?.reason ?? "";
  throw new MeshError("BAD_REQUEST", `${where} is waiting to start: ${IMAGE_WORDS[reason] ?? reason}`);
}

const IMAGE_WORDS: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: "trying and failing to pull image",
};

/** Oldest first; of a log of which only the end is wanted no more parts than it takes. */
async function readOlder(path: string, tailLines: number | undefined, have: number): Promise<string[]> {
  const texts: string[] = [];
  let lines = have;
  for (const part of olderParts(path)) {
    if (tailLines !== undefined && lines > tailLines) break;
    const text = await readFile(part, "utf8").catch(() => "");
    lines += countLines(text);
    texts.unshift(text);
  }
  return texts;
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

/** Reads on from where it stopped, over to the file that took the place of the one it began with. */
async function createReader(path: string) {
  let file = await open(path, "r");
  let offset = 0;
  let rest = "";
  const readRest = async () => {
    const { size } = await file.stat();
    const length = Math.max(0, size - offset);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
    offset += bytesRead;
    return buffer.toString("utf8", 0, bytesRead);
  };
  const moved = async () => {
    const { ino } = await stat(path).catch(() => ({ ino: -1 }));
    return ino >= 0 && ino !== (await file.stat()).ino;
  };
  const read = async () => {
    let text = rest;
    for (;;) {
      const replaced = await moved();
      text += await readRest();
      if (!replaced) break;
      await file.close();
      file = await open(path, "r");
      offset = 0;
    }
    const end = text.lastIndexOf("\n") + 1;
    rest = text.slice(end);
    return text.slice(0, end);
  };
  return { read, close: () => file.close() };
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
