// Who owns which field: metadata.managedFields, kept through updates and server-side apply.
import { ApiStatusError, type JsonObject } from "../contract.ts";
import { deepEqual, objectAt, objectsAt, stringAt } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import {
  difference,
  emptySet,
  type FieldSet,
  fromFieldsV1,
  intersection,
  isEmpty,
  paths,
  toFieldsV1,
  union,
  within,
} from "./field-set.ts";
import { mergeTyped, prune } from "./merge-typed.ts";
import { compare, fieldsOf } from "./typed-value.ts";

export interface FieldWriter {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  /** "" for the object itself. */
  readonly subresource: string;
  /** RFC 3339, whole seconds. */
  readonly time: string;
}

interface Entry extends FieldWriter {
  readonly fields: FieldSet;
}

/** Fields that identify or belong to the server; nobody owns them. */
const NOBODYS = [
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "selfLink",
  "managedFields",
];

/** The oldest writers by update are folded into one beyond this number. */
const MOST_UPDATERS = 10;

function ownable(object: JsonObject): JsonObject {
  const { apiVersion: _a, kind: _k, metadata: _m, ...rest } = object;
  const metadata = { ...objectAt(object, "metadata") };
  for (const field of NOBODYS) delete metadata[field];
  return Object.keys(metadata).length === 0 ? rest : { ...rest, metadata };
}

function readEntries(object: JsonObject | undefined): Entry[] {
  return objectsAt(object, "metadata", "managedFields").map((entry) => ({
    manager: stringAt(entry, "manager"),
    operation: stringAt(entry, "operation") === "Apply" ? "Apply" : "Update",
    apiVersion: stringAt(entry, "apiVersion"),
    subresource: stringAt(entry, "subresource"),
    time: stringAt(entry, "time"),
    fields: fromFieldsV1(objectAt(entry, "fieldsV1")),
  }));
}

function writeEntries(entries: readonly Entry[]): JsonObject[] {
  const folded = foldOldUpdaters(entries.filter((entry) => !isEmpty(entry.fields)));
  return [...folded].sort(inOrder).map((entry) => ({
    apiVersion: entry.apiVersion,
    fieldsType: "FieldsV1",
    fieldsV1: toFieldsV1(entry.fields),
    manager: entry.manager,
    operation: entry.operation,
    ...(entry.subresource === "" ? {} : { subresource: entry.subresource }),
    ...(entry.time === "" ? {} : { time: entry.time }),
  }));
}

/** Kubernetes' order. Without one, applying the same again would only move an entry and count as a change. */
function inOrder(a: FieldWriter, b: FieldWriter): number {
  const key = (writer: FieldWriter) =>
    [writer.operation, writer.time, writer.manager, writer.apiVersion, writer.subresource].join("\u0000");
  return key(a) < key(b) ? -1 : 1;
}

function foldOldUpdaters(entries: readonly Entry[]): readonly Entry[] {
  const updaters = entries.filter((entry) => entry.operation === "Update");
  if (updaters.length <= MOST_UPDATERS) return entries;
  const old = [...updaters].sort((a, b) => (a.time < b.time ? -1 : 1)).slice(0, updaters.length - MOST_UPDATERS + 1);
  const folded = old.reduce((sum, entry) => ({ ...entry, fields: union(sum.fields, entry.fields) }));
  return [...entries.filter((entry) => !old.includes(entry)), { ...folded, manager: "ancient-changes" }];
}

const isSame = (entry: FieldWriter, writer: FieldWriter) =>
  entry.manager === writer.manager &&
  entry.operation === writer.operation &&
  entry.subresource === writer.subresource &&
  (entry.operation === "Apply" || entry.apiVersion === writer.apiVersion);

/** managedFields after `writer` changed `before` (undefined when it made the object) into `after`. */
export function trackUpdate(
  schema: Schema,
  before: JsonObject | undefined,
  after: JsonObject,
  writer: FieldWriter,
): JsonObject[] {
  const entries = isReset(after, before) ? [] : readEntries(before);
  // An object that nobody owned anything of when it was made, or of which all was given up, is not tracked again.
  if (entries.length === 0 && stringAt(before, "metadata", "uid") !== "") return [];
  const { changed, removed } = compare(schema, before === undefined ? {} : ownable(before), ownable(after));
  if (isEmpty(changed) && isEmpty(removed)) return writeEntries(entries);
  const own = entries.find((entry) => isSame(entry, writer));
  const others = entries
    .filter((entry) => entry !== own)
    .map((entry) => ({ ...entry, fields: without(entry.fields, union(changed, removed)) }));
  const fields = union(without(own?.fields ?? emptySet(), removed), changed);
  return writeEntries([...others, { ...writer, fields }]);
}

/** A client empties managedFields by sending an empty list, or one empty entry. */
function isReset(after: JsonObject, before: JsonObject | undefined): boolean {
  const sent = objectAt(after, "metadata")["managedFields"];
  if (before === undefined || !Array.isArray(sent)) return false;
  return sent.length === 0 || deepEqual(sent, [{}]);
}

const without = (set: FieldSet, gone: FieldSet) => difference(difference(set, gone), within(set, gone));

export interface ApplyResult {
  /** The merged object, still without managedFields. */
  readonly object: JsonObject;
  /** managedFields once `object` is what is written. */
  readonly managedFields: JsonObject[];
}

/** Server-side apply of `config` onto `live`. Throws 409 with causes when other managers own what would change. */
export function applyConfiguration(
  schema: Schema,
  live: JsonObject | undefined,
  config: JsonObject,
  options: { readonly writer: FieldWriter; readonly force: boolean },
): ApplyResult {
  const { writer, force } = options;
  let entries = readEntries(live);
  if (live !== undefined && entries.length === 0) {
    const first: FieldWriter = { ...writer, manager: "before-first-apply", operation: "Update", subresource: "" };
    entries = [{ ...first, fields: fieldsOf(schema, ownable(live)) }];
  }
  const own = entries.find((entry) => isSame(entry, writer));
  const others = entries.filter((entry) => entry !== own);
  const now = fieldsOf(schema, ownable(config));
  const base = live ?? {};
  const merged = mergeTyped(schema, base, config) as JsonObject;
  const held = others.reduce((sum, entry) => union(sum, entry.fields), emptySet());
  const object = prune(schema, merged, { last: own?.fields ?? emptySet(), now, others: held }) as JsonObject;
  const { changed, removed } = compare(schema, ownable(base), ownable(object));
  if (!force) refuseConflicts(others, intersection(changed, now));
  const kept = others.map((entry) => ({ ...entry, fields: without(entry.fields, union(changed, removed)) }));
  const unchanged = own !== undefined && deepEqual(toFieldsV1(own.fields), toFieldsV1(now)) && isEmpty(changed);
  return {
    object,
    managedFields: writeEntries([...kept, { ...writer, time: unchanged ? own.time : writer.time, fields: now }]),
  };
}

function refuseConflicts(others: readonly Entry[], changed: FieldSet): void {
  const conflicts = others.flatMap((entry) => {
    const fields = paths(intersection(entry.fields, changed));
    const door = entry.subresource === "" ? "" : ` with subresource "${entry.subresource}"`;
    // Who applies is known by name alone, in whichever version.
    const version = entry.operation === "Update" ? ` using ${entry.apiVersion}` : "";
    return fields.length === 0 ? [] : [{ by: `"${entry.manager}"${door}${version}`, fields }];
  });
  const causes = conflicts.flatMap(({ by, fields }) =>
    fields.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${by}`, field })),
  );
  const [first] = causes;
  if (first === undefined) return;
  const text =
    causes.length === 1
      ? `1 conflict: ${first.message}: ${first.field}`
      : `${causes.length} conflicts: ${conflicts.map(conflictText).join("\n")}`;
  throw new ApiStatusError(409, "Conflict", `Apply failed with ${text}`, { causes });
}

const conflictText = ({ by, fields }: { readonly by: string; readonly fields: readonly string[] }) =>
  `conflicts with ${by}:\n${fields.map((field) => `- ${field}`).join("\n")}`;
