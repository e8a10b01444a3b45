// The metadata of an object where nothing else of it is shown.
import type { JsonObject } from "../contract.ts";
import { objectAt } from "../json.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";

/** What an annotation tells only beside the whole object, since a real server adds it when it writes that. */
const ADDED: Readonly<Record<string, string>> = { "apps/daemonsets": "deprecated.daemonset.template.generation" };

export function shownMetadata(kind: ResourceKind, object: JsonObject): JsonObject {
  const metadata = objectAt(object, "metadata");
  const added = ADDED[storageKey(kind)];
  if (added === undefined) return metadata;
  const { annotations: _, ...others } = metadata;
  const { [added]: _added, ...annotations } = objectAt(metadata, "annotations");
  return Object.keys(annotations).length === 0 ? others : { ...others, annotations };
}

/** The annotations of an object of the kind that is written without anything in it, as a bookmark is. */
export function addedAnnotations(kind: ResourceKind): Readonly<Record<string, string>> {
  const added = ADDED[storageKey(kind)];
  return added === undefined ? {} : { [added]: "0" };
}

/** Whether nothing of it is left out for any object of the kind. */
export const showsAllMetadata = (kind: ResourceKind): boolean => ADDED[storageKey(kind)] === undefined;
