// metadata of every object: what Kubernetes asks of a new one, and of one that changes.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { forbidden, IMMUTABLE, invalid, invalids, nonnegative, required, tooLong } from "./field-errors.ts";
import { bytes, dnsLabel, type Format, qualifiedName } from "./formats.ts";
import { checkLabels } from "./label-selectors.ts";

const META = "metadata";
const MOST_ANNOTATION_BYTES = 256 * 1024;

export interface MetaRule {
  readonly name: Format;
  readonly namespaced: boolean;
  /** Kubernetes' own kinds refuse finalizers without a domain. */
  readonly kubeFinalizers: boolean;
  /** Only what came of generateName is held against the form of names. */
  readonly anyGenerateName?: boolean;
}

/** Of a new object, and of every object before it is stored. */
export function checkObjectMeta(object: JsonObject, rule: MetaRule): FieldError[] {
  const metadata = objectAt(object, META);
  return [
    ...checkName(metadata, rule),
    ...checkNamespace(metadata, rule.namespaced),
    ...nonnegative(`${META}.generation`, metadata["generation"]),
    ...checkCommon(metadata),
    ...checkFinalizers(metadata),
    ...checkManagedFields(metadata),
    ...(rule.kubeFinalizers ? checkKubeFinalizers(metadata) : []),
  ];
}

/** Beyond checkObjectMeta, when `old` becomes `object`. */
export function checkObjectMetaUpdate(object: JsonObject, old: JsonObject, kubeFinalizers: boolean): FieldError[] {
  const metadata = objectAt(object, META);
  const before = objectAt(old, META);
  return [
    ...noNewFinalizers(metadata, before),
    ...UNCHANGING.flatMap((field) => unchanged(field, metadata, before)),
    ...checkCommon(metadata),
    ...checkManagedFields(metadata),
    ...(kubeFinalizers ? checkKubeFinalizers(metadata) : []),
  ];
}

const UNCHANGING = ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"];

function unchanged(field: string, metadata: JsonObject, before: JsonObject): FieldError[] {
  if (metadata[field] === before[field]) return [];
  const value = metadata[field];
  const shown =
    field === "deletionTimestamp" && typeof value === "string"
      ? `${new Date(value).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`
      : value;
  return [invalid(`${META}.${field}`, shown, IMMUTABLE)];
}

/** Names that will get a suffix may end in a dash. */
const withoutDash = (name: string) => (name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name);

function checkName(metadata: JsonObject, { name: format, anyGenerateName }: MetaRule): FieldError[] {
  const [name, generate] = [stringAt(metadata, "name"), stringAt(metadata, "generateName")];
  const free = generate === "" || anyGenerateName === true;
  const errors = free ? [] : invalids(`${META}.generateName`, generate, format(withoutDash(generate)));
  if (name === "") errors.push(required(`${META}.name`, "name or generateName is required"));
  else errors.push(...invalids(`${META}.name`, name, format(name)));
  return errors;
}

function checkNamespace(metadata: JsonObject, namespaced: boolean): FieldError[] {
  const namespace = stringAt(metadata, "namespace");
  const field = `${META}.namespace`;
  if (!namespaced) return namespace === "" ? [] : [forbidden(field, "not allowed on this type")];
  return namespace === "" ? [required(field)] : invalids(field, namespace, dnsLabel(namespace));
}

function checkCommon(metadata: JsonObject): FieldError[] {
  return [
    ...checkLabels(`${META}.labels`, metadata["labels"]),
    ...checkAnnotations(`${META}.annotations`, metadata["annotations"]),
    ...checkOwners(metadata),
  ];
}

export function checkAnnotations(path: string, annotations: JsonValue | undefined): FieldError[] {
  const entries = Object.entries(objectAt(annotations));
  const errors = entries.flatMap(([key]) => invalids(path, key, qualifiedName(key.toLowerCase())));
  const size = entries.reduce((sum, [key, value]) => sum + bytes(key) + bytes(String(value)), 0);
  return size > MOST_ANNOTATION_BYTES ? [...errors, tooLong(path, MOST_ANNOTATION_BYTES)] : errors;
}

function checkOwners(metadata: JsonObject): FieldError[] {
  const path = `${META}.ownerReferences`;
  const owners = objectsAt(metadata, "ownerReferences");
  const errors: FieldError[] = [];
  let controller = "";
  for (const owner of owners) {
    errors.push(...checkOwner(owner, path));
    if (owner["controller"] !== true) continue;
    const own = `${stringAt(owner, "kind")}/${stringAt(owner, "name")}`;
    if (controller !== "") {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${own}`;
      errors.push(invalid(path, owners.map(shownOwner), why));
    } else controller = own;
  }
  return errors;
}

function checkOwner(owner: JsonObject, path: string): FieldError[] {
  const apiVersion = stringAt(owner, "apiVersion");
  const errors = ["kind", "name", "uid"].flatMap((field) =>
    stringAt(owner, field) === "" ? [invalid(`${path}.${field}`, "", "must not be empty")] : [],
  );
  if ((apiVersion.split("/").at(-1) ?? "") === "" || apiVersion.split("/").length > 2)
    errors.unshift(invalid(`${path}.apiVersion`, apiVersion, "version must not be empty"));
  if (apiVersion === "v1" && owner["kind"] === "Event")
    errors.push(invalid(path, shownOwner(owner), "/v1, Kind=Event is disallowed from being an owner"));
  return errors;
}

const OWNER_FIELDS = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
const shownOwner = (owner: JsonObject) =>
  Object.fromEntries(
    OWNER_FIELDS.flatMap((field, at) =>
      owner[field] === undefined && at > 3 ? [] : [[field, owner[field] ?? ""] as const],
    ),
  );

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

function checkFinalizers(metadata: JsonObject): FieldError[] {
  const path = `${META}.finalizers`;
  const names = arrayAt(metadata, "finalizers").map(String);
  const errors = names.flatMap((name) => invalids(path, name, qualifiedName(name)));
  if (names.includes(ORPHAN) && names.includes(FOREGROUND))
    errors.push(invalid(path, names, `finalizer ${ORPHAN} and ${FOREGROUND} cannot be both set`));
  return errors;
}

const STANDARD_FINALIZERS = ["kubernetes", ORPHAN, FOREGROUND];

export const kubeFinalizer: Format = (name) =>
  name.includes("/") || STANDARD_FINALIZERS.includes(name)
    ? []
    : ["name is neither a standard finalizer name nor is it fully qualified"];

function checkKubeFinalizers(metadata: JsonObject): FieldError[] {
  return arrayAt(metadata, "finalizers").flatMap((name, index) =>
    invalids(`${META}.finalizers[${index}]`, name, kubeFinalizer(String(name))),
  );
}

function noNewFinalizers(metadata: JsonObject, before: JsonObject): FieldError[] {
  if (stringAt(before, "deletionTimestamp") === "") return [];
  const known = arrayAt(before, "finalizers");
  const extra = arrayAt(metadata, "finalizers").filter((name) => !known.includes(name));
  if (extra.length === 0) return [];
  const list = extra
    .map(String)
    .sort()
    .map((name) => JSON.stringify(name))
    .join(", ");
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
  return [forbidden(`${META}.finalizers`, why)];
}

function checkManagedFields(metadata: JsonObject): FieldError[] {
  return objectsAt(metadata, "managedFields").flatMap((entry, index) => {
    const path = `${META}.managedFields[${index}]`;
    const [operation, type] = [stringAt(entry, "operation"), stringAt(entry, "fieldsType")];
    const errors: FieldError[] = [];
    if (operation !== "Apply" && operation !== "Update")
      errors.push(invalid(`${path}.operation`, operation, "must be `Apply` or `Update`"));
    if (type !== "" && type !== "FieldsV1") errors.push(invalid(`${path}.fieldsType`, type, "must be `FieldsV1`"));
    return [...errors, ...checkFieldManager(`${path}.manager`, stringAt(entry, "manager"))];
  });
}

/** Of a request's query and of managedFields. */
export function checkFieldManager(field: string, manager: string): FieldError[] {
  const errors = bytes(manager) > 128 ? [tooLong(field, 128)] : [];
  let position = 0;
  for (const letter of manager) {
    const code = letter.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) {
      const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
      errors.push(invalid(field, manager, `invalid character ${name} (at position ${position})`));
    }
    position += bytes(letter);
  }
  return errors;
}
