// CustomResourceDefinitions get their names and become kinds as soon as they are written; a deleted one stays until its
// objects are gone.
import type { Logger } from "#base/logger";
import { type EngineParts, timestamp } from "../api-context.ts";
import { trackUpdate } from "../apply/managed-fields.ts";
import { SERVER } from "../bootstrap-objects.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, deepEqual, objectAt, stringAt } from "../json.ts";
import { deleteOptions } from "../operations/delete-options.ts";
import { deleteObject } from "../operations/remove-object.ts";
import { resourceKey } from "../resource-kind.ts";
import { withApproval } from "./api-approval.ts";
import { registerApiServices } from "./api-services.ts";
import { kindsOf } from "./custom-kinds.ts";
import { isTrue, withCondition } from "./definition-conditions.ts";
import { withEstablished, withNames } from "./definition-names.ts";
import { CLEANUP } from "./definition-strategy.ts";

const KEY = "apiextensions.k8s.io/customresourcedefinitions";

/** Serves the kinds of every definition from now on. Returns the unsubscriber. */
export function watchDefinitions(parts: EngineParts, logger: Logger): () => void {
  const subscriptions = new Map<string, () => void>();
  const unsubscribe = parts.store.subscribe(({ type, object }) => {
    const name = stringAt(object, "metadata", "name");
    if (type === "DELETED") {
      subscriptions.get(name)?.();
      subscriptions.delete(name);
      parts.registry.setCustom(name, []);
      registerApiServices(parts);
      logger.info({ definition: name }, "custom resource removed");
      // Its names are free now: others of the group may have waited for them.
      for (const other of groupOf(parts, object)) settle(parts, other);
      return;
    }
    parts.registry.setCustom(name, kindsOf(object));
    registerApiServices(parts);
    if (settle(parts, object) || !isDeleted(object)) return;
    if (!subscriptions.has(name)) {
      const retry = () => cleanUp(parts, name);
      subscriptions.set(name, parts.store.subscribe(retry, instanceKey(object)));
      void deleteInstances(parts, object).catch((error: unknown) => {
        logger.error({ definition: name, error }, "objects of a deleted definition could not be deleted");
      });
    }
  }, KEY);
  return () => {
    unsubscribe();
    for (const end of subscriptions.values()) end();
  };
}

const isDeleted = (definition: JsonObject) => stringAt(definition, "metadata", "deletionTimestamp") !== "";

const instanceKey = (definition: JsonObject) =>
  resourceKey(stringAt(definition, "spec", "group"), stringAt(definition, "spec", "names", "plural"));

const groupOf = (parts: EngineParts, definition: JsonObject) =>
  parts.store.list(KEY).filter((other) => objectAt(other, "spec")["group"] === objectAt(definition, "spec")["group"]);

/** Brings the status one step further; true when it wrote. Each step is an event of its own, as clients know them. */
function settle(parts: EngineParts, definition: JsonObject): boolean {
  const now = timestamp(parts.now());
  const steps = [
    () => withApproval(definition, now),
    () => withNames(definition, groupOf(parts, definition), now),
    () => withEstablished(definition, now),
  ];
  for (const step of steps) {
    const next = step();
    if (next === definition || deepEqual(next, definition)) continue;
    writeStatus(parts, definition, next);
    return true;
  }
  return false;
}

function writeStatus(parts: EngineParts, before: JsonObject, after: JsonObject): void {
  const next = structuredClone(after);
  const kind = parts.registry.find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  if (kind !== undefined) {
    objectAt(next, "metadata")["managedFields"] = trackUpdate(kind.schema, before, next, {
      manager: SERVER.fieldManager,
      operation: "Update",
      apiVersion: "apiextensions.k8s.io/v1",
      subresource: "status",
      time: timestamp(parts.now()),
    });
  }
  parts.store.commit(KEY, "MODIFIED", next);
}

/** Deletes the objects of a deleted definition as requests would, finalizers and all. */
async function deleteInstances(parts: EngineParts, definition: JsonObject): Promise<void> {
  // Whoever deleted gets the answer first.
  await Promise.resolve();
  const name = stringAt(definition, "metadata", "name");
  const progress = {
    type: "Terminating",
    status: "True",
    reason: "InstanceDeletionInProgress",
    message: "CustomResource deletion is in progress",
  } as const;
  const current = parts.store.get(KEY, "", name);
  if (current === undefined) return;
  writeStatus(parts, current, withCondition(current, progress, timestamp(parts.now())));
  const [kind] = parts.registry.kinds().filter(({ custom }) => custom?.definition === name);
  if (kind !== undefined && isTrue(current, "Established")) {
    for (const object of parts.store.list(instanceKey(current))) {
      const target = {
        namespace: stringAt(object, "metadata", "namespace"),
        name: stringAt(object, "metadata", "name"),
        subresource: "",
      };
      const options = deleteOptions({}, new URLSearchParams());
      await deleteObject({ ...parts, admission: [] }, kind, { target, context: SERVER, options }).catch(() => {
        // Somebody else was faster, or its finalizers keep it: the last one to go is waited for.
      });
    }
  }
  cleanUp(parts, name);
}

/** Lets go of a deleted definition once no object of it is left. */
function cleanUp(parts: EngineParts, name: string): void {
  const definition = parts.store.get(KEY, "", name);
  if (definition === undefined || !isDeleted(definition)) return;
  if (parts.store.list(instanceKey(definition)).length > 0) return;
  const next = structuredClone(definition);
  const metadata = objectAt(next, "metadata");
  const others = arrayAt(metadata, "finalizers").filter((finalizer) => finalizer !== CLEANUP);
  if (others.length === 0) parts.store.commit(KEY, "DELETED", next);
  else if (others.length < arrayAt(metadata, "finalizers").length) {
    metadata["finalizers"] = others;
    parts.store.commit(KEY, "MODIFIED", next);
  }
}
