// Completions and rules of single kinds.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { deepEqual, ensureObject, isObject, objectAt, objectsAt, stringAt } from "../json.ts";

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

const NEEDED_KEYS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

export function secretRules(secret: JsonObject, old: JsonObject | undefined): FieldError[] {
  const data = objectAt(secret, "data");
  const errors = (NEEDED_KEYS[stringAt(secret, "type")] ?? [])
    .filter((key) => !Object.hasOwn(data, key))
    .map((key): FieldError => ({ field: `data[${key}]`, type: "FieldValueRequired", detail: "" }));
  if (stringAt(secret, "type") === "kubernetes.io/service-account-token") {
    const name =
      stringAt(secret, "metadata", "annotations") ||
      objectAt(secret, "metadata", "annotations")["kubernetes.io/service-account.name"];
    if (name === undefined || name === "") {
      errors.push({
        field: "metadata.annotations[kubernetes.io/service-account.name]",
        type: "FieldValueRequired",
        detail: "",
      });
    }
  }
  if (old?.["immutable"] === true && !deepEqual(old["data"], secret["data"])) {
    errors.push({ field: "data", type: "FieldValueForbidden", detail: "field is immutable when `immutable` is set" });
  }
  return errors;
}

const SERVICE_TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

export function serviceRules(service: JsonObject, old: JsonObject | undefined): FieldError[] {
  const spec = objectAt(service, "spec");
  const type = stringAt(spec, "type");
  const ports = objectsAt(spec, "ports");
  const errors: FieldError[] = [];
  if (!SERVICE_TYPES.includes(type)) {
    const detail = `supported values: ${SERVICE_TYPES.map((name) => JSON.stringify(name)).join(", ")}`;
    errors.push({ field: "spec.type", type: "FieldValueNotSupported", value: type, detail });
  }
  if (ports.length === 0 && type !== "ExternalName" && stringAt(spec, "clusterIP") !== "None") {
    errors.push({ field: "spec.ports", type: "FieldValueRequired", detail: "" });
  }
  if (type === "ExternalName" && stringAt(spec, "externalName") === "") {
    errors.push({ field: "spec.externalName", type: "FieldValueRequired", detail: "" });
  }
  errors.push(...ports.flatMap((port, index) => portRules(port, `spec.ports[${index}]`, ports.length > 1)));
  const former = stringAt(old, "spec", "clusterIP");
  const kept = stringAt(spec, "clusterIP");
  if (former !== "" && kept !== "" && kept !== former && type !== "ExternalName") {
    errors.push({
      field: "spec.clusterIPs[0]",
      type: "FieldValueInvalid",
      value: [kept],
      detail: "may not change once set",
    });
  }
  return errors;
}

function portRules(port: JsonObject, path: string, several: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const number = port["port"];
  if (typeof number !== "number" || number < 1 || number > 65535) {
    const detail = "must be between 1 and 65535, inclusive";
    errors.push({ field: `${path}.port`, type: "FieldValueInvalid", value: number ?? 0, detail });
  }
  if (several && stringAt(port, "name") === "")
    errors.push({ field: `${path}.name`, type: "FieldValueRequired", detail: "" });
  return errors;
}

/** Workloads: the selector must select the template's own labels. */
export function selectorRules(workload: JsonObject): FieldError[] {
  const labels = objectAt(workload, "spec", "template", "metadata", "labels");
  const wanted = objectAt(workload, "spec", "selector", "matchLabels");
  const selector = objectAt(workload, "spec", "selector");
  if (Object.keys(selector).length === 0) {
    const detail = "empty selector is invalid for deployment";
    return [{ field: "spec.selector", type: "FieldValueInvalid", value: selector, detail }];
  }
  if (Object.entries(wanted).every(([key, value]) => labels[key] === value)) return [];
  const detail = "`selector` does not match template `labels`";
  return [{ field: "spec.template.metadata.labels", type: "FieldValueInvalid", value: labels, detail }];
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

/** A definition is named after what it defines, and keeps its objects in exactly one version. */
export function definitionRules(definition: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const name = stringAt(definition, "metadata", "name");
  const wanted = `${stringAt(definition, "spec", "names", "plural")}.${stringAt(definition, "spec", "group")}`;
  if (name !== wanted) {
    const detail = `must be spec.names.plural+"."+spec.group`;
    errors.push({ field: "metadata.name", type: "FieldValueInvalid", value: name, detail });
  }
  const versions = objectsAt(definition, "spec", "versions");
  if (versions.filter((version) => version["storage"] === true).length !== 1) {
    const detail = "must have exactly one version marked as storage version";
    errors.push({ field: "spec.versions", type: "FieldValueInvalid", value: versions.length, detail });
  }
  for (const [index, version] of versions.entries()) {
    if (isObject(objectAt(version, "schema")["openAPIV3Schema"])) continue;
    const field = `spec.versions[${index}].schema.openAPIV3Schema`;
    errors.push({ field, type: "FieldValueRequired", detail: "schemas are required" });
  }
  return errors;
}
