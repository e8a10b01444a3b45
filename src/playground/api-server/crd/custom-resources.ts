// CustomResourceDefinitions become kinds as soon as they are written, and stop being kinds when they go.
import type { Logger } from "#base/logger";
import { type EngineParts, timestamp } from "../api-context.ts";
import type { JsonObject } from "../contract.ts";
import { deepEqual, objectAt, objectsAt, stringAt } from "../json.ts";
import { resourceKey } from "../resource-kind.ts";
import { kindsOf } from "./custom-kinds.ts";

const KEY = "apiextensions.k8s.io/customresourcedefinitions";

/** Serves the kinds of every definition from now on. Returns the unsubscriber. */
export function watchDefinitions(parts: EngineParts, logger: Logger): () => void {
  return parts.store.subscribe(({ type, object }) => {
    const name = stringAt(object, "metadata", "name");
    if (type === "DELETED") {
      removeObjects(parts, object);
      parts.registry.setCustom(name, []);
      logger.info({ definition: name }, "custom resource removed");
      return;
    }
    parts.registry.setCustom(name, kindsOf(object));
    establish(parts, object);
  }, KEY);
}

/** Kubernetes deletes the objects before the definition goes; watchers see them go here too. */
function removeObjects(parts: EngineParts, definition: JsonObject): void {
  const key = resourceKey(stringAt(definition, "spec", "group"), stringAt(definition, "spec", "names", "plural"));
  for (const object of parts.store.list(key)) parts.store.commit(key, "DELETED", object);
}

/** Writes the status that clients wait for: names accepted, established, versions that hold objects. */
function establish(parts: EngineParts, definition: JsonObject): void {
  const now = timestamp(parts.now());
  const known = objectsAt(definition, "status", "conditions");
  const condition = (type: string, reason: string, message: string): JsonObject =>
    known.find((one) => one["type"] === type) ?? { type, status: "True", reason, message, lastTransitionTime: now };
  const stored = objectsAt(definition, "spec", "versions").filter((version) => version["storage"] === true);
  const status: JsonObject = {
    acceptedNames: structuredClone(objectAt(definition, "spec", "names")),
    conditions: [
      condition("NamesAccepted", "NoConflicts", "no conflicts found"),
      condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ],
    storedVersions: stored.map((version) => stringAt(version, "name")),
  };
  if (deepEqual(definition["status"], status)) return;
  const next = structuredClone(definition);
  next["status"] = status;
  parts.store.commit(KEY, "MODIFIED", next);
}
