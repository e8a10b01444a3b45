// A watch: the past since a resource version, then every change, as lines of JSON.

import { expired } from "../api-errors.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../contract.ts";
import { stringAt } from "../json.ts";
import { bytesOf } from "../json-bytes.ts";
import { fromStorage } from "../operations/convert-version.ts";
import { apiVersionOf, type ResourceKind, storageKey } from "../resource-kind.ts";
import type { Predicate } from "../selectors.ts";
import type { Change, ChangeType, ObjectStore } from "../store/object-store.ts";
import { buildTable } from "../tables/build-table.ts";
import { metadataOnly, type OutputForm } from "./output-form.ts";
import { isTrue } from "./request-info.ts";
import { writePiece } from "./respond.ts";

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

/** Serves until the client leaves, the time is over or the signal aborts. */
export function serveWatch(
  store: ObjectStore,
  watch: WatchRequest,
  { request, response }: { readonly request: ApiRequest; readonly response: ApiResponse },
  signal: AbortSignal,
): void {
  const out = createWriter(watch, response);
  response.statusCode = 200;
  response.setHeader("content-type", "application/json");
  response.setHeader("cache-control", "no-cache, private");
  // Clients wait for the headers before they call the watch open.
  if ("stream" in response) response.writeHead(200);
  else response.flushHeaders();
  const stop = () => {
    unsubscribe();
    clearTimeout(deadline);
    clearInterval(bookmarks);
    signal.removeEventListener("abort", stop);
    response.end();
  };
  const key = storageKey(watch.kind);
  if (!sendPast(store, watch, out)) {
    response.end();
    return;
  }
  const unsubscribe = store.subscribe((change) => {
    out.change(change);
    if (response.writableLength > MOST_WAITING) stop();
  }, key);
  const seconds = Number(watch.query.get("timeoutSeconds")) || DEFAULT_TIMEOUT_S;
  const deadline = setTimeout(() => {
    out.bookmark(store.revision());
    stop();
  }, seconds * 1000);
  const bookmarks = setInterval(() => out.bookmark(store.revision()), BOOKMARK_MS);
  signal.addEventListener("abort", stop, { once: true });
  response.on("close", stop);
  request.on("error", stop);
}

/** False when the past is forgotten; the client was told to list again. */
function sendPast(store: ObjectStore, watch: WatchRequest, out: Writer): boolean {
  const version = watch.query.get("resourceVersion") ?? "";
  const initial = watch.query.get("sendInitialEvents");
  if (version === "" || version === "0" || isWanted(initial)) {
    if (initial !== "false") {
      for (const object of store.list(storageKey(watch.kind), watch.namespace === "" ? undefined : watch.namespace)) {
        if (watch.matches(object)) out.event("ADDED", object);
      }
    }
    if (isWanted(initial)) out.bookmark(store.revision(), true);
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

const isWanted = (text: string | null) => text !== null && isTrue(text);

interface Writer {
  event(type: ChangeType, object: JsonObject): void;
  change(change: Change): void;
  bookmark(revision: number, initialEnd?: boolean): void;
  error(status: JsonObject): void;
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
  const write = (type: string, object: Buffer) =>
    writePiece(response, Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, LINE_END]));
  const event = (type: ChangeType, object: JsonObject) => write(type, bytes(object));
  const inside = (object: JsonObject | undefined) =>
    object !== undefined &&
    (namespace === "" || stringAt(object, "metadata", "namespace") === namespace) &&
    matches(object);
  return {
    event,
    /** What enters or leaves the selection is added or deleted for this watcher. */
    change({ type, object, previous }) {
      const now = type !== "DELETED" && inside(object);
      const before = inside(previous);
      if (now) event(before ? "MODIFIED" : "ADDED", object);
      else if (before) event("DELETED", object);
    },
    bookmark(revision, initialEnd = false) {
      if (!bookmarks) return;
      const metadata: JsonObject = { resourceVersion: String(revision), creationTimestamp: null };
      if (initialEnd) metadata["annotations"] = { "k8s.io/initial-events-end": "true" };
      write("BOOKMARK", Buffer.from(JSON.stringify({ kind: kind.kind, apiVersion: apiVersionOf(kind), metadata })));
    },
    error: (status) => write("ERROR", Buffer.from(JSON.stringify(status))),
  };
}

const LINE_END = Buffer.from("}\n");
