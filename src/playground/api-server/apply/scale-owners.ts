// managedFields of an object as its scale shows them, and back: whoever owns the replicas of one owns those of the other.
import type { JsonObject } from "../contract.ts";
import { difference, type FieldSet, isEmpty, setOf } from "./field-set.ts";
import { type Managers, readManagers, writeManagers } from "./managers.ts";

export const SCALE_VERSION = "autoscaling/v1";

/** Where an object keeps its replicas in a version; undefined for a version nobody knows, null where it has none. */
export type ReplicasPath = (apiVersion: string) => readonly string[] | null | undefined;

const REPLICAS = ["spec", "replicas"];

function has(set: FieldSet, path: readonly string[]): boolean {
  const found = path.reduce<FieldSet | undefined>((node, step) => node?.children.get(`f:${step}`), set);
  return found?.member === true;
}

/** What the scale of `parent` shows. */
export function scaleOwners(parent: JsonObject, replicas: ReplicasPath): JsonObject[] {
  const shown: Managers = new Map();
  for (const [id, entry] of readManagers(parent) ?? []) {
    const path = replicas(entry.apiVersion);
    if (path === null || path === undefined || !has(entry.fields, path)) continue;
    shown.set(id, { ...entry, apiVersion: SCALE_VERSION, fields: setOf(REPLICAS) });
  }
  return writeManagers(shown);
}

/** managedFields of `parent` once its scale has those in `scale`. Kubernetes notes no time for what came through it. */
export function parentOwners(
  parent: JsonObject,
  scale: JsonObject,
  { apiVersion, replicas }: { readonly apiVersion: string; readonly replicas: ReplicasPath },
): JsonObject[] {
  const before: Managers = readManagers(parent) ?? new Map();
  const scaled: Managers = readManagers(scale) ?? new Map();
  const after = new Map<string, Parameters<Managers["set"]>[1]>();
  for (const [id, entry] of before) {
    const path = replicas(entry.apiVersion);
    if (path === undefined) continue;
    if (path === null || !has(entry.fields, path)) after.set(id, entry);
    else if (scaled.delete(id)) after.set(id, entry);
    else {
      const fields = difference(entry.fields, setOf(path));
      if (!isEmpty(fields)) after.set(id, { ...entry, fields });
    }
  }
  const own = replicas(apiVersion);
  for (const [id, entry] of scaled) {
    if (!has(entry.fields, REPLICAS) || own === null || own === undefined) continue;
    after.set(id, { ...entry, apiVersion, fields: setOf(own), time: before.get(id)?.time ?? "" });
  }
  return writeManagers(after);
}
