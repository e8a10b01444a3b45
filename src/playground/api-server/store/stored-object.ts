// One state of one object as the store keeps it: its JSON as bytes outside of the heap, which answers, watches and the
// journal send as they are, and beside them only what finds it. The parsed tree is there while somebody needs it.
import type { JsonObject, JsonValue } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";
import { rememberBytes } from "../json-bytes.ts";
import type { RecentTrees } from "./recent-trees.ts";

/** Where the value of `metadata` stands in the bytes. */
interface Range {
  readonly start: number;
  readonly end: number;
}

interface StoredForm {
  readonly tree: JsonObject;
  readonly bytes: Buffer;
  readonly hidden?: JsonObject | undefined;
}

export class StoredObject {
  /** `namespace/name`; begins with `/` for objects of the cluster. */
  readonly path: string;
  readonly revision: number;
  /** The object as JSON: exactly what serialising it anew would give. Shared; never written to. */
  readonly bytes: Buffer;
  readonly labels: JsonObject;
  /** Where in the bytes the fields after `apiVersion` and `kind` begin; -1 when these two do not come first. */
  readonly restStart: number;
  /** What is kept with the object and shown to nobody. */
  readonly hidden: JsonObject | undefined;
  readonly #recent: RecentTrees;
  #tree: JsonObject | undefined;
  #weak: WeakRef<JsonObject> | undefined;
  #metadataStart = -1;
  #metadataEnd = -1;

  /** `tree` is what `bytes` say, and is never changed again. */
  constructor(recent: RecentTrees, { tree, bytes, hidden }: StoredForm) {
    const metadata = objectAt(tree, "metadata");
    this.path = pathOf(tree);
    this.revision = Number(stringAt(metadata, "resourceVersion"));
    this.bytes = bytes;
    this.labels = metadata["labels"] === undefined ? NO_LABELS : objectAt(metadata, "labels");
    this.restStart = restStart(tree);
    this.hidden = hidden;
    this.#recent = recent;
  }

  get namespace(): string {
    return this.path.slice(0, this.path.indexOf("/"));
  }

  get name(): string {
    return this.path.slice(this.path.indexOf("/") + 1);
  }

  /** The object as a tree, shared by all who ask while one of them holds it. */
  object(): JsonObject {
    if (this.#tree !== undefined) return this.#tree;
    const tree = this.#weak?.deref() ?? (JSON.parse(this.bytes.toString()) as JsonObject);
    this.holdTree(tree);
    return tree;
  }

  /** Keeps the tree at hand until others have been used more lately. */
  holdTree(tree: JsonObject): void {
    rememberBytes(tree, this.bytes);
    this.#tree = tree;
    this.#recent.add(this);
  }

  /** Leaves the tree to those who hold it; to be called by who keeps the recent ones. */
  releaseTree(): void {
    if (this.#tree === undefined) return;
    this.#weak = new WeakRef(this.#tree);
    this.#tree = undefined;
  }

  /** Where `metadata` stands in the bytes. */
  metadataPiece(): { readonly bytes: Buffer; readonly start: number; readonly end: number } {
    if (this.#metadataStart < 0) {
      const { start, end } = metadataRange(this.object());
      this.#metadataStart = start;
      this.#metadataEnd = end;
    }
    return { bytes: this.bytes, start: this.#metadataStart, end: this.#metadataEnd };
  }
}

const NO_LABELS: JsonObject = {};

/** `namespace/name` of an object. */
export function pathOf(object: JsonObject): string {
  const metadata = objectAt(object, "metadata");
  return `${stringAt(metadata, "namespace")}/${stringAt(metadata, "name")}`;
}

const NAMED: ReadonlySet<string> = new Set(["apiVersion", "kind"]);

function restStart(tree: JsonObject): number {
  let length = 1;
  let named = 0;
  for (const key in tree) {
    if (named === NAMED.size) return length;
    if (!NAMED.has(key)) return -1;
    named += 1;
    // Colon and comma.
    length += jsonLength(key) + jsonLength(tree[key]) + 2;
  }
  return -1;
}

const jsonLength = (value: JsonValue | undefined) => Buffer.byteLength(JSON.stringify(value ?? null));

function metadataRange(tree: JsonObject): Range {
  let start = 1;
  for (const [key, value] of Object.entries(tree)) {
    start += jsonLength(key) + 1;
    const length = jsonLength(value);
    if (key === "metadata") return { start, end: start + length };
    start += length + 1;
  }
  return { start: 0, end: 0 };
}
