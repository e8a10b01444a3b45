// Label and field selectors of list and watch requests.
import { badRequest } from "./api-errors.ts";
import type { JsonObject, JsonValue } from "./contract.ts";
import { isObject, objectAt, valueAt } from "./json.ts";
import { type LabelRequirement, parseLabelSelector, SelectorFault } from "./label-selector-text.ts";

export type Predicate = (object: JsonObject) => boolean;

/** Parses `a=b,c!=d,e in (f,g),!h`. An empty text matches everything. Throws 400. */
export function labelSelector(text: string): Predicate {
  const requirements = requirementsOf(text);
  if (requirements.length === 0) return () => true;
  return (object) => {
    const labels = objectAt(object, "metadata", "labels");
    return requirements.every((requirement) => satisfies(labels, requirement));
  };
}

function requirementsOf(text: string): LabelRequirement[] {
  try {
    return parseLabelSelector(text);
  } catch (thrown) {
    if (thrown instanceof SelectorFault) throw badRequest(thrown.message);
    throw thrown;
  }
}

function satisfies(labels: JsonObject, { key, operator, values }: LabelRequirement): boolean {
  const present = Object.hasOwn(labels, key);
  if (operator === "exists" || operator === "!") return present === (operator === "exists");
  const value = String(labels[key]);
  if (operator === "gt") return present && Number(value) > Number(values[0]);
  if (operator === "lt") return present && Number(value) < Number(values[0]);
  const negative = operator === "!=" || operator === "notin";
  return (present && values.includes(value)) !== negative;
}

/** Field paths that can be selected by, beyond metadata.name and metadata.namespace, by `group/plural`. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  "/pods": [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
  ],
  "/events": [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  "/nodes": ["spec.unschedulable"],
  "/namespaces": ["status.phase"],
  "/secrets": ["type"],
  "/services": ["spec.clusterIP", "spec.type"],
  "/replicationcontrollers": ["status.replicas"],
  "apps/replicasets": ["status.replicas"],
  "batch/jobs": ["status.successful"],
  "certificates.k8s.io/certificatesigningrequests": ["spec.signerName"],
};

/**
 * Parses `metadata.name=x,status.phase!=Running` for the resource `key`. `extra` are further paths that its
 * definition makes selectable. Throws 400 for a field that cannot be selected by, as Kubernetes does.
 */
export function fieldSelector(text: string, key: string, extra: readonly string[] = []): Predicate {
  const allowed = new Set(["metadata.name", "metadata.namespace", ...(FIELDS[key] ?? []), ...extra]);
  const tests = text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => fieldTest(part, allowed, key));
  return tests.length === 0 ? () => true : (object) => tests.every((test) => test(object));
}

function fieldTest(part: string, allowed: ReadonlySet<string>, key: string): Predicate {
  const match = /^([^=!]*)(==|=|!=)(.*)$/.exec(part);
  if (match === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
  const [path, value, negative] = [match[1] ?? "", match[3] ?? "", match[2] === "!="];
  if (!allowed.has(path)) {
    throw badRequest(unknownField(path, key));
  }
  const steps = path.split(".");
  return (object) => (fieldText(object, steps) === value) !== negative;
}

/** Kinds with fields of their own say it otherwise than all others. */
function unknownField(path: string, key: string): string {
  if (key === "batch/jobs") return `field label ${JSON.stringify(path)} not supported for Job`;
  const own = FIELDS[key] !== undefined && key !== "apps/replicasets";
  if (own) return `field label not supported: ${path}`;
  return `${JSON.stringify(path)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

function fieldText(object: JsonObject, steps: readonly string[]): string {
  // `source` of an Event is an object; its component is what one selects by.
  if (steps.length === 1 && steps[0] === "source") return textOf(valueAt(object, "source", "component"));
  return textOf(valueAt(object, ...steps));
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null || isObject(value) || Array.isArray(value)) return "";
  return String(value);
}
