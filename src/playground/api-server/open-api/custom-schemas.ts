// Schemas of custom resources as OpenAPI tells of them. Old clients validate by v2, so that it may say no more than they
// understand: a value that may be null or have unknown fields has no type there.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { descriptionOf } from "./descriptions.ts";
import { V2_PREFIX, V3_PREFIX } from "./published-schemas.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const JUNCTORS = ["allOf", "oneOf", "anyOf", "not", "nullable", "default"];

/** `com.example.v1.Widget` */
export function customName({ group, version, kind }: Pick<ResourceKind, "group" | "version" | "kind">): string {
  return `${group.split(".").reverse().join(".")}.${version}.${kind}`;
}

const reference = (name: string, v2: boolean): JsonObject =>
  v2 ? { $ref: V2_PREFIX + name } : { allOf: [{ $ref: V3_PREFIX + name }] };

const CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

/** A field that every object has, with what is said of it in those that are built in. */
function fieldOf(definition: string, field: string, schema: JsonObject): JsonObject {
  const description = descriptionOf(definition, field);
  return description === undefined ? schema : { description, ...schema };
}

const typeMeta = (): JsonObject => ({
  apiVersion: fieldOf(POD, "apiVersion", { type: "string" }),
  kind: fieldOf(POD, "kind", { type: "string" }),
});
const identity = (v2: boolean): JsonObject => ({
  ...typeMeta(),
  metadata: fieldOf(POD, "metadata", reference(`${META}ObjectMeta`, v2)),
});
const POD = "io.k8s.api.core.v1.Pod";

const gvk = ({ group, version }: ResourceKind, kind: string): JsonObject => ({
  "x-kubernetes-group-version-kind": [{ group, kind, version }],
});

/** Schema of the objects of a custom kind. */
export function customSchema(kind: ResourceKind, v2: boolean): JsonObject {
  const form = kind.custom?.form as JsonObject | undefined;
  return { ...rootOf(form ?? {}, v2), ...gvk(kind, kind.kind), ...selectableFields(kind) };
}

function rootOf(form: JsonObject, v2: boolean): JsonObject {
  if (v2 && form["x-kubernetes-preserve-unknown-fields"] === true) return { type: "object" };
  const shown = shownIn(form, v2);
  const properties = isObject(shown["properties"]) ? shown["properties"] : {};
  return { ...shown, type: "object", properties: { ...properties, ...identity(v2) } };
}

function selectableFields({ custom }: ResourceKind): JsonObject {
  if (custom === undefined || custom.selectableFields.length === 0) return {};
  const fields = custom.selectableFields.map((fieldPath) => ({ fieldPath }));
  return { "x-kubernetes-selectable-fields": fields };
}

/** Schema of a list of them. */
export function customListSchema(kind: ResourceKind, v2: boolean): JsonObject {
  const items = { type: "array", items: { $ref: (v2 ? V2_PREFIX : V3_PREFIX) + customName(kind) } };
  return {
    description: `${kind.listKind} is a list of ${kind.kind}`,
    type: "object",
    required: ["items"],
    properties: {
      ...typeMeta(),
      items: { description: `List of ${kind.plural}. More info: ${CONVENTIONS}`, ...items },
      metadata: fieldOf(`${POD}List`, "metadata", reference(`${META}ListMeta`, v2)),
    },
    ...gvk(kind, kind.listKind),
    ...selectableFields(kind),
  };
}

/** What a definition may say without any effect. */
const NOT_TOLD = ["example", "externalDocs"];

const EITHER = [{ type: "integer" }, { type: "string" }];

/** That a value is a whole number or text is said by its alternatives too. */
function withAlternatives(schema: JsonObject): JsonObject {
  if (schema["x-kubernetes-int-or-string"] !== true) return { ...schema };
  const { anyOf, allOf } = schema;
  if (anyOf === undefined && !isEither(firstOf(allOf))) return { ...schema, anyOf: EITHER };
  if (isEither(schema) || isEither(firstOf(allOf))) return { ...schema };
  return { ...schema, allOf: [{ anyOf: EITHER }, ...(Array.isArray(allOf) ? allOf : [])] };
}

const firstOf = (list: JsonValue | undefined) => (Array.isArray(list) ? list[0] : undefined);
const isEither = (schema: JsonValue | undefined) =>
  isObject(schema) && JSON.stringify(schema["anyOf"]) === JSON.stringify(EITHER);

function shownIn(schema: JsonObject, v2: boolean): JsonObject {
  const told = without(schema, NOT_TOLD);
  const out = v2 ? simplified(told) : withAlternatives(told);
  for (const key of ["items", "additionalProperties"]) {
    const child = out[key];
    if (isObject(child)) out[key] = shownIn(child, v2);
  }
  if (isObject(out["properties"])) {
    const fields = Object.entries(out["properties"]);
    out["properties"] = Object.fromEntries(
      fields.map(([field, child]) => [field, isObject(child) ? shownIn(child, v2) : child]),
    );
  }
  return schema["x-kubernetes-embedded-resource"] === true ? embedded(out, v2) : out;
}

/** What is said of an object in a field, which is not sent to a server as one. */
const EMBEDDED_TYPE = {
  apiVersion: {
    description: `apiVersion defines the versioned schema of this representation of an object. More info: ${CONVENTIONS}#resources`,
    type: "string",
  },
  kind: {
    description: `kind is a string value representing the type of this object. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
    type: "string",
  },
};

/** A whole object in a field has what every object has, unless that would forbid unknown fields to a client of v2. */
function embedded(schema: JsonObject, v2: boolean): JsonObject {
  if (v2 && schema["x-kubernetes-preserve-unknown-fields"] === true) return schema;
  const own = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const missing = ["kind", "apiVersion"].filter((field) => !required.includes(field));
  const properties = { ...own, ...identity(v2), ...EMBEDDED_TYPE };
  return { ...schema, properties, required: [...required, ...missing] };
}

function simplified(schema: JsonObject): JsonObject {
  const out = without(schema, JUNCTORS);
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const nullable = schema["nullable"] === true;
  if (open || nullable) {
    delete out["items"];
    delete out["properties"];
  }
  const untyped = (out["type"] === "array" && out["items"] === undefined) || (open && out["type"] === "object");
  if (nullable || untyped) delete out["type"];
  return withRequired(out);
}

/** What may be null need not be there. */
function withRequired(schema: JsonObject): JsonObject {
  const { required, properties, additionalProperties } = schema;
  if (!Array.isArray(required)) return schema;
  const kept = isNullable(additionalProperties)
    ? []
    : required.filter((field) => !(isObject(properties) && isNullable(properties[String(field)])));
  return kept.length === 0 ? without(schema, ["required"]) : { ...schema, required: kept };
}

const isNullable = (schema: JsonValue | undefined) => isObject(schema) && schema["nullable"] === true;

function without(schema: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !keys.includes(key)));
}
