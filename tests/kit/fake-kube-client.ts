import { apiVersionOf, Kinds, type ResourceType } from "#api/kinds";
import { type KubeObject, objectKey } from "#api/kubernetes/object";
import { type KubeClient, KubeError, type ListOptions, type WatchEvent } from "#kube/kube-client";

interface Watcher {
  readonly type: ResourceType;
  readonly options: ListOptions;
  readonly queue: WatchEvent<KubeObject>[];
  wake: () => void;
}

/** An API server in memory, for tests of what only lists and watches. It can fall silent and come back. */
export class FakeKubeClient implements KubeClient {
  readonly server = "https://fake:6443";
  readonly #objects = new Map<string, KubeObject>();
  readonly #watchers = new Set<Watcher>();
  /** Kinds (plural.group/version) that this server does not know. */
  readonly missing = new Set<string>();
  #version = 0;
  #down: KubeError | undefined;
  closed = false;

  constructor(objects: readonly KubeObject[] = []) {
    for (const object of objects) this.put(object);
  }

  /** Creates or replaces an object and tells the watchers. */
  put(object: KubeObject): void {
    const key = storeKey(object);
    this.#version += 1;
    const existed = this.#objects.has(key);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(key, stored);
    this.#tell(existed ? "MODIFIED" : "ADDED", stored);
  }

  remove(object: KubeObject): void {
    const stored = this.#objects.get(storeKey(object));
    if (stored === undefined) return;
    this.#objects.delete(storeKey(object));
    this.#tell("DELETED", stored);
  }

  /** Answers nothing any more, or again. */
  setDown(down: boolean): void {
    this.#down = down ? new KubeError(0, "Unreachable", "connection refused") : undefined;
    for (const watcher of this.#watchers) watcher.wake();
  }

  async list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}) {
    this.#check(type);
    const items = [...this.#objects.values()].filter(
      (object) => isOf(type, object) && selected(object, options),
    ) as T[];
    return { metadata: { resourceVersion: String(this.#version) }, items };
  }

  async *watch<T extends KubeObject>(type: ResourceType, options: ListOptions): AsyncIterable<WatchEvent<T>> {
    this.#check(type);
    const watcher: Watcher = { type, options, queue: [], wake: () => {} };
    this.#watchers.add(watcher);
    const { signal } = options;
    const onAbort = () => watcher.wake();
    signal?.addEventListener("abort", onAbort);
    try {
      yield { type: "BOOKMARK", resourceVersion: options.resourceVersion ?? "" };
      while (signal?.aborted !== true && !this.closed) {
        if (this.#down !== undefined) throw this.#down;
        const event = watcher.queue.shift();
        if (event !== undefined) yield event as WatchEvent<T>;
        else
          await new Promise<void>((resolve) => {
            watcher.wake = resolve;
          });
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#watchers.delete(watcher);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const watcher of this.#watchers) watcher.wake();
  }

  get = unsupported;
  create = unsupported;
  createSubresource = unsupported;
  replace = unsupported;
  patch = unsupported;
  delete = unsupported;
  resourceType = unsupported;
  request = unsupported;

  #check(type: ResourceType): void {
    if (this.#down !== undefined) throw this.#down;
    if (this.missing.has(`${type.plural}.${type.group}/${type.version}`)) {
      throw new KubeError(404, "NotFound", "the server could not find the requested resource");
    }
  }

  #tell(type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject): void {
    for (const watcher of this.#watchers) {
      if (!isOf(watcher.type, object) || !selected(object, watcher.options)) continue;
      watcher.queue.push({ type, object });
      watcher.wake();
    }
  }
}

async function unsupported(): Promise<never> {
  throw new Error("the fake API server only lists and watches");
}

function storeKey(object: KubeObject): string {
  return `${object.kind} ${objectKey(object)}`;
}

/** Versions of one group serve the same objects. */
function isOf(type: ResourceType, object: KubeObject): boolean {
  const group = (object.apiVersion ?? "").includes("/") ? (object.apiVersion ?? "").split("/")[0] : "";
  return object.kind === type.kind && group === type.group;
}

function selected(object: KubeObject, { namespace, labelSelector, fieldSelector }: ListOptions): boolean {
  if (namespace !== undefined && object.metadata?.namespace !== namespace) return false;
  const labels = object.metadata?.labels ?? {};
  const hasLabels = (labelSelector ?? "").split(",").every((term) => {
    const [key = "", value] = term.split("=");
    return key === "" || labels[key] === value;
  });
  const name = /metadata\.name=([^,]+)/.exec(fieldSelector ?? "")?.[1];
  return hasLabels && (name === undefined || object.metadata?.name === name);
}

/** Fails a test whose input misspells a kind. */
export function assertKnownKind(object: KubeObject): void {
  const group = (apiVersion: string) => (apiVersion.includes("/") ? apiVersion.split("/")[0] : "");
  const known = Object.values(Kinds).some(
    (type) => type.kind === object.kind && group(apiVersionOf(type)) === group(object.apiVersion ?? ""),
  );
  if (!known) throw new Error(`unknown kind ${object.apiVersion} ${object.kind}`);
}
