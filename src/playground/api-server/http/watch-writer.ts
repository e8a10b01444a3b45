// The events of one watch in the form that its client asked for.
import { errorMessage } from "#base/mesh-error";
import { type ApiResponse, ApiStatusError, type JsonObject } from "../contract.ts";
import { type Converter, whenConverted } from "../crd/convert-custom.ts";
import { emptyObjectTexts } from "../gen/watched-forms.ts";
import { objectAt, stringAt } from "../json.ts";
import { bytesOf } from "../json-bytes.ts";
import { fromStorage, isShownAsKept } from "../operations/convert-version.ts";
import { apiVersionOf, type ResourceKind } from "../resource-kind.ts";
import type { Predicate } from "../selectors.ts";
import type { Change, ChangeType } from "../store/change.ts";
import type { StoredObject } from "../store/stored-object.ts";
import { buildTable, recordedPath } from "../tables/build-table.ts";
import { type BatchedWriter, batchedWriter, eventLine } from "./batched-writer.ts";
import { metadataOnly, type OutputForm } from "./output-form.ts";
import { addedAnnotations } from "./shown-metadata.ts";

export interface WatchedPlace {
  readonly kind: ResourceKind;
  /** "" for all namespaces. */
  readonly namespace: string;
  readonly form: OutputForm;
  /** For kinds whose versions a webhook converts. */
  readonly convert?: Converter;
}

export interface WatchWriter extends Pick<BatchedWriter, "flush" | "waiting"> {
  selects(stored: StoredObject): boolean;
  event(type: ChangeType, stored: StoredObject): void;
  /** What enters or leaves the selection is added or deleted for this watcher. */
  change(change: Change): void;
  /** `initialEnd`: everything that was there when the watch began has been told. */
  bookmark(revision: number, initialEnd?: boolean): void;
  error(status: JsonObject): void;
  /** Waits for a client that reads slowly; false when it has gone. Costs nothing for one that does not. */
  keepUp(): Promise<boolean> | true;
}

export function createWatchWriter(
  { kind, namespace, form, convert }: WatchedPlace,
  matches: Predicate,
  response: ApiResponse,
): WatchWriter {
  let first = true;
  /** `shown` is in the client's version. */
  const bytes = (shown: JsonObject): Buffer => {
    if (form.kind === "metadata") return bytesOf(metadataOnly(kind, shown, form.apiVersion));
    if (form.kind !== "table") return bytesOf(shown);
    const table = buildTable(kind, [shown], { ...form, columns: first });
    first = false;
    const metadata = { resourceVersion: stringAt(shown, "metadata", "resourceVersion") };
    return Buffer.from(JSON.stringify({ ...table, metadata }));
  };
  const sink = batchedWriter(response);
  const write = (type: string, object: Buffer) => sink.write(eventLine(type, object));
  const asKept = form.kind !== "metadata" && form.kind !== "table" && isShownAsKept(kind);
  const inTurn = kind.custom?.conversion === undefined || convert === undefined ? atOnce : turns(convert, write);
  const tell = (type: ChangeType, object: JsonObject) => inTurn(() => write(type, bytes(fromStorage(kind, object))));
  const event = (type: ChangeType, stored: StoredObject) =>
    asKept ? write(type, stored.bytes) : tell(type, stored.object());
  const selects = (stored: StoredObject | undefined) =>
    stored !== undefined && (namespace === "" || stored.namespace === namespace) && matches(stored);
  return {
    event,
    selects,
    flush: sink.flush,
    waiting: sink.waiting,
    keepUp: () => (sink.keepsUp() ? true : sink.drained()),
    change({ type, stored, before, revision }) {
      const now = type !== "DELETED" && selects(stored);
      const was = selects(before);
      if (now) event(was ? "MODIFIED" : "ADDED", stored);
      else if (was && type === "DELETED") event("DELETED", stored);
      else if (was && before !== undefined) tell("DELETED", left(before.object(), revision));
    },
    bookmark(revision, initialEnd = false) {
      const mark = initialEnd ? { "k8s.io/initial-events-end": "true" } : {};
      const annotations = { ...addedAnnotations(kind), ...mark };
      const annotated = Object.keys(annotations).length > 0 ? { annotations } : {};
      const object = { ...emptyObject(kind), metadata: { resourceVersion: String(revision), ...annotated } };
      inTurn(() => write("BOOKMARK", bytes(object)));
    },
    error: (status) => inTurn(() => write("ERROR", Buffer.from(JSON.stringify(status)))),
  };
}

type InTurn = (run: () => void) => void;

const atOnce: InTurn = (run) => run();

/** Events of objects that a webhook converts follow one another as it answers; one that it fails becomes an error. */
function turns(convert: Converter, write: (type: string, object: Buffer) => void): InTurn {
  let last = Promise.resolve();
  const failed = (thrown: unknown) => {
    const why = thrown instanceof ApiStatusError ? thrown : new ApiStatusError(500, "", errorMessage(thrown));
    write("ERROR", Buffer.from(JSON.stringify(why.status())));
  };
  return (run) => {
    last = last.then(() => whenConverted(convert, run)).catch(failed);
  };
}

/** An object as it was when it left the selection, in the version in which it did. */
function left(previous: JsonObject, revision: number): JsonObject {
  return { ...previous, metadata: { ...objectAt(previous, "metadata"), resourceVersion: String(revision) } };
}

/** What a bookmark shows beside its version. */
export function emptyObject(kind: ResourceKind): JsonObject {
  const text = kind.custom === undefined ? (emptyObjectTexts[recordedPath(kind)] ?? "{}") : "{}";
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), ...(JSON.parse(text) as JsonObject) };
}
