// pods/binding puts a pod on a node.
import { systemClock } from "#base/clock";
import { timestamp } from "../api-context.ts";
import { badRequest, conflict, type FieldError, fieldErrorText, notFound } from "../api-errors.ts";
import {
  ApiStatusError,
  type JsonObject,
  type ObjectAccess,
  type VirtualRequest,
  type VirtualResource,
} from "../contract.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";
import { notSupported, required } from "../validation/field-errors.ts";

const PODS = { group: "", plural: "pods" };

const success = (code: number): JsonObject => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  code,
});

/** POST pods/NAME/binding and POST bindings, which names the pod in its metadata. */
export function podBindings(objects: ObjectAccess): VirtualResource[] {
  const bind = async ({ namespace, name, body, dryRun }: VirtualRequest) => {
    if (stringAt(body, "metadata", "name") !== name)
      throw badRequest("name in URL does not match name in Binding object");
    checkTarget(body);
    const node = stringAt(body, "target", "name");
    const topology = topologyOf(objects.get("", "nodes", "", node));
    const change = (pod: JsonObject) => {
      checkPreconditions(pod, objectAt(body, "metadata"));
      return assigned(pod, node, body, topology);
    };
    const present = objects.get("", "pods", namespace, name);
    if (present === undefined) throw notFound(PODS, name);
    if (dryRun === true) change(present);
    else objects.update({ group: "", resource: "pods", namespace, name }, change);
    return success(201);
  };
  const row = { group: "", version: "v1", kind: "Binding", namespaced: true };
  return [
    { ...row, resource: "pods", subresource: "binding", create: bind },
    {
      ...row,
      resource: "bindings",
      create: (request) => bind({ ...request, name: stringAt(request.body, "metadata", "name") }),
    },
  ];
}

/** Throws 500, as Kubernetes does, for a binding that names no node. */
function checkTarget(body: JsonObject): void {
  const kind = stringAt(body, "target", "kind");
  const errors: FieldError[] = [];
  if (kind !== "" && kind !== "Node") errors.push(notSupported("target.kind", kind, ["Node", "<empty>"]));
  if (stringAt(body, "target", "name") === "") errors.push(required("target.name"));
  const texts = errors.map((error) => `${error.field}: ${fieldErrorText(error)}`);
  if (texts.length > 0)
    throw new ApiStatusError(500, "", texts.length === 1 ? texts.join("") : `[${texts.join(", ")}]`);
}

function checkPreconditions(pod: JsonObject, binding: JsonObject): void {
  const name = stringAt(pod, "metadata", "name");
  const key = `/registry/pods/${stringAt(pod, "metadata", "namespace")}/${name}`;
  const checks = [
    ["UID", "uid"],
    ["ResourceVersion", "resourceVersion"],
  ] as const;
  for (const [what, field] of checks) {
    const [wanted, found] = [stringAt(binding, field), stringAt(pod, "metadata", field)];
    if (wanted === "" || wanted === found) continue;
    const why = `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`;
    const where = `Key: ${key}, ResourceVersion: 0`;
    throw conflict(PODS, name, `StorageError: invalid object, Code: 4, ${where}, AdditionalErrorMsg: ${why}`);
  }
}

/** Zone and region of the node, which its pods carry from the moment they are bound to it. */
function topologyOf(node: JsonObject | undefined): JsonObject {
  const labels = objectAt(node, "metadata", "labels");
  return Object.fromEntries(
    ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"].flatMap((key) => {
      const value = labels[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

const BINDINGS = { group: "", plural: "pods/binding" };

function refuseBound(pod: JsonObject): void {
  const name = stringAt(pod, "metadata", "name");
  const present = stringAt(pod, "spec", "nodeName");
  const refuse = (why: string) => conflict(BINDINGS, name, `pod ${name} ${why}`);
  if (stringAt(pod, "metadata", "deletionTimestamp") !== "")
    throw refuse("is being deleted, cannot be assigned to a host");
  if (present !== "") throw refuse(`is already assigned to node ${JSON.stringify(present)}`);
  if (objectsAt(pod, "spec", "schedulingGates").length > 0) throw refuse("has non-empty .spec.schedulingGates");
}

function assigned(pod: JsonObject, node: string, binding: JsonObject, topology: JsonObject): JsonObject {
  refuseBound(pod);
  const annotations = { ...objectAt(pod, "metadata", "annotations"), ...objectAt(binding, "metadata", "annotations") };
  const wanted = { ...objectAt(binding, "metadata", "labels"), ...topology };
  const labels = { ...objectAt(pod, "metadata", "labels"), ...wanted };
  const { nominatedNodeName: _, ...status } = objectAt(pod, "status");
  return {
    ...pod,
    metadata: {
      ...objectAt(pod, "metadata"),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
    },
    spec: { ...objectAt(pod, "spec"), nodeName: node },
    status: withPodCondition(status, { type: "PodScheduled", status: "True" }, systemClock.now()),
  };
}

/** The status with a condition; its time is that of the last change of its status. */
export function withPodCondition(
  status: JsonObject,
  condition: { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string },
  now: number,
): JsonObject {
  const conditions = objectsAt(status, "conditions");
  const before = conditions.find(({ type }) => type === condition.type);
  const since = before?.["status"] === condition.status ? before["lastTransitionTime"] : undefined;
  const next: JsonObject = { ...condition, lastProbeTime: null, lastTransitionTime: since ?? timestamp(now) };
  const all = before === undefined ? [...conditions, next] : conditions.map((one) => (one === before ? next : one));
  return { ...status, conditions: all };
}
