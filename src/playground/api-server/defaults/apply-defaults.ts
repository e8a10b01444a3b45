// Filling in what is absent: from the tables of defaults for built-in definitions, from schemas for custom resources.
import type { JsonObject, JsonValue } from "../contract.ts";
import { zeroValues } from "../gen/zero-values.ts";
import { clone, isObject } from "../json.ts";
import { resolve, type Schema } from "../schema/schema.ts";
import { appsDefaults } from "./apps-defaults.ts";
import { clusterDefaults } from "./cluster-defaults.ts";
import { coreDefaults } from "./core-defaults.ts";
import type { DefaultTable } from "./default-rule.ts";

const TABLE: DefaultTable = { ...coreDefaults, ...appsDefaults, ...clusterDefaults };
const REF_PREFIX = "#/components/schemas/";

/**
 * Fills in defaults in place: from the tables for built-in definitions, from `default` in schemas of custom resources.
 * `name` is the definition of the object itself, for built-in kinds.
 */
export function applyDefaults(schema: Schema, object: JsonObject, name?: string): void {
  if (name !== undefined) fillFromTable(name, object);
  fill(schema, object);
}

function fill(schema: Schema, object: JsonObject): void {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    if (child.default !== undefined && !Object.hasOwn(object, key)) object[key] = clone(child.default);
  }
  for (const [key, value] of Object.entries(object)) {
    if (typeof value !== "object" || value === null) continue;
    const raw = schema.properties?.[key] ?? additional(schema);
    if (raw !== undefined) visit(raw, value);
  }
}

const additional = (schema: Schema) =>
  typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;

function visit(raw: Schema, value: JsonValue): void {
  const schema = resolve(raw);
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    const items = schema.items;
    if (items !== undefined) for (const item of value) visit(items, item);
    return;
  }
  if (!isObject(value)) return;
  if (raw.$ref !== undefined) fillFromTable(raw.$ref.slice(REF_PREFIX.length), value);
  fill(schema, value);
}

/** Numbers of which Kubernetes cannot tell 0 from absent. */
const ZERO_IS_ABSENT = new Set(
  ["timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    .map((field) => `io.k8s.api.core.v1.Probe.${field}`)
    .concat("io.k8s.api.core.v1.ServicePort.targetPort", "io.k8s.api.flowcontrol.v1.FlowSchemaSpec.matchingPrecedence")
    .concat(["ExactDeviceRequest", "DeviceSubRequest"].map((name) => `io.k8s.api.resource.v1.${name}.count`))
    .concat(
      ["queues", "handSize", "queueLengthLimit"].map(
        (field) => `io.k8s.api.flowcontrol.v1.QueuingConfiguration.${field}`,
      ),
    ),
);

/** An empty text that Go can tell from none. */
function isPointer(name: string, field: string): boolean {
  const facts = zeroValues[name];
  return facts === undefined || (!facts.dropped.includes(field) && (facts.shown[field] ?? null) === null);
}

function fillFromTable(name: string, object: JsonObject): void {
  for (const [field, rule] of Object.entries(TABLE[name] ?? {})) {
    const present = object[field];
    const isZero = present === 0 && ZERO_IS_ABSENT.has(`${name}.${field}`);
    const isEmpty = present === "" && !isPointer(name, field);
    const isBare = Array.isArray(present) && present.length === 0 && Array.isArray(rule);
    if (present !== undefined && present !== null && !isEmpty && !isZero && !isBare) continue;
    const value = typeof rule === "function" ? rule(object) : clone(rule);
    if (value !== undefined) object[field] = value;
  }
}
