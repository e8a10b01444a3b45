// What a CustomResourceDefinition does beyond its schema when it is made, changed and deleted.
import type { JsonObject } from "../contract.ts";
import { arrayAt, ensureObject, isObject, objectAt, objectsAt, stringAt } from "../json.ts";
import { withCondition } from "./definition-conditions.ts";

/** Keeps a deleted definition until its objects are gone. */
export const CLEANUP = "customresourcecleanup.apiextensions.k8s.io";

export function prepareDefinition(definition: JsonObject): void {
  definition["status"] = { conditions: null, acceptedNames: { plural: "", kind: "" }, storedVersions: [] };
  rememberStorage(definition);
}

/** In place: a default of null is none. */
function dropNullDefaults(schema: JsonObject): void {
  for (const key of ["default", "example"]) if (schema[key] === null) delete schema[key];
  const single = ["items", "additionalProperties", "not"].map((key) => schema[key]).filter(isObject);
  const lists = ["allOf", "anyOf", "oneOf"].flatMap((key) => objectsAt(schema, key));
  const fields = Object.values(objectAt(schema, "properties")).filter(isObject);
  for (const child of [...single, ...lists, ...fields]) dropNullDefaults(child);
}

/** A version in which objects may lie is remembered. */
export function rememberStorage(definition: JsonObject): void {
  for (const version of objectsAt(definition, "spec", "versions"))
    dropNullDefaults(objectAt(version, "schema", "openAPIV3Schema"));
  const storage = objectsAt(definition, "spec", "versions").find((version) => version["storage"] === true);
  const name = stringAt(storage, "name");
  const status = ensureObject(definition, "status");
  // Kubernetes says null until its controllers have looked at it.
  if (status["conditions"] === undefined) status["conditions"] = null;
  const stored = arrayAt(status, "storedVersions");
  if (name !== "" && !stored.includes(name)) status["storedVersions"] = [...stored, name];
}

/** The definition marked for deletion at a time. */
export function markDefinition(definition: JsonObject, now: string): JsonObject {
  const metadata = objectAt(definition, "metadata");
  const finalizers = arrayAt(metadata, "finalizers");
  const kept = finalizers.includes(CLEANUP) ? finalizers : [...finalizers, CLEANUP];
  const pending = {
    type: "Terminating",
    status: "True",
    reason: "InstanceDeletionPending",
    message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
  } as const;
  return withCondition({ ...definition, metadata: { ...metadata, finalizers: kept } }, pending, now);
}
