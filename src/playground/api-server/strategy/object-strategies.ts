// Completions and rules of single kinds.
import { randomUUID } from "node:crypto";
import type { JsonObject } from "../contract.ts";
import { ensureObject, objectsAt, stringAt } from "../json.ts";

/** A new namespace is active, and the namespace controller holds it, through `finalize`, until nothing is left inside. */
export function prepareNamespace(namespace: JsonObject): void {
  namespace["status"] = { phase: "Active" };
  ensureObject(namespace, "spec")["finalizers"] = ["kubernetes"];
}

export function prepareVolume(volume: JsonObject): void {
  const at = stringAt(volume, "metadata", "creationTimestamp");
  volume["status"] = { phase: "Pending", lastPhaseTransitionTime: at };
}

/** A LimitRange may come without a name. */
export function prepareLimitRange(range: JsonObject): void {
  const metadata = ensureObject(range, "metadata");
  if (stringAt(metadata, "name") === "") metadata["name"] = randomUUID();
}

/** Of its secrets a ServiceAccount knows the names only. */
export function keepNames(account: JsonObject): void {
  const secrets = objectsAt(account, "secrets");
  if (secrets.length > 0)
    account["secrets"] = secrets.map(({ name }): JsonObject => (typeof name === "string" ? { name } : {}));
}
