import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { deepEqual, isObject, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import { duplicate, forbidden, invalid, required, tooMany } from "../validation/field-errors.ts";
import { celErrors } from "./cel-rules.ts";
import { checkCustom } from "./check-custom.ts";
import { pruneCustom } from "./custom-form.ts";
import { dns1035Label } from "./label-form.ts";
import { eachSchema, isBeyondStructural, schemaAt, schemaErrors } from "./schema-rules.ts";
import { structuralErrors } from "./structural-rules.ts";

type Part = "schema" | "subresources" | "additionalPrinterColumns" | "selectableFields";

interface PartRule {
  readonly part: Part;
  /** Where Kubernetes reports what is the same in all versions. */
  readonly shared: string;
  readonly check: (version: JsonObject, path: string, all: AllVersions) => FieldError[];
}

interface AllVersions {
  readonly versions: readonly JsonObject[];
  /** What is the same in all of them. */
  readonly shared: ReadonlySet<Part>;
}

const schemaOf = (version: JsonObject) => {
  const given = valueAt(version, "schema", "openAPIV3Schema");
  return isObject(given) ? (given as unknown as Schema) : undefined;
};

const PARTS: readonly PartRule[] = [
  {
    part: "schema",
    shared: "spec.validation",
    check: (version, path, { versions, shared }) => {
      const schema = schemaOf(version);
      const withStatus = shared.has("schema") ? versions : [version];
      const path3 = `${path}.openAPIV3Schema`;
      return schema === undefined ? [] : validationErrors(schema, withStatus.some(hasStatus), path3);
    },
  },
  {
    part: "subresources",
    shared: "spec.subresources",
    check: (version, path) => scaleErrors(valueAt(version, "subresources", "scale"), `${path}.scale`),
  },
  {
    part: "additionalPrinterColumns",
    shared: "spec.additionalPrinterColumns",
    check: (version, path) =>
      objectsAt(version, "additionalPrinterColumns").flatMap((column, index) =>
        columnErrors(column, `${path}[${index}]`),
      ),
  },
  {
    part: "selectableFields",
    shared: "spec.selectableFields",
    check: (version, path, { shared }) => {
      if (objectsAt(version, "selectableFields").length === 0) return [];
      const [own, schema] = [!shared.has("selectableFields"), shared.has("schema")];
      if (own && schema)
        return [invalid(path, "", "may only be set when `version.schema.openAPIV3Schema` is not included")];
      if (!own && !schema) return [invalid(path, "", "may only be set when validations.schema is included")];
      return selectableErrors(version, schemaOf(version), path);
    },
  },
];

const isShared = (versions: readonly JsonObject[], part: Part) =>
  versions.every((version) => version[part] !== undefined && deepEqual(version[part], versions[0]?.[part]));

const sharedParts = (versions: readonly JsonObject[]): ReadonlySet<Part> =>
  new Set(PARTS.flatMap(({ part }) => (isShared(versions, part) ? [part] : [])));

/** What the versions have each for themselves. */
export function versionErrors(versions: readonly JsonObject[]): FieldError[] {
  const shared = sharedParts(versions);
  const parts = PARTS.filter(({ part }) => !shared.has(part));
  return versions.flatMap((version, index) => {
    const path = `spec.versions[${index}]`;
    const name = stringAt(version, "name");
    const wrong = dns1035Label(name);
    return [
      ...(wrong.length > 0 ? [invalid(`${path}.name`, name, wrong.join(","))] : []),
      ...deprecationErrors(version, `${path}.deprecationWarning`),
      ...parts.flatMap(({ part, check }) => check(version, `${path}.${part}`, { versions, shared })),
    ];
  });
}

/** What is the same in all versions, told once. */
export function sharedErrors(versions: readonly JsonObject[]): FieldError[] {
  const [first] = versions;
  if (first === undefined) return [];
  const shared = sharedParts(versions);
  return PARTS.filter(({ part }) => shared.has(part)).flatMap(({ shared: path, check }) =>
    check(first, path, { versions, shared }),
  );
}

/** The versions as Kubernetes shows them when it refuses them. */
export function shownVersions(versions: readonly JsonObject[]): readonly object[] {
  const own = (version: JsonObject, part: Part) => (isShared(versions, part) ? null : (version[part] ?? null));
  return versions.map((version) => ({
    Name: version["name"],
    Served: version["served"],
    Storage: version["storage"],
    Deprecated: version["deprecated"] === true,
    DeprecationWarning: version["deprecationWarning"] ?? null,
    Schema: own(version, "schema"),
    Subresources: own(version, "subresources"),
    AdditionalPrinterColumns: columnsAsGo(own(version, "additionalPrinterColumns")),
    SelectableFields: fieldsAsGo(own(version, "selectableFields")),
  }));
}

const objectsOf = (value: JsonValue) => (Array.isArray(value) ? value.filter(isObject) : undefined);

const columnsAsGo = (columns: JsonValue) =>
  objectsOf(columns)?.map((column) => ({
    Name: column["name"] ?? "",
    Type: column["type"] ?? "",
    Format: column["format"] ?? "",
    Description: column["description"] ?? "",
    Priority: column["priority"] ?? 0,
    JSONPath: column["jsonPath"] ?? "",
  })) ?? null;

const fieldsAsGo = (fields: JsonValue) =>
  objectsOf(fields)?.map((field) => ({ JSONPath: field["jsonPath"] ?? "" })) ?? null;

function deprecationErrors(version: JsonObject, field: string): FieldError[] {
  const warning = version["deprecationWarning"];
  if (typeof warning !== "string") return [];
  if (version["deprecated"] !== true) return [invalid(field, warning, "can only be set for deprecated versions")];
  if (warning === "") return [invalid(field, warning, "must not be an empty string")];
  return warning.length > 256 ? [invalid(field, warning, "must be <= 256 characters long")] : [];
}

const AT_ROOT = new Set([
  "description",
  "type",
  "format",
  "title",
  "maximum",
  "exclusiveMaximum",
  "minimum",
  "exclusiveMinimum",
  "maxLength",
  "minLength",
  "pattern",
  "maxItems",
  "minItems",
  "uniqueItems",
  "multipleOf",
  "required",
  "items",
  "properties",
  "externalDocs",
  "example",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
]);
const AT_ROOT_GO =
  "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]";

const hasStatus = (version: JsonObject) => isObject(objectAt(version, "subresources")["status"]);

function validationErrors(schema: Schema, status: boolean, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (status) {
    const why = "if the status subresource is enabled";
    const type = schema.type ?? "";
    if (type !== "" && type !== "object") {
      errors.push(
        invalid(`${path}.type`, type, `only "object" is allowed as the type at the root of the schema ${why}`),
      );
    } else if (Object.keys(schema).some((key) => !AT_ROOT.has(key) && schema[key as keyof Schema] !== false)) {
      errors.push(invalid(path, schema, `only ${AT_ROOT_GO} fields are allowed at the root of the schema ${why}`));
    }
  }
  if (schema.nullable === true) errors.push(forbidden(`${path}.nullable`, "nullable cannot be true at the root"));
  const beyond = isBeyondStructural(schema);
  const structural = beyond ? [] : structuralErrors(schema, path);
  const defaults = beyond || structural.length > 0 ? [] : eachSchema(schema, path, defaultErrors);
  const plain = schemaErrors(schema, path);
  const sound = structural.length + defaults.length + plain.length === 0;
  return [...errors, ...structural, ...defaults, ...plain, ...(sound ? celErrors(schema, path) : [])];
}

/** A default must itself be what its schema allows. */
function defaultErrors(schema: Schema, path: string): FieldError[] {
  if (schema.default === undefined || schema.default === null) return [];
  const field = `${path}.default`;
  const pruned = structuredClone(schema.default) as JsonValue;
  const gone = isObject(pruned) ? pruneInside(schema, pruned) : 0;
  if (gone > 0) return [invalid(field, schema.default, "must not have unknown fields")];
  return checkCustom(schema, schema.default, { path: "", prefix: field, old: undefined });
}

const pruneInside = (schema: Schema, value: JsonObject) =>
  pruneCustom({ properties: { value: schema } }, { value }).length;

/** Paths of fields and items only: no filters. */
function simplePath(path: string, field: string): FieldError[] {
  if (!path.startsWith(".")) return [invalid(field, path, "must be a simple json path starting with .")];
  const simple = /^(\.[A-Za-z_][\w-]*|\[["'][^"']*["']\]|\[\d+\])+$/.test(path);
  return simple ? [] : [invalid(field, path, "is an invalid JSON path")];
}

/** Columns may filter too. */
function columnPath(path: string, field: string): FieldError[] {
  return path.startsWith(".") ? [] : [invalid(field, path, "must be a simple json path starting with .")];
}

function scaleErrors(scale: JsonValue | undefined, path: string): FieldError[] {
  if (!isObject(scale)) return [];
  const check = (key: string, roots: readonly string[], needed: boolean): FieldError[] => {
    const given = stringAt(scale, key);
    const field = `${path}.${key}`;
    if (given === "") return needed ? [required(field)] : [];
    const wrong = simplePath(given, field);
    if (wrong.length > 0) return wrong;
    if (roots.some((root) => given.startsWith(`${root}.`))) return [];
    return [
      invalid(field, given, `should be a json path under ${roots.length > 1 ? "either " : ""}${roots.join(" or ")}`),
    ];
  };
  return [
    ...check("specReplicasPath", [".spec"], true),
    ...check("statusReplicasPath", [".status"], true),
    ...check("labelSelectorPath", [".spec", ".status"], false),
  ];
}

const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

function columnErrors(column: JsonObject, path: string): FieldError[] {
  const [type, format] = [stringAt(column, "type"), stringAt(column, "format")];
  const oneOf = (list: readonly string[]) => `must be one of ${list.join(",")}`;
  const errors: FieldError[] = [];
  if (stringAt(column, "name") === "") errors.push(required(`${path}.name`));
  if (type === "") errors.push(required(`${path}.type`, oneOf(COLUMN_TYPES)));
  else if (!COLUMN_TYPES.includes(type)) errors.push(invalid(`${path}.type`, type, oneOf(COLUMN_TYPES)));
  if (format !== "" && !COLUMN_FORMATS.includes(format)) {
    errors.push(invalid(`${path}.format`, format, oneOf(COLUMN_FORMATS)));
  }
  const jsonPath = stringAt(column, "jsonPath");
  return [...errors, ...(jsonPath === "" ? [required(`${path}.JSONPath`)] : columnPath(jsonPath, `${path}.JSONPath`))];
}

const MOST_SELECTABLE = 8;
const SELECTABLE =
  "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";

function selectableErrors(version: JsonObject, schema: Schema | undefined, path: string): FieldError[] {
  const fields = objectsAt(version, "selectableFields").map((one) => stringAt(one, "jsonPath"));
  if (fields.length === 0 || schema === undefined) return [];
  const errors = fields.flatMap((given, index): FieldError[] => {
    const field = `${path}[${index}].jsonPath`;
    if (given === "") return [required(field)];
    const found = schemaAt(schema, given);
    if (found === undefined) {
      return [invalid(field, given, "is an invalid path: does not refer to a valid field")];
    }
    const meta = /^\.metadata(\.|$)/.test(given);
    const type = ["string", "boolean", "integer"].includes(found.type ?? "");
    return [
      ...(meta ? [invalid(field, given, "must not point to fields in metadata")] : []),
      ...(type ? [] : [invalid(field, given, SELECTABLE)]),
      ...(fields.indexOf(given) < index ? [duplicate(field, given)] : []),
    ];
  });
  const count = new Set(fields).size;
  return count > MOST_SELECTABLE ? [...errors, tooMany(path, count, MOST_SELECTABLE)] : errors;
}
