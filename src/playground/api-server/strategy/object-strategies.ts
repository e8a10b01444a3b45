// Completions and rules of single kinds.
import type { JsonObject } from "../contract.ts";
import { ensureObject, isObject, objectAt, stringAt } from "../json.ts";

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

/** A Job selects its pods by its own uid. */
export function prepareJob(job: JsonObject): void {
  const spec = objectAt(job, "spec");
  if (spec["manualSelector"] === true) return;
  const own = {
    "batch.kubernetes.io/controller-uid": stringAt(job, "metadata", "uid"),
    "batch.kubernetes.io/job-name": stringAt(job, "metadata", "name"),
  };
  spec["selector"] = {
    matchLabels: { "batch.kubernetes.io/controller-uid": own["batch.kubernetes.io/controller-uid"] },
  };
  const template = objectAt(spec, "template");
  const labels = ensureObject(ensureObject(template, "metadata"), "labels");
  Object.assign(labels, own, {
    "controller-uid": own["batch.kubernetes.io/controller-uid"],
    "job-name": own["batch.kubernetes.io/job-name"],
  });
}
