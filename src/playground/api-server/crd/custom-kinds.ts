import { createHash } from "node:crypto";
import type { JsonObject } from "../contract.ts";
import { arrayAt, isObject, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import type { CustomKind, PrinterColumn, ResourceKind, Subresource } from "../resource-kind.ts";
import type { Schema } from "../schema/schema.ts";
import { byPriority } from "../version-order.ts";
import { isTrue } from "./definition-conditions.ts";

const META: Readonly<Record<string, Schema>> = {
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "x-go-struct": true },
};

/** The kinds that a CustomResourceDefinition serves, one for each served version. */
export function kindsOf(definition: JsonObject): ResourceKind[] {
  const spec = objectAt(definition, "spec");
  // Served is what was accepted once; a definition that never was is nobody's kind.
  if (!isTrue(definition, "Established")) return [];
  const names = objectAt(definition, "status", "acceptedNames");
  const kind = stringAt(names, "kind");
  const versions = objectsAt(spec, "versions");
  const group = stringAt(spec, "group");
  const storage = versions.find((version) => version["storage"] === true) ?? versions[0];
  const shared = {
    group,
    kind,
    listKind: stringAt(names, "listKind") || `${kind}List`,
    plural: stringAt(names, "plural"),
    singular: stringAt(names, "singular") || kind.toLowerCase(),
    namespaced: stringAt(spec, "scope") !== "Cluster",
    shortNames: textsAt(names, "shortNames"),
    categories: textsAt(names, "categories"),
    verbs: VERBS,
    stored: true,
    storageVersionHash: storageVersionHash({ group, version: stringAt(storage, "name"), kind }),
    storedAs: { group, version: stringAt(storage, "name") },
  };
  return versions
    .filter((version) => version["served"] === true)
    .map((version) => ({
      ...shared,
      version: stringAt(version, "name"),
      ...subresourcesOf(kind, version),
      schema: resourceSchema(formsOf(definition).get(stringAt(version, "name")) ?? OPEN),
      custom: customOf(definition, version),
    }));
}

/** In the order in which Kubernetes lists them for custom resources. */
const VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const DOOR_VERBS = ["get", "patch", "update"];

function subresourcesOf(kind: string, version: JsonObject): Pick<ResourceKind, "subresources" | "subresourceRows"> {
  const given = objectAt(version, "subresources");
  const rows: Subresource[] = [];
  if (isObject(given["status"])) rows.push({ name: "status", kind, verbs: DOOR_VERBS });
  if (isObject(given["scale"])) {
    rows.push({ name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: DOOR_VERBS });
  }
  return { subresources: rows.map(({ name }) => name), subresourceRows: rows };
}

/** The first 8 bytes of a hash of the group, version and kind in which objects are kept. */
function storageVersionHash({ group, version, kind }: { group: string; version: string; kind: string }): string {
  const hash = createHash("sha256").update(`${group}/${version}/${kind}`).digest();
  return hash.subarray(0, 8).toString("base64");
}

const textsAt = (value: JsonObject, key: string) => arrayAt(value, key).map(String);

const resourceSchemas = new WeakMap<Schema, Schema>();

/** The schema of a resource from what its definition says: metadata is Kubernetes' own, whatever that says of it. */
export function resourceSchema(form: Schema): Schema {
  let schema = resourceSchemas.get(form);
  if (schema === undefined) {
    schema = { ...form, type: "object", properties: { ...form.properties, ...META } };
    resourceSchemas.set(form, schema);
  }
  return schema;
}

/** Objects of a version without a schema keep everything. */
const OPEN: Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

function deprecationOf(definition: JsonObject, version: JsonObject): string {
  if (version["deprecated"] !== true) return "";
  const kind = stringAt(definition, "spec", "names", "kind");
  const own = `${stringAt(definition, "spec", "group")}/${stringAt(version, "name")} ${kind}`;
  const given = stringAt(version, "deprecationWarning");
  if (given !== "") return given;
  const better = objectsAt(definition, "spec", "versions")
    .filter((one) => one["served"] === true && one["deprecated"] !== true)
    .map((one) => stringAt(one, "name"))
    .toSorted(byPriority)
    .find((name) => byPriority(name, stringAt(version, "name")) < 0);
  const use = better === undefined ? "" : `; use ${stringAt(definition, "spec", "group")}/${better} ${kind}`;
  return `${own} is deprecated${use}`;
}

const formsByDefinition = new WeakMap<JsonObject, ReadonlyMap<string, Schema>>();

/** Once for each state of a definition: what is known of a schema is remembered under its identity. */
function formsOf(definition: JsonObject): ReadonlyMap<string, Schema> {
  let forms = formsByDefinition.get(definition);
  if (forms === undefined) {
    forms = new Map(
      objectsAt(definition, "spec", "versions").map((version) => {
        const form = valueAt(version, "schema", "openAPIV3Schema");
        return [stringAt(version, "name"), isObject(form) ? (form as unknown as Schema) : OPEN];
      }),
    );
    formsByDefinition.set(definition, forms);
  }
  return forms;
}

function conversionOf(definition: JsonObject): Pick<CustomKind, "conversion"> {
  const given = objectAt(definition, "spec", "conversion");
  if (stringAt(given, "strategy") !== "Webhook") return {};
  const clientConfig = objectAt(given, "webhook", "clientConfig");
  const reviewVersions = arrayAt(given, "webhook", "conversionReviewVersions").map(String);
  return { conversion: { clientConfig, reviewVersions } };
}

function customOf(definition: JsonObject, version: JsonObject): CustomKind {
  const scale = valueAt(version, "subresources", "scale");
  const forms = formsOf(definition);
  return {
    definition: stringAt(definition, "metadata", "name"),
    form: forms.get(stringAt(version, "name")) ?? OPEN,
    forms,
    ...conversionOf(definition),
    deprecation: deprecationOf(definition, version),
    terminating: isTrue(definition, "Terminating"),
    columns: objectsAt(version, "additionalPrinterColumns") as unknown as PrinterColumn[],
    selectableFields: objectsAt(version, "selectableFields").map((field) =>
      stringAt(field, "jsonPath").replace(/^\./, ""),
    ),
    ...(isObject(scale)
      ? {
          scale: {
            specReplicasPath: stringAt(scale, "specReplicasPath"),
            statusReplicasPath: stringAt(scale, "statusReplicasPath"),
            labelSelectorPath: stringAt(scale, "labelSelectorPath"),
          },
        }
      : {}),
  };
}
