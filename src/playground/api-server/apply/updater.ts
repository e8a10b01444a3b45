// What a change of an object does to the sets of fields of its managers: the rules of structured merge.
import { ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { deepEqual, isObject } from "../json.ts";
import type { Type } from "./atoms.ts";
import { type Comparison, compare } from "./compare-typed.ts";
import { type Conflict, conflictError } from "./conflicts.ts";
import {
  difference,
  emptySet,
  type FieldSet,
  intersection,
  isEmpty,
  recursiveDifference,
  union,
  withNamedFields,
} from "./field-set.ts";
import { fieldsOf } from "./fields-of.ts";
import { dropEmpty, type FieldWriter, identify, type Managers } from "./managers.ts";
import { mergeTyped, removeItems } from "./merge-typed.ts";

/** One version of a kind. */
export interface Version {
  readonly type: Type;
  /** Fields that a write through this door never changes. */
  readonly reset: FieldSet;
  /** An object, in the version of the request, as this version has it. */
  show(object: JsonObject): JsonObject;
  /** The way back. */
  read(object: JsonObject): JsonObject;
}

/** The versions of a kind by apiVersion; undefined for one that is not served any more. */
export type Versions = (apiVersion: string) => Version | undefined;

export interface Change {
  readonly versions: Versions;
  /** The version of the request. */
  readonly own: Version;
  readonly before: JsonObject;
  readonly after: JsonObject;
}

function compared({ type, reset, show }: Version, { before, after }: Change): Comparison {
  const found = compare(
    type,
    show(before),
    worded("failed to convert new object: ", () => show(after)),
  );
  if (isEmpty(reset)) return found;
  return {
    added: recursiveDifference(found.added, reset),
    modified: recursiveDifference(found.modified, reset),
    removed: recursiveDifference(found.removed, reset),
  };
}

/** A refusal with words before its own. */
function worded<T>(words: string, run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    if (!(thrown instanceof ApiStatusError)) throw thrown;
    throw new ApiStatusError(thrown.code, "", words + thrown.message);
  }
}

/** Throws for an object that the version of a manager cannot show. */
function checkVersions(managers: Managers, { versions, before }: Omit<Change, "after">): void {
  for (const apiVersion of new Set([...managers.values()].map((entry) => entry.apiVersion)))
    versions(apiVersion)?.show(before);
}

interface Taking {
  readonly self: string;
  readonly force: boolean;
  /** Which conflicts count. */
  readonly counting?: (conflicts: readonly Conflict[]) => readonly Conflict[];
}

/** Takes from all managers but `self` what changed. Throws 409 for what others own unless forced. */
function takeChanges(managers: Managers, change: Change, how: Taking): void {
  const known = new Map<string, Comparison>();
  const conflicts: (Conflict & { readonly removed: FieldSet })[] = [];
  for (const [id, entry] of managers) {
    if (id === how.self) continue;
    const version = change.versions(entry.apiVersion);
    if (version === undefined) {
      managers.delete(id);
      continue;
    }
    const found = known.get(entry.apiVersion) ?? compared(version, change);
    known.set(entry.apiVersion, found);
    const fields = intersection(entry.fields, union(found.modified, found.added));
    conflicts.push({ id, by: entry, fields, removed: found.removed });
  }
  const all = conflicts.filter(({ fields }) => !isEmpty(fields));
  const refused = how.force || all.length === 0 ? [] : (how.counting?.(all) ?? all);
  if (refused.length > 0) throw conflictError(refused);
  for (const { id, fields, removed } of conflicts) {
    const entry = managers.get(id);
    if (entry !== undefined)
      managers.set(id, { ...entry, fields: difference(difference(entry.fields, fields), removed) });
  }
  dropEmpty(managers);
}

/** The managers after a write that is no apply; true when the writer owns something new. */
export function updateManagers(managers: Managers, change: Change, writer: FieldWriter): boolean {
  checkVersions(managers, change);
  takeChanges(managers, change, { self: "", force: true });
  const { modified, added } = compared(change.own, change);
  const fields = difference(union(modified, added), NOBODYS);
  if (isEmpty(fields)) return false;
  const id = identify(writer);
  const previous = managers.get(id);
  managers.set(id, { ...writer, fields: previous === undefined ? fields : union(fields, previous.fields) });
  return true;
}

export interface Applied {
  /** The merged object; undefined when the live one has all of it already. */
  readonly object: JsonObject | undefined;
}

interface Request extends Omit<Taking, "self"> {
  readonly config: JsonObject;
  readonly writer: FieldWriter;
}

/** Merges `config` into `change.before`. The managers are changed in place. Throws 409 for conflicts. */
export function applyManagers(managers: Managers, change: Omit<Change, "after">, request: Request): Applied {
  const { config, writer, ...how } = request;
  const { own, before: live } = change;
  checkVersions(managers, change);
  const id = identify(writer);
  const last = managers.get(id);
  const fields = recursiveDifference(fieldsOf(own.type, config), own.reset);
  managers.set(id, { ...writer, time: last?.time ?? "", fields });
  const merged = asObject(mergeTyped(own.type, live, config));
  const object = worded("failed to prune fields: ", () => prune(merged, managers, { change, last }));
  takeChanges(managers, { ...change, after: object }, { self: id, ...how });
  const entry = managers.get(id);
  if (entry !== undefined) {
    const left = difference(entry.fields, NOBODYS);
    if (isEmpty(left)) managers.delete(id);
    else managers.set(id, { ...entry, fields: left });
  }
  if (deepEqual(live, object)) return { object: undefined };
  const kept = managers.get(id);
  if (kept !== undefined) managers.set(id, { ...kept, time: writer.time });
  return { object };
}

const asObject = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});

interface Pruning {
  readonly change: Omit<Change, "after">;
  readonly last: { readonly apiVersion: string; readonly fields: FieldSet } | undefined;
}

/** Without what the manager applied before, does not apply now, and nobody else owns. */
function prune(merged: JsonObject, managers: Managers, { change, last }: Pruning): JsonObject {
  const version = last === undefined || isEmpty(last.fields) ? undefined : change.versions(last.apiVersion);
  if (version === undefined || last === undefined) return merged;
  const shown = worded("failed to convert merged object to last applied version: ", () => version.show(merged));
  const without = asObject(removeItems(version.type, shown, withNamedFields(last.fields, version.type)));
  const owned = addOwned(shown, without, managers, { versions: change.versions, first: last.apiVersion });
  return version.read(addDangling(shown, owned, { type: version.type, fields: last.fields }));
}

/** Puts back what other managers, or the new configuration, own. */
function addOwned(
  merged: JsonObject,
  pruned: JsonObject,
  managers: Managers,
  { versions, first }: { readonly versions: Versions; readonly first: string },
): JsonObject {
  const owned = new Map<string, FieldSet>([[first, emptySet()]]);
  for (const { apiVersion, fields } of managers.values()) {
    owned.set(apiVersion, union(owned.get(apiVersion) ?? emptySet(), fields));
  }
  const home = versions(first);
  let left = pruned;
  for (const [apiVersion, fields] of owned) {
    const version = versions(apiVersion);
    if (version === undefined || home === undefined) continue;
    const [all, some] = [merged, left].map((object) => version.show(home.read(object)));
    if (all === undefined || some === undefined) continue;
    const named = (set: FieldSet) => withNamedFields(set, version.type);
    const stays = union(named(fieldsOf(version.type, some)), named(fields));
    const gone = difference(named(fieldsOf(version.type, all)), stays);
    left = home.show(version.read(asObject(removeItems(version.type, all, gone))));
  }
  return left;
}

/** Puts back what was never this manager's: fields that nobody owns. */
function addDangling(
  merged: JsonObject,
  pruned: JsonObject,
  { type, fields }: { readonly type: Type; readonly fields: FieldSet },
): JsonObject {
  const named = (set: FieldSet) => withNamedFields(set, type);
  const gone = difference(named(fieldsOf(type, merged)), named(fieldsOf(type, pruned)));
  return asObject(removeItems(type, merged, intersection(gone, named(fields))));
}

/** Fields that identify or belong to the server; nobody owns them. */
const NOBODYS: FieldSet = nobodys();

function nobodys(): FieldSet {
  const member = (): FieldSet => ({ member: true, children: new Map() });
  const names = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
  ];
  const metadata: FieldSet = { member: true, children: new Map(names.map((name) => [`f:${name}`, member()])) };
  return {
    member: false,
    children: new Map([
      ["f:apiVersion", member()],
      ["f:kind", member()],
      ["f:metadata", metadata],
    ]),
  };
}
