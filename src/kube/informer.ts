// A live copy of one kind of objects: list, then watch from there, again after every break, with nothing lost between.
import { setMaxListeners } from "node:events";
import type { ResourceType } from "#api/kinds";
import { type KubeObject, objectKey } from "#api/kubernetes/object";
import { type Clock, systemClock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { type KubeClient, KubeError, type ListOptions } from "./kube-client.ts";

export type InformerChange<T> =
  | { readonly type: "ADDED"; readonly object: T; readonly old?: undefined }
  | { readonly type: "MODIFIED"; readonly object: T; readonly old: T }
  | { readonly type: "DELETED"; readonly object: T; readonly old: T };

export interface InformerOptions<T> {
  readonly client: KubeClient;
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Called in order for every change, the first list included; must not throw. */
  readonly onChange?: (change: InformerChange<T>) => void;
  /** Keeps less than the whole object; must keep metadata.name, namespace, uid and resourceVersion. */
  readonly project?: (object: T) => T;
  /** Called with undefined whenever the server has accepted a watch, and with what is wrong when it broke. */
  readonly onHealth?: (problem: KubeError | undefined) => void;
}

export interface Informer<T> {
  /** Resolves after the first complete list; rejects only when the signal aborts before. */
  readonly synced: Promise<void>;
  hasSynced(): boolean;
  get(namespace: string | undefined, name: string): T | undefined;
  list(): T[];
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 10_000;
/** A watch that lived this long was a good one: the next trouble begins with the first retry time again. */
const STABLE_MS = 1_000;

/** Starts at once and runs until the signal aborts. A kind that does not exist yet (404) is waited for quietly. */
export function startInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  setMaxListeners(0, options.signal); // a program's every watch ends with one signal: many listeners are no leak
  const store = new ObjectStore<T>(options);
  let synced = false;
  let resolveSynced = () => {};
  const whenSynced = new Promise<void>((resolve, reject) => {
    resolveSynced = resolve;
    options.signal.addEventListener("abort", () => reject(options.signal.reason), { once: true });
  });
  whenSynced.catch(() => {});
  void follow(options, store, () => {
    synced = true;
    resolveSynced();
  });
  return {
    synced: whenSynced,
    hasSynced: () => synced,
    get: (namespace, name) => store.get(namespace ? `${namespace}/${name}` : name),
    list: () => store.list(),
  };
}

/** How far this informer has come; advanced with every event, so that a break in the middle replays nothing. */
interface Progress {
  /** Undefined: a new list is due. */
  resourceVersion: string | undefined;
  /** When the server accepted the last watch. */
  openedAt: number | undefined;
}

async function follow<T extends KubeObject>(
  options: InformerOptions<T>,
  store: ObjectStore<T>,
  onSynced: () => void,
): Promise<void> {
  const { signal } = options;
  const clock = options.clock ?? systemClock;
  const progress: Progress = { resourceVersion: undefined, openedAt: undefined };
  let retryMs = FIRST_RETRY_MS;
  let wasExpired = false;
  while (!signal.aborted) {
    progress.openedAt = undefined;
    const problem = await listAndWatch(options, store, progress, onSynced);
    if (signal.aborted) return;
    const stable = progress.openedAt !== undefined && clock.now() - progress.openedAt >= STABLE_MS;
    if (stable) retryMs = FIRST_RETRY_MS;
    const expired = problem?.status === 410;
    const atOnce = expired ? !wasExpired : problem === undefined && stable;
    wasExpired = expired;
    if (atOnce) continue;
    if (problem !== undefined && !expired) report(options, problem, retryMs);
    await clock.sleep(retryMs, signal).catch(() => {});
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  }
}

/** One round, until the watch ends. Gives why it ended, undefined when the server closed it as servers do. */
async function listAndWatch<T extends KubeObject>(
  options: InformerOptions<T>,
  store: ObjectStore<T>,
  progress: Progress,
  onSynced: () => void,
): Promise<KubeError | undefined> {
  try {
    if (progress.resourceVersion === undefined) {
      progress.resourceVersion = await relist(options, store);
      onSynced();
    }
    await watchOn(options, store, progress);
    return undefined;
  } catch (thrown) {
    const error = asKubeError(thrown);
    if (error.status !== 0) progress.resourceVersion = undefined;
    return error;
  }
}

function asKubeError(thrown: unknown): KubeError {
  if (thrown instanceof KubeError) return thrown;
  return new KubeError(0, "InformerFailed", errorMessage(thrown), { cause: thrown });
}

function report(
  options: Pick<InformerOptions<unknown>, "onHealth" | "logger" | "type">,
  error: KubeError,
  retryMs: number,
): void {
  options.onHealth?.(error);
  const level = error.status === 404 ? "debug" : "warn";
  options.logger[level]({ kind: options.type.kind, error: error.message, retryMs }, "watch interrupted");
}

async function relist<T extends KubeObject>(options: InformerOptions<T>, store: ObjectStore<T>): Promise<string> {
  const list = await options.client.list<T>(options.type, listOptions(options));
  store.replaceAll(list.items);
  return list.metadata.resourceVersion ?? "0";
}

async function watchOn<T extends KubeObject>(
  options: InformerOptions<T>,
  store: ObjectStore<T>,
  progress: Progress,
): Promise<void> {
  const { client, type, clock = systemClock } = options;
  const { resourceVersion = "0" } = progress;
  for await (const event of client.watch<T>(type, { ...listOptions(options), resourceVersion })) {
    if (progress.openedAt === undefined) {
      progress.openedAt = clock.now();
      options.onHealth?.(undefined);
    }
    if (event.type === "BOOKMARK") {
      progress.resourceVersion = event.resourceVersion || progress.resourceVersion;
      continue;
    }
    progress.resourceVersion = event.object.metadata?.resourceVersion ?? progress.resourceVersion;
    if (event.type === "DELETED") store.remove(event.object);
    else store.put(event.object);
  }
}

function listOptions(
  options: Pick<InformerOptions<unknown>, "namespace" | "labelSelector" | "fieldSelector" | "signal">,
): ListOptions {
  const { namespace, labelSelector, fieldSelector, signal } = options;
  return {
    signal,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #options: InformerOptions<T>;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  put(incoming: T): void {
    const object = this.#options.project?.(incoming) ?? incoming;
    const key = objectKey(object);
    const old = this.#objects.get(key);
    if (
      old?.metadata?.resourceVersion !== undefined &&
      old.metadata.resourceVersion === object.metadata?.resourceVersion
    )
      return;
    this.#objects.set(key, object);
    this.#options.onChange?.(old === undefined ? { type: "ADDED", object } : { type: "MODIFIED", object, old });
  }

  remove(object: T): void {
    this.#drop(objectKey(object), this.#options.project?.(object) ?? object);
  }

  #drop(key: string, object: T): void {
    const old = this.#objects.get(key);
    if (old === undefined) return;
    this.#objects.delete(key);
    this.#options.onChange?.({ type: "DELETED", object, old });
  }

  replaceAll(objects: readonly T[]): void {
    const present = new Set(objects.map(objectKey));
    for (const [key, old] of [...this.#objects]) if (!present.has(key)) this.#drop(key, old);
    for (const object of objects) this.put(object);
  }
}
