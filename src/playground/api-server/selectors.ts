// Label and field selectors of list and watch requests.
import { badRequest } from "./api-errors.ts";
import type { JsonObject, JsonValue } from "./contract.ts";
import { isObject, objectAt, valueAt } from "./json.ts";

export type Predicate = (object: JsonObject) => boolean;

type LabelTest = (labels: JsonObject) => boolean;

const SET = /^\s*([^\s!=,()]+)\s+(in|notin)\s*\(([^)]*)\)\s*$/;
const EQUAL = /^\s*([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)\s*$/;
const EXISTS = /^\s*(!?)\s*([^\s!=,()]+)\s*$/;
const COMPARE = /^\s*([^\s!=,()<>]+)\s*([<>])\s*(-?\d+)\s*$/;

/** Parses `a=b,c!=d,e in (f,g),!h`. An empty text matches everything. Throws 400. */
export function labelSelector(text: string): Predicate {
  const tests = splitOutsideParentheses(text)
    .filter((part) => part.trim() !== "")
    .map(labelTest);
  if (tests.length === 0) return () => true;
  return (object) => {
    const labels = objectAt(object, "metadata", "labels");
    return tests.every((test) => test(labels));
  };
}

const has = (labels: JsonObject, key: string) => Object.hasOwn(labels, key);

function labelTest(part: string): LabelTest {
  const set = SET.exec(part);
  if (set !== null) return setTest(set[1] ?? "", set[2] === "in", set[3] ?? "");
  const equal = EQUAL.exec(part);
  if (equal !== null) {
    const [key, value, negative] = [equal[1] ?? "", equal[3] ?? "", equal[2] === "!="];
    return (labels) => (has(labels, key) && labels[key] === value) !== negative;
  }
  const compare = COMPARE.exec(part);
  if (compare !== null) {
    const [key, limit, more] = [compare[1] ?? "", Number(compare[3]), compare[2] === ">"];
    return (labels) => has(labels, key) && (more ? Number(labels[key]) > limit : Number(labels[key]) < limit);
  }
  const exists = EXISTS.exec(part);
  if (exists === null) throw badRequest(`unable to parse requirement: "${part}" is no label selector`);
  const [key, wanted] = [exists[2] ?? "", exists[1] === ""];
  return (labels) => has(labels, key) === wanted;
}

function setTest(key: string, wanted: boolean, list: string): LabelTest {
  const values = new Set(list.split(",").map((value) => value.trim()));
  return (labels) => (has(labels, key) && values.has(String(labels[key]))) === wanted;
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/);
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
  const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
  if (match === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
  const [path, value, negative] = [match[1] ?? "", match[3] ?? "", match[2] === "!="];
  if (!allowed.has(path)) {
    throw badRequest(
      `Unable to find "${key.replace(/^\//, "")}" that match field selector "${part}": field label not supported: ${path}`,
    );
  }
  const steps = path.split(".");
  return (object) => (fieldText(object, steps) === value) !== negative;
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
