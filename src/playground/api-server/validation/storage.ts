// StorageClasses, VolumeAttributesClasses, VolumeAttachments and what CSI drivers tell of themselves.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, deepEqual, objectAt, objectsAt, stringAt } from "../json.ts";
import {
  duplicate,
  forbidden,
  IMMUTABLE,
  invalid,
  invalids,
  nonnegative,
  notSupported,
  required,
  tooLong,
} from "./field-errors.ts";
import { bytes, dnsSubdomain, qualifiedName } from "./formats.ts";
import { checkLabelSelector, shownSelector } from "./label-selectors.ts";
import { checkDriverName } from "./pods/volume-sources.ts";
import { checkNonnegativeQuantity } from "./resources.ts";

const BINDING_MODES = ["Immediate", "WaitForFirstConsumer"];
const MOST_PARAMETERS = 512;
const MOST_PARAMETER_BYTES = 256 * 1024;

export function checkStorageClass(storage: JsonObject): FieldError[] {
  const policy = stringAt(storage, "reclaimPolicy");
  const mode = storage["volumeBindingMode"];
  const errors = [
    ...checkProvisioner("provisioner", stringAt(storage, "provisioner")),
    ...checkParameters(objectAt(storage, "parameters")),
  ];
  if (policy !== "" && policy !== "Delete" && policy !== "Retain")
    errors.push(notSupported("reclaimPolicy", policy, ["Delete", "Retain"]));
  if (mode === undefined) errors.push(required("volumeBindingMode"));
  else if (!BINDING_MODES.includes(String(mode))) errors.push(notSupported("volumeBindingMode", mode, BINDING_MODES));
  return [...errors, ...checkTopologies(objectsAt(storage, "allowedTopologies"))];
}

function checkProvisioner(field: string, name: string): FieldError[] {
  if (name === "") return [required(field)];
  return invalids(field, name.toLowerCase(), qualifiedName(name.toLowerCase()));
}

function checkParameters(parameters: JsonObject): FieldError[] {
  const entries = Object.entries(parameters);
  if (entries.length > MOST_PARAMETERS) return [tooLong("parameters", MOST_PARAMETERS)];
  const size = entries.reduce((sum, [key, value]) => sum + bytes(key) + bytes(String(value)), 0);
  return [
    ...entries.flatMap(([key]) => (key === "" ? [invalid("parameters", key, "field can not be empty.")] : [])),
    ...(size > MOST_PARAMETER_BYTES ? [tooLong("parameters", MOST_PARAMETER_BYTES)] : []),
  ];
}

function checkTopologies(terms: readonly JsonObject[]): FieldError[] {
  const wholes = terms.map(wholeTerm);
  return terms.flatMap((term, at) => {
    const seen = new Set<string>();
    const path = `allowedTopologies[${at}].matchLabelExpressions`;
    // Kubernetes compares a term with those before it, and with one empty one for each term that there is.
    const others = [...terms.map(() => ""), ...wholes.slice(0, at)];
    const same = others.filter((whole) => whole === wholes[at]).map(() => duplicate(path, ""));
    const errors = objectsAt(term, "matchLabelExpressions").flatMap((expression, index) => {
      const path = `allowedTopologies[${at}].matchLabelExpressions[${index}]`;
      const [key, values] = [stringAt(expression, "key"), arrayAt(expression, "values")];
      const errors: FieldError[] = values.length === 0 ? [required(`${path}.values`)] : [];
      for (const [place, value] of values.entries())
        if (values.indexOf(value) < place) errors.push(duplicate(`${path}.values[${place}]`, value));
      errors.push(...invalids(`${path}.key`, key, qualifiedName(key)));
      if (seen.has(key)) errors.push(duplicate(`${path}.key`, key));
      seen.add(key);
      return errors;
    });
    return [...errors, ...same];
  });
}

/** What a term asks for by key; "" for one that asks for nothing. */
function wholeTerm(term: JsonObject): string {
  const values = new Map(
    objectsAt(term, "matchLabelExpressions").map((expression) => [
      stringAt(expression, "key"),
      [...new Set(arrayAt(expression, "values").map(String))].sort(),
    ]),
  );
  return values.size === 0 ? "" : JSON.stringify([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function checkStorageClassUpdate(storage: JsonObject, old: JsonObject): FieldError[] {
  const errors = ["parameters", "provisioner", "reclaimPolicy"].flatMap((field) => unlessEqual(field, storage, old));
  const mode = storage["volumeBindingMode"];
  return mode === old["volumeBindingMode"] ? errors : [...errors, invalid("volumeBindingMode", mode, IMMUTABLE)];
}

const unlessEqual = (field: string, object: JsonObject, old: JsonObject): FieldError[] =>
  deepEqual(object[field], old[field]) ? [] : [forbidden(field, `updates to ${field} are forbidden.`)];

export function checkAttributesClass(attributes: JsonObject): FieldError[] {
  const parameters = objectAt(attributes, "parameters");
  const errors = [
    ...checkProvisioner("driverName", stringAt(attributes, "driverName")),
    ...checkParameters(parameters),
  ];
  if (Object.keys(parameters).length > 0) return errors;
  return [...errors, required("parameters", "must contain at least one key/value pair")];
}

export const checkAttributesClassUpdate = (attributes: JsonObject, old: JsonObject): FieldError[] =>
  ["driverName", "parameters"].flatMap((field) => unlessEqual(field, attributes, old));

const MOST_NODE_ID = 256;

export function checkCsiNode(node: JsonObject): FieldError[] {
  const names = new Set<string>();
  return objectsAt(node, "spec", "drivers").flatMap((driver, index) => {
    const path = `spec.drivers[${index}]`;
    const [name, id] = [stringAt(driver, "name"), stringAt(driver, "nodeID")];
    const errors = checkDriverName(`${path}.name`, name);
    if (id === "") errors.push(required(`${path}.nodeID`));
    if (bytes(id) > MOST_NODE_ID)
      errors.push(invalid(`${path}.nodeID`, id, `must be ${MOST_NODE_ID} characters or less`));
    errors.push(...nonnegative(`${path}.allocatable.count`, objectAt(driver, "allocatable")["count"]));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    return [...errors, ...checkTopologyKeys(path, arrayAt(driver, "topologyKeys").map(String))];
  });
}

function checkTopologyKeys(path: string, keys: readonly string[]): FieldError[] {
  return keys.flatMap((key, index) => [
    ...(key === "" ? [required(path)] : []),
    ...(keys.indexOf(key) < index ? [duplicate(path, key)] : []),
    ...invalids(path, key, qualifiedName(key)),
  ]);
}

/** Kubernetes checks the whole twice here. */
export function checkCsiNodeUpdate(node: JsonObject, old: JsonObject): FieldError[] {
  const shown = (driver: JsonObject) => ({
    Name: stringAt(driver, "name"),
    NodeID: stringAt(driver, "nodeID"),
    TopologyKeys: driver["topologyKeys"] ?? null,
    Allocatable: null,
  });
  const changed = objectsAt(old, "spec", "drivers").flatMap((before) =>
    objectsAt(node, "spec", "drivers")
      .filter((driver) => driver["name"] === before["name"] && !deepEqual(shown(driver), shown(before)))
      .map((driver) => invalid("spec.drivers", shown(driver), IMMUTABLE)),
  );
  return [...checkCsiNode(node), ...checkCsiNode(node), ...changed];
}

export function checkStorageCapacity(capacity: JsonObject): FieldError[] {
  const [name, amount] = [stringAt(capacity, "storageClassName"), capacity["capacity"]];
  return [
    ...checkLabelSelector("nodeTopology", capacity["nodeTopology"]),
    ...invalids("storageClassName", name, dnsSubdomain(name)),
    ...(amount === undefined ? [] : checkNonnegativeQuantity("capacity", amount)),
  ];
}

export function checkStorageCapacityUpdate(capacity: JsonObject, old: JsonObject): FieldError[] {
  const [topology, name] = [capacity["nodeTopology"], stringAt(capacity, "storageClassName")];
  return [
    ...(deepEqual(topology, old["nodeTopology"]) ? [] : [invalid("nodeTopology", shownSelector(topology), IMMUTABLE)]),
    ...(name === stringAt(old, "storageClassName") ? [] : [invalid("storageClassName", name, IMMUTABLE)]),
  ];
}

const LIFECYCLES = ["Persistent", "Ephemeral"];
const FS_GROUPS = ["File", "None", "ReadWriteOnceWithFSType"];
/** Names of fields as the messages have them. */
const NEEDED = {
  attachRequired: "attachedRequired",
  podInfoOnMount: "podInfoOnMount",
  storageCapacity: "storageCapacity",
};

export function checkCsiDriver(driver: JsonObject): FieldError[] {
  const spec = objectAt(driver, "spec");
  const policy = spec["fsGroupPolicy"];
  const errors = Object.entries(NEEDED).flatMap(([field, shown]) =>
    spec[field] === undefined ? [required(`spec.${shown}`)] : [],
  );
  if (policy !== undefined && !FS_GROUPS.includes(String(policy)))
    errors.push(notSupported("spec.fsGroupPolicy", policy, FS_GROUPS));
  errors.push(...checkTokenRequests(objectsAt(spec, "tokenRequests")));
  for (const mode of arrayAt(spec, "volumeLifecycleModes"))
    if (!LIFECYCLES.includes(String(mode))) errors.push(notSupported("spec.volumeLifecycleModes", mode, LIFECYCLES));
  return [...errors, ...checkDriverExtras(spec)];
}

function checkDriverExtras(spec: JsonObject): FieldError[] {
  const [period, inSecrets] = [spec["nodeAllocatableUpdatePeriodSeconds"], spec["serviceAccountTokenInSecrets"]];
  const errors: FieldError[] = spec["seLinuxMount"] === undefined ? [required("spec.seLinuxMount")] : [];
  if (typeof period === "number" && period < 10) {
    const why = "must be greater than or equal to 10 seconds";
    errors.push(invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, why));
  }
  if (inSecrets !== undefined && arrayAt(spec, "tokenRequests").length === 0) {
    const why = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
    errors.push(invalid("spec.serviceAccountTokenInSecrets", inSecrets, why));
  }
  return errors;
}

function checkTokenRequests(requests: readonly JsonObject[]): FieldError[] {
  const audiences = new Set<string>();
  return requests.flatMap((request, index): FieldError[] => {
    const path = `spec.tokenRequests[${index}]`;
    const [audience, seconds] = [stringAt(request, "audience"), request["expirationSeconds"]];
    if (audiences.has(audience)) return [duplicate(`${path}.audience`, audience)];
    audiences.add(audience);
    const refuse = (how: string) => invalid(`${path}.expirationSeconds`, seconds, `may not specify a duration ${how}`);
    if (typeof seconds !== "number") return [];
    if (seconds < 600) return [refuse("less than 10 minutes")];
    return seconds > 2 ** 32 ? [refuse("larger than 2^32 seconds")] : [];
  });
}

export function checkCsiDriverUpdate(driver: JsonObject, old: JsonObject): FieldError[] {
  const [spec, before] = [objectAt(driver, "spec"), objectAt(old, "spec")];
  const fixed: readonly (readonly [string, string])[] = [
    ["attachRequired", "attachedRequired"],
    ["volumeLifecycleModes", "volumeLifecycleModes"],
  ];
  return fixed.flatMap(([field, shown]) => {
    const value: JsonValue = spec[field] ?? null;
    return deepEqual(value, before[field] ?? null) ? [] : [invalid(`spec.${shown}`, value, IMMUTABLE)];
  });
}
