// Field selectors of list and watch requests: which fields of a kind can be selected by, and what is said of the others.
import { badRequest } from "./api-errors.ts";
import type { JsonObject, JsonValue } from "./contract.ts";
import { isObject, stringAt, valueAt } from "./json.ts";
import type { ResourceKind } from "./resource-kind.ts";

/** One requirement, in the words of the kind as it is kept. */
export interface FieldTerm {
  readonly field: string;
  readonly value: string;
  readonly equal: boolean;
}

interface FieldRule {
  /** Fields that can be selected by, beyond the name and, where `namespace` is true, the namespace. */
  readonly fields: readonly string[];
  readonly namespace: boolean;
  /** Fields under another name than the one by which they are kept. */
  readonly renamed?: Readonly<Record<string, string>>;
  readonly refusal: (field: string) => string;
}

const notSupported = (field: string) => `field label not supported: ${field}`;

const rule = (fields: readonly string[], namespace = true): FieldRule => ({ fields, namespace, refusal: notSupported });

const OF_REGARDED = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];

/** Kinds with fields of their own, by `group/plural` of the door. */
const RULES: Readonly<Record<string, FieldRule>> = {
  "/pods": {
    ...rule([
      "spec.nodeName",
      "spec.restartPolicy",
      "spec.schedulerName",
      "spec.serviceAccountName",
      "spec.hostNetwork",
      "status.phase",
      "status.podIP",
      "status.podIPs",
      "status.nominatedNodeName",
    ]),
    renamed: { "spec.host": "spec.nodeName" },
  },
  "/events": rule([
    ...OF_REGARDED.map((field) => `involvedObject.${field}`),
    "reason",
    "reportingComponent",
    "source",
    "type",
  ]),
  "events.k8s.io/events": {
    ...rule(["reason", "type"]),
    renamed: {
      ...Object.fromEntries(OF_REGARDED.map((field) => [`regarding.${field}`, `involvedObject.${field}`])),
      reportingController: "reportingComponent",
    },
  },
  "/nodes": rule(["spec.unschedulable"], false),
  "/namespaces": rule(["status.phase"], false),
  "/secrets": rule(["type"]),
  "/services": rule(["spec.clusterIP", "spec.type"]),
  "/replicationcontrollers": rule(["status.replicas"]),
  "batch/jobs": {
    ...rule(["status.successful"]),
    refusal: (field) => `field label ${JSON.stringify(field)} not supported for Job`,
  },
  "certificates.k8s.io/certificatesigningrequests": rule(["spec.signerName"], false),
  "resource.k8s.io/resourceslices": {
    ...rule(["spec.nodeName", "spec.driver"], false),
    refusal: (field) => `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`,
  },
};

/** All others: a field that an object of the cluster lacks is empty. */
const DEFAULT_RULE: FieldRule = {
  fields: [],
  namespace: true,
  refusal: (field) =>
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
};

function ruleOf(kind: ResourceKind): FieldRule {
  if (kind.custom !== undefined) return rule(kind.custom.selectableFields, kind.namespaced);
  return RULES[`${kind.group}/${kind.plural}`] ?? DEFAULT_RULE;
}

/** Reads `metadata.name=x,status.phase!=Running`, whatever its fields mean. Throws 400. */
export function parseFieldSelector(text: string): FieldTerm[] {
  return splitTerms(text)
    .sort()
    .filter((part) => part !== "")
    .map((part) => {
      const match = /^(.*?)(!=|==|=)(.*)$/s.exec(part);
      if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
      return { field: match[1] ?? "", value: unescaped(match[3] ?? ""), equal: match[2] !== "!=" };
    });
}

/** At commas that no backslash guards. */
const splitTerms = (text: string): string[] => text.match(/(?:^|,)(?:\\.|[^,\\])*\\?/gs)?.map(withoutComma) ?? [];
const withoutComma = (part: string) => (part.startsWith(",") ? part.slice(1) : part);

function unescaped(value: string): string {
  return value.replace(/\\(.?)|[,=]/gsu, (whole, letter: string | undefined) => {
    if (letter === undefined)
      throw badRequest(`invalid field selector: unescaped character in value: ${whole.codePointAt(0)}`);
    if (!["\\", ",", "="].includes(letter))
      throw badRequest(`invalid field selector: invalid escape sequence: ${whole}`);
    return letter;
  });
}

/** In the words of the kind as it is kept. Throws 400 for a field by which the kind cannot be selected. */
export function translateFields(kind: ResourceKind, terms: readonly FieldTerm[]): readonly FieldTerm[] {
  const { fields, namespace, renamed = {}, refusal } = ruleOf(kind);
  return terms.map((term) => {
    const { field } = term;
    if (Object.hasOwn(renamed, field)) return { ...term, field: renamed[field] ?? field };
    if (field === "metadata.name" || (namespace && field === "metadata.namespace") || fields.includes(field))
      return term;
    throw badRequest(refusal(field));
  });
}

/** The value that the field must have for an object to be selected; undefined when several would do. */
export function exactValue(terms: readonly FieldTerm[], field: string): string | undefined {
  return terms.find((term) => term.equal && term.field === field)?.value;
}

export function matchesFields(kind: ResourceKind, terms: readonly FieldTerm[], object: JsonObject): boolean {
  return terms.every(({ field, value, equal }) => (fieldText(kind, object, field) === value) === equal);
}

/** Fields that are not read as they stand. */
const READERS: Readonly<Record<string, (object: JsonObject) => string>> = {
  // Who reported an event: one field in its old form, another in its new one.
  source: (event) => stringAt(event, "source", "component") || stringAt(event, "reportingComponent"),
  "status.podIPs": () => "",
  "spec.hostNetwork": (pod) => textOf(valueAt(pod, "spec", "hostNetwork")) || "false",
  "spec.unschedulable": (node) => textOf(valueAt(node, "spec", "unschedulable")) || "false",
  "status.successful": (job) => textOf(valueAt(job, "status", "succeeded")) || "0",
  "status.replicas": (controller) => textOf(valueAt(controller, "status", "replicas")) || "0",
};

function fieldText(kind: ResourceKind, object: JsonObject, field: string): string {
  const read = kind.custom === undefined ? READERS[field] : undefined;
  return read === undefined ? textOf(valueAt(object, ...field.split("."))) : read(object);
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null || isObject(value) || Array.isArray(value)) return "";
  return String(value);
}
