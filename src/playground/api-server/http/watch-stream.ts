// A watch: the past since a resource version, then every change, as lines of JSON.

import { expired } from "../api-errors.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../contract.ts";
import { stringAt } from "../json.ts";
import { bytesOf } from "../json-bytes.ts";
import { fromStorage } from "../operations/convert-version.ts";
import { apiVersionOf, type ResourceKind, storageKey } from "../resource-kind.ts";
import type { Predicate } from "../selectors.ts";
import type { Change, ChangeType } from "../store/change.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { buildTable } from "../tables/build-table.ts";
import { type BatchedWriter, batchedWriter, eventLine } from "./batched-writer.ts";
import { metadataOnly, type OutputForm } from "./output-form.ts";
import { isTrue } from "./request-info.ts";

export interface WatchRequest {
  readonly kind: ResourceKind;
  /** "" for all namespaces. */
  readonly namespace: string;
  readonly matches: Predicate;
  readonly form: OutputForm;
  readonly query: URLSearchParams;
}

const BOOKMARK_MS = 30_000;
/** A watcher that reads so slowly that this much waits for it is cut off; it will list again. */
const MOST_WAITING = 64 * 1024 * 1024;
const DEFAULT_TIMEOUT_S = 1800;

/** Serves until the client leaves, the time is over or the signal aborts. Resolves when the past has been told. */
export async function serveWatch(
  store: ObjectStore,
  watch: WatchRequest,
  { request, response }: { readonly request: ApiRequest; readonly response: ApiResponse },
  signal: AbortSignal,
): Promise<void> {
  const out = createWriter(watch, response);
  response.statusCode = 200;
  response.setHeader("content-type", "application/json");
  response.setHeader("cache-control", "no-cache, private");
  // Clients wait for the headers before they call the watch open.
  if ("stream" in response) response.writeHead(200);
  else response.flushHeaders();
  // What happens while the past is told waits its turn.
  let queue: Change[] | undefined = [];
  const stop = () => {
    unsubscribe();
    clearTimeout(deadline);
    clearInterval(bookmarks);
    signal.removeEventListener("abort", stop);
    out.flush();
    response.end();
  };
  const unsubscribe = store.subscribe((change) => {
    if (queue !== undefined) queue.push(change);
    else out.change(change);
    if (out.waiting() > MOST_WAITING) stop();
  }, storageKey(watch.kind));
  const seconds = Number(watch.query.get("timeoutSeconds")) || DEFAULT_TIMEOUT_S;
  const deadline = setTimeout(() => {
    if (queue === undefined) out.bookmark(store.revision());
    stop();
  }, seconds * 1000);
  const bookmarks = setInterval(() => {
    if (queue === undefined) out.bookmark(store.revision());
  }, BOOKMARK_MS);
  signal.addEventListener("abort", stop, { once: true });
  response.on("close", stop);
  request.on("error", stop);
  if (!(await sendPast(store, watch, out))) return stop();
  for (const change of queue) out.change(change);
  queue = undefined;
}

/** False when nothing can follow: the past is forgotten, of which the client was told, or the client has gone. */
async function sendPast(store: ObjectStore, watch: WatchRequest, out: Writer): Promise<boolean> {
  const version = watch.query.get("resourceVersion") ?? "";
  const initial = watch.query.get("sendInitialEvents");
  if (version === "" || version === "0" || isWanted(initial)) {
    const revision = store.revision();
    if (initial !== "false" && !(await sendObjects(store, watch, out))) return false;
    if (isWanted(initial)) out.bookmark(revision, true);
    return true;
  }
  const past = store.changesSince(storageKey(watch.kind), Number(version));
  if (past === undefined) {
    out.error(expired(`too old resource version: ${version} (${store.revision()})`).status());
    return false;
  }
  for (const change of past) out.change(change);
  return true;
}

/** Every object of this moment as ADDED, at the speed of the client; false when it has gone. */
async function sendObjects(store: ObjectStore, watch: WatchRequest, out: Writer): Promise<boolean> {
  for (const object of store.list(storageKey(watch.kind), watch.namespace === "" ? undefined : watch.namespace)) {
    if (!watch.matches(object)) continue;
    out.event("ADDED", object);
    const keepsUp = out.keepUp();
    if (keepsUp !== true && !(await keepsUp)) return false;
  }
  return true;
}

const isWanted = (text: string | null) => text !== null && isTrue(text);

interface Writer extends Pick<BatchedWriter, "flush" | "waiting"> {
  event(type: ChangeType, object: JsonObject): void;
  change(change: Change): void;
  bookmark(revision: number, initialEnd?: boolean): void;
  error(status: JsonObject): void;
  /** Waits for a client that reads slowly; false when it has gone. Costs nothing for one that does not. */
  keepUp(): Promise<boolean> | true;
}

function createWriter(watch: WatchRequest, response: ApiResponse): Writer {
  const { kind, namespace, form, matches } = watch;
  const bookmarks = isTrue(watch.query.get("allowWatchBookmarks") ?? "false");
  let first = true;
  const bytes = (object: JsonObject): Buffer => {
    const shown = fromStorage(kind, object);
    if (form.kind === "metadata") return bytesOf(metadataOnly(shown));
    if (form.kind === "object") return bytesOf(shown);
    const table = buildTable(kind, [shown], { include: form.include, columns: first });
    first = false;
    return Buffer.from(
      JSON.stringify({ ...table, metadata: { resourceVersion: stringAt(shown, "metadata", "resourceVersion") } }),
    );
  };
  const sink = batchedWriter(response);
  const write = (type: string, object: Buffer) => sink.write(eventLine(type, object));
  const event = (type: ChangeType, object: JsonObject) => write(type, bytes(object));
  const inside = (object: JsonObject | undefined) =>
    object !== undefined &&
    (namespace === "" || stringAt(object, "metadata", "namespace") === namespace) &&
    matches(object);
  return {
    event,
    flush: sink.flush,
    waiting: sink.waiting,
    keepUp: () => (sink.keepsUp() ? true : sink.drained()),
    /** What enters or leaves the selection is added or deleted for this watcher. */
    change({ type, object, previous }) {
      const now = type !== "DELETED" && inside(object);
      const before = inside(previous);
      if (now) event(before ? "MODIFIED" : "ADDED", object);
      else if (before) event("DELETED", object);
    },
    bookmark(revision, initialEnd = false) {
      if (!bookmarks) return;
      const metadata: JsonObject = { resourceVersion: String(revision) };
      if (initialEnd) metadata["annotations"] = { "k8s.io/initial-events-end": "true" };
      write("BOOKMARK", Buffer.from(JSON.stringify({ kind: kind.kind, apiVersion: apiVersionOf(kind), metadata })));
    },
    error: (status) => write("ERROR", Buffer.from(JSON.stringify(status))),
  };
}
