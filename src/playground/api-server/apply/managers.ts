// metadata.managedFields as a table: who owns which fields in which version, read and written as Kubernetes does.
import type { JsonObject } from "../contract.ts";
import { arrayAt, deepEqual, isObject, objectAt, stringAt } from "../json.ts";
import { type FieldSet, fromFieldsV1, isEmpty, toFieldsV1, union } from "./field-set.ts";

export interface FieldWriter {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  /** "" for the object itself. */
  readonly subresource: string;
  /** RFC 3339, whole seconds; "" when none is noted. */
  readonly time: string;
}

export interface Entry extends FieldWriter {
  readonly fields: FieldSet;
}

/** By what identifies a manager: see `identify`. */
export type Managers = Map<string, Entry>;

/** The oldest writers by update are folded into one beyond this number. */
const MOST_UPDATERS = 10;

/** Who applies is known by name alone, in whichever version. The text also orders the managers of a conflict. */
export function identify({ manager, operation, apiVersion, subresource }: FieldWriter): string {
  return JSON.stringify({
    ...(manager === "" ? {} : { manager }),
    operation,
    ...(operation === "Update" ? { apiVersion } : {}),
    ...(subresource === "" ? {} : { subresource }),
  });
}

/** The table that an object carries; undefined when it makes no sense. */
export function readManagers(object: JsonObject | undefined): Managers | undefined {
  if (object === undefined || ownersFault(object) !== undefined) return object === undefined ? new Map() : undefined;
  const managers: Managers = new Map();
  for (const entry of arrayAt(object, "metadata", "managedFields")) {
    const read: Entry = {
      manager: stringAt(entry, "manager"),
      operation: stringAt(entry, "operation") === "Apply" ? "Apply" : "Update",
      apiVersion: stringAt(entry, "apiVersion"),
      subresource: stringAt(entry, "subresource"),
      time: stringAt(entry, "time"),
      fields: fromFieldsV1(objectAt(entry, "fieldsV1")),
    };
    managers.set(identify(read), read);
  }
  return managers;
}

/** What makes no sense in an object's managedFields. */
export function ownersFault(object: JsonObject): string | undefined {
  for (const [index, entry] of arrayAt(object, "metadata", "managedFields").entries()) {
    const operation = stringAt(entry, "operation");
    if (operation !== "Apply" && operation !== "Update") return "operation must be `Apply` or `Update`";
    if (stringAt(entry, "apiVersion") === "") return "apiVersion must not be empty";
    const type = stringAt(entry, "fieldsType");
    if (type === "") return `missing fieldsType in managed fields entry ${index}`;
    if (type !== "FieldsV1") return `invalid fieldsType ${JSON.stringify(type)} in managed fields entry ${index}`;
  }
  return undefined;
}

/** A client empties managedFields by sending an empty list, or one empty entry. */
export function isReset(object: JsonObject): boolean {
  const sent = objectAt(object, "metadata")["managedFields"];
  if (!Array.isArray(sent)) return false;
  return sent.length === 0 || (sent.length === 1 && isObject(sent[0]) && deepEqual(sent[0], {}));
}

export function writeManagers(managers: Managers): JsonObject[] {
  return [...managers.values()].sort(inOrder).map((entry) => ({
    apiVersion: entry.apiVersion,
    fieldsType: "FieldsV1",
    fieldsV1: toFieldsV1(entry.fields),
    ...(entry.manager === "" ? {} : { manager: entry.manager }),
    operation: entry.operation,
    ...(entry.subresource === "" ? {} : { subresource: entry.subresource }),
    ...(entry.time === "" ? {} : { time: entry.time }),
  }));
}

/** Appliers first, then by time. Without an order, applying the same again would only move an entry. */
function inOrder(a: FieldWriter, b: FieldWriter): number {
  const key = (writer: FieldWriter) =>
    [writer.operation, writer.time, writer.manager, writer.apiVersion, writer.subresource].join("\u0000");
  return key(a) < key(b) ? -1 : 1;
}

/** Takes out managers that own nothing any more. */
export function dropEmpty(managers: Managers): void {
  for (const [id, entry] of managers) if (isEmpty(entry.fields)) managers.delete(id);
}

/** Folds the oldest writers by update of each version into one, until few enough are left. */
export function foldOldUpdaters(managers: Managers): void {
  const updaters = [...managers].filter(([, entry]) => entry.operation === "Update");
  let left = updaters.length;
  updaters.sort(([a, one], [b, other]) =>
    one.time === other.time ? (a < b ? -1 : 1) : one.time < other.time ? -1 : 1,
  );
  const firsts = new Map<string, string>();
  for (const [id, entry] of updaters) {
    if (left <= MOST_UPDATERS) return;
    const { apiVersion } = entry;
    const first = firsts.get(apiVersion);
    if (first === undefined) {
      firsts.set(apiVersion, id);
      continue;
    }
    const bucket: FieldWriter = { ...entry, manager: "ancient-changes", subresource: "" };
    const key = identify(bucket);
    const oldest = managers.get(key) ?? managers.get(first);
    if (!managers.has(key)) managers.delete(first);
    const fields = oldest === undefined ? entry.fields : union(entry.fields, oldest.fields);
    managers.delete(id);
    managers.set(key, { ...bucket, fields });
    left--;
  }
}
