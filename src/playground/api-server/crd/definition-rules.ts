// What makes a CustomResourceDefinition valid, with Kubernetes' sentences.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, deepEqual, isObject, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import { invalid, notSupported, required } from "../validation/field-errors.ts";
import { dnsSubdomain } from "../validation/formats.ts";
import { approvalErrors } from "./api-approval.ts";
import { conversionErrors } from "./conversion-rules.ts";
import { isTrue } from "./definition-conditions.ts";
import { dns1035Label } from "./label-form.ts";
import { namesErrors, neededNames } from "./definition-names-rules.ts";
import { sharedErrors, shownVersions, versionErrors } from "./version-rules.ts";

export function definitionRules(definition: JsonObject, old: JsonObject | undefined): FieldError[] {
  const spec = objectAt(definition, "spec");
  return [
    ...(old === undefined ? nameErrors(definition) : []),
    ...specErrors(spec),
    ...(old === undefined ? [] : immutableErrors(spec, old)),
    ...namesErrors(objectAt(definition, "status", "acceptedNames"), "status.acceptedNames"),
    ...storedVersionErrors(definition),
    ...approvalErrors(definition, old),
    ...(valueAt(old, "spec", "preserveUnknownFields") === true ? [] : preserveErrors(spec)),
  ];
}

function nameErrors(definition: JsonObject): FieldError[] {
  const name = stringAt(definition, "metadata", "name");
  const wanted = `${stringAt(definition, "spec", "names", "plural")}.${stringAt(definition, "spec", "group")}`;
  return name === "" || name === wanted
    ? []
    : [invalid("metadata.name", name, `must be spec.names.plural+"."+spec.group`)];
}

const SCOPES = ["Cluster", "Namespaced"];

function specErrors(spec: JsonObject): FieldError[] {
  const scope = stringAt(spec, "scope");
  const versions = objectsAt(spec, "versions");
  const errors = groupErrors(stringAt(spec, "group"));
  if (scope === "") errors.push(required("spec.scope"));
  else if (!SCOPES.includes(scope)) errors.push(notSupported("spec.scope", scope, SCOPES));
  for (const [index, version] of versions.entries()) {
    if (isObject(valueAt(version, "schema", "openAPIV3Schema"))) continue;
    errors.push(required(`spec.versions[${index}].schema.openAPIV3Schema`));
  }
  const preserves = spec["preserveUnknownFields"] === true;
  if (preserves && hasDefaults(versions))
    errors.push(invalid("spec.preserveUnknownFields", true, "must be false in order to use defaults in the schema"));
  errors.push(...versionErrors(versions));
  const names = versions.map((version) => stringAt(version, "name"));
  const stored = versions.filter((version) => version["storage"] === true).length;
  const all = shownVersions(versions);
  if (new Set(names).size < names.length)
    errors.push(invalid("spec.versions", all, "must contain unique version names"));
  if (stored !== 1) {
    errors.push(invalid("spec.versions", all, "must have exactly one version marked as storage version"));
  }
  // Kubernetes takes the first version for the one that definitions had when they had one.
  const wrong = versions.length === 0 ? [] : dns1035Label(names[0] ?? "");
  if (wrong.length > 0) errors.push(invalid("spec.version", names[0] ?? "", wrong.join(",")));
  return [
    ...errors,
    ...neededNames(objectAt(spec, "names")),
    ...namesErrors(objectAt(spec, "names"), "spec.names"),
    ...sharedErrors(versions),
    ...(preserves ? convertsAnyway(spec) : []),
    ...conversionErrors(objectAt(spec, "conversion")),
  ];
}

function convertsAnyway(spec: JsonObject): FieldError[] {
  const strategy = stringAt(spec, "conversion", "strategy");
  if (strategy === "" || strategy === "None") return [];
  return [invalid("spec.conversion.strategy", strategy, "must be None if spec.preserveUnknownFields is true")];
}

function hasDefaults(versions: readonly JsonObject[]): boolean {
  return versions.some((version) => {
    const schema = valueAt(version, "schema", "openAPIV3Schema");
    return isObject(schema) && mentionsDefault(schema);
  });
}

/** Fields that are called `default` are no defaults. */
function mentionsDefault(schema: JsonObject): boolean {
  if (schema["default"] !== undefined && schema["default"] !== null) return true;
  const lists = ["allOf", "anyOf", "oneOf"].flatMap((key) => objectsAt(schema, key));
  const single = ["items", "additionalProperties", "not"].map((key) => schema[key]).filter(isObject);
  const fields = Object.values(objectAt(schema, "properties")).filter(isObject);
  return [...lists, ...single, ...fields].some(mentionsDefault);
}

function preserveErrors(spec: JsonObject): FieldError[] {
  if (spec["preserveUnknownFields"] !== true) return [];
  const detail =
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
  return [invalid("spec.preserveUnknownFields", true, detail)];
}

function groupErrors(group: string): FieldError[] {
  if (group === "") return [required("spec.group")];
  const wrong = dnsSubdomain(group);
  if (wrong.length > 0) return [invalid("spec.group", group, wrong.join(","))];
  return group.includes(".") ? [] : [invalid("spec.group", group, "should be a domain with at least one dot")];
}

function immutableErrors(spec: JsonObject, old: JsonObject): FieldError[] {
  const before = objectAt(old, "spec");
  const paths = [...(isTrue(old, "Established") ? [["scope"], ["names", "kind"]] : []), ["group"], ["names", "plural"]];
  return paths
    .filter((path) => !deepEqual(valueAt(spec, ...path), valueAt(before, ...path)))
    .map((path) => invalid(`spec.${path.join(".")}`, valueAt(spec, ...path) ?? "", "field is immutable"));
}

/** Objects may lie in a version until somebody says that none do. */
function storedVersionErrors(definition: JsonObject): FieldError[] {
  const field = "status.storedVersions";
  const stored = arrayAt(definition, "status", "storedVersions").map(String);
  if (stored.length === 0) return [invalid(field, null, "must have at least one stored version")];
  const versions = objectsAt(definition, "spec", "versions");
  const errors: FieldError[] = [];
  for (const version of versions) {
    const name = stringAt(version, "name");
    if (version["storage"] === true && !stored.includes(name)) {
      errors.push(invalid(field, stored, `must have the storage version ${name}`));
    }
  }
  for (const [index, name] of stored.entries()) {
    if (versions.some((version) => version["name"] === name)) continue;
    const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalid(`${field}[${index}]`, name, detail));
  }
  return errors;
}
