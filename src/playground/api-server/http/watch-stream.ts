// A watch: the past since a resource version, then every change, as lines of JSON.

import { expired, tooLargeVersion } from "../api-errors.ts";
import { type ApiRequest, type ApiResponse, ApiStatusError } from "../contract.ts";
import { storageKey } from "../resource-kind.ts";
import { selection } from "../selectors.ts";
import type { Change } from "../store/change.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { awaitRevision } from "./await-revision.ts";
import { isCached } from "./cached-kinds.ts";
import { type ListOptions, resourceVersionFault } from "./list-options.ts";
import { createWatchWriter, type WatchedPlace, type WatchWriter } from "./watch-writer.ts";

export interface WatchRequest extends WatchedPlace {
  readonly options: ListOptions;
}

const BOOKMARK_S = 60;
/** So long before its end a watch tells how far it came. */
const LAST_BOOKMARK_S = 2;
/** A watcher that reads so slowly that this much waits for it is cut off; it will list again. */
const MOST_WAITING = 64 * 1024 * 1024;
const DEFAULT_TIMEOUT_S = 1800;
/** What a timer can hold. */
const LONGEST_MS = 2 ** 31 - 1;

/** Where a watch begins. */
interface Beginning {
  /** Every object of this moment comes first, as ADDED. */
  readonly initial: boolean;
  /** Changes after it are told. */
  readonly revision: number;
}

/** Without a version a watch begins with everything, unless the client says otherwise. */
function beginningOf(store: ObjectStore, { resourceVersion, sendInitialEvents }: ListOptions): Beginning {
  const fault = resourceVersionFault(resourceVersion);
  // A real server gives it no reason and takes the blame.
  if (fault !== undefined) throw new ApiStatusError(500, "", fault);
  const anyVersion = resourceVersion === "" || resourceVersion === "0";
  return {
    initial: sendInitialEvents ?? anyVersion,
    revision: anyVersion ? store.revision() : Number(resourceVersion),
  };
}

/** Serves until the client leaves, the time is over or the signal aborts. Resolves when the past has been told. */
export async function serveWatch(
  store: ObjectStore,
  watch: WatchRequest,
  { request, response }: { readonly request: ApiRequest; readonly response: ApiResponse },
  signal: AbortSignal,
): Promise<void> {
  const beginning = beginningOf(store, watch.options);
  const { isEmpty: _, matches } = selection(watch.kind, watch.options);
  const out = createWatchWriter(watch, matches, response);
  begin(response);
  // What happens while the past is told waits its turn.
  let queue: Change[] | undefined = [];
  const stop = () => {
    unsubscribe();
    clearTimeout(deadline);
    clearTimeout(bookmark);
    signal.removeEventListener("abort", stop);
    out.flush();
    response.end();
  };
  const unsubscribe = store.subscribe((change) => {
    if (queue !== undefined) queue.push(change);
    // A watch from a version that is still to come is silent until then.
    else if (change.revision > beginning.revision) out.change(change);
    if (out.waiting() > MOST_WAITING) stop();
  }, storageKey(watch.kind));
  const lasts = Math.min((watch.options.timeoutSeconds || DEFAULT_TIMEOUT_S) * 1000, LONGEST_MS);
  const ends = Date.now() + lasts;
  const deadline = setTimeout(stop, lasts);
  let bookmark: NodeJS.Timeout | undefined;
  const planBookmark = () => {
    const last = ends - LAST_BOOKMARK_S * 1000 - Date.now();
    if (last <= 0 || !watch.options.allowWatchBookmarks) return;
    bookmark = setTimeout(
      () => {
        if (queue === undefined) out.bookmark(store.revision());
        planBookmark();
      },
      Math.min(last, BOOKMARK_S * 1000),
    );
  };
  planBookmark();
  signal.addEventListener("abort", stop, { once: true });
  response.on("close", stop);
  request.on("error", stop);
  if (!(await sendPast(store, watch, { beginning, out, signal }))) return stop();
  for (const change of queue) if (change.revision > beginning.revision) out.change(change);
  queue = undefined;
}

/** Clients wait for the headers before they call the watch open. */
function begin(response: ApiResponse): void {
  response.statusCode = 200;
  response.setHeader("content-type", "application/json");
  response.setHeader("cache-control", "no-cache, private");
  if ("stream" in response) response.writeHead(200);
  else response.flushHeaders();
}

interface Past {
  readonly beginning: Beginning;
  readonly out: WatchWriter;
  readonly signal: AbortSignal;
}

/** False when nothing can follow: the past is forgotten, of which the client was told, or the client has gone. */
async function sendPast(store: ObjectStore, watch: WatchRequest, { beginning, out, signal }: Past): Promise<boolean> {
  const { initial, revision } = beginning;
  if (initial) await awaitRevision(store, revision, signal);
  const newest = store.revision();
  if (initial && revision > newest) {
    out.error(tooLargeVersion(revision, newest, true).status());
    return false;
  }
  if (initial) {
    if (!(await sendObjects(store, watch, out))) return false;
    if (watch.options.allowWatchBookmarks && watch.options.sendInitialEvents === true) out.bookmark(newest, true);
    return true;
  }
  const past = store.changesSince(storageKey(watch.kind), revision);
  if (past === undefined) {
    out.error(expired(tooOld(watch, `${revision} (${newest})`)).status());
    return false;
  }
  for (const change of past) out.change(change);
  return true;
}

const tooOld = ({ kind }: WatchRequest, versions: string) =>
  isCached(kind) ? `too old resource version: ${versions}` : "The resourceVersion for the provided watch is too old.";

/** Every object of this moment as ADDED, at the speed of the client; false when it has gone. */
async function sendObjects(store: ObjectStore, watch: WatchRequest, out: WatchWriter): Promise<boolean> {
  for (const object of store.stored(storageKey(watch.kind), watch.namespace === "" ? undefined : watch.namespace)) {
    if (!out.selects(object)) continue;
    out.event("ADDED", object);
    const keepsUp = out.keepUp();
    if (keepsUp !== true && !(await keepsUp)) return false;
  }
  return true;
}
