// Completions and rules of single kinds.
import type { JsonObject } from "../contract.ts";
import { ensureObject, isObject, stringAt } from "../json.ts";

/** The label by which selectors name a namespace; a new one is active. */
export function prepareNamespace(namespace: JsonObject, old?: JsonObject): void {
  const metadata = ensureObject(namespace, "metadata");
  ensureObject(metadata, "labels")["kubernetes.io/metadata.name"] = stringAt(metadata, "name");
  if (old !== undefined) return;
  namespace["status"] = { phase: "Active" };
  // Taken away by the namespace controller, through `finalize`, when nothing is left inside.
  ensureObject(namespace, "spec")["finalizers"] = ["kubernetes"];
}

/** Plain text that was given becomes data. */
export function prepareSecret(secret: JsonObject): void {
  const plain = secret["stringData"];
  if (isObject(plain)) {
    const data = ensureObject(secret, "data");
    for (const [key, value] of Object.entries(plain)) data[key] = Buffer.from(String(value)).toString("base64");
  }
  delete secret["stringData"];
}
