// How an object that `kubectl apply` used to keep by itself comes under server-side apply: what its annotation says was
// applied is no conflict for the manager "kubectl", and the annotation is kept up to date.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject, objectAt, stringAt } from "../json.ts";
import { compare } from "./compare-typed.ts";
import type { Conflict } from "./conflicts.ts";
import { difference, type FieldSet, isEmpty, union } from "./field-set.ts";
import { fieldsOf } from "./fields-of.ts";
import { goJson } from "./list-items.ts";
import type { Version } from "./updater.ts";
import { typeFaults } from "./validate-typed.ts";

const ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";
export const KUBECTL = "kubectl";
/** Bytes of all annotations together. */
const MOST_BYTES = 256 * 1024;

/** The conflicts that stay when `kubectl` applies to an object that it kept by its annotation. */
export function conflictsLeft(live: JsonObject, version: Version, conflicts: readonly Conflict[]): readonly Conflict[] {
  const own = lastApplied(live, version);
  if (own === undefined) return conflicts;
  return conflicts.flatMap((conflict) => {
    const fields = difference(conflict.fields, own);
    return isEmpty(fields) ? [] : [{ ...conflict, fields }];
  });
}

/** What the annotation says was applied and is still so. */
function lastApplied(live: JsonObject, { type }: Version): FieldSet | undefined {
  const text = stringAt(live, "metadata", "annotations", ANNOTATION);
  const config = text === "" ? undefined : parsed(text);
  if (!isObject(config) || stringAt(config, "apiVersion") !== stringAt(live, "apiVersion")) return undefined;
  if (stringAt(config, "kind") !== stringAt(live, "kind") || typeFaults(type, config) !== undefined) return undefined;
  const { added, modified, removed } = compare(type, config, live);
  return difference(fieldsOf(type, config), union(union(added, modified), removed));
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // Whatever wrote it, it says nothing of what was applied.
    return undefined;
  }
}

/** The object with the annotation telling of `config`, if it has one. */
export function withLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const metadata = objectAt(object, "metadata");
  const annotations = objectAt(metadata, "annotations");
  if (stringAt(annotations, ANNOTATION) === "") return object;
  const next: JsonObject = { ...annotations, [ANNOTATION]: `${goJson(sortedKeys(withoutAnnotation(config)))}\n` };
  const size = Object.entries(next).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + String(value)), 0);
  if (size > MOST_BYTES) delete next[ANNOTATION];
  return { ...object, metadata: { ...metadata, annotations: next } };
}

function withoutAnnotation(config: JsonObject): JsonObject {
  const given = objectAt(config, "metadata")["annotations"];
  if (!isObject(given)) return config;
  const { [ANNOTATION]: _, ...annotations } = given;
  return { ...config, metadata: { ...objectAt(config, "metadata"), annotations } };
}

function sortedKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, child]) => [key, sortedKeys(child)]));
}
