// What may change of a pod through its doors `ephemeralcontainers` and `resize`.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject } from "../../contract.ts";
import { deepEqual, objectAt, objectsAt, stringAt } from "../../json.ts";
import { qosClass } from "../../strategy/quality-of-service.ts";
import { forbidden, invalid } from "../field-errors.ts";
import { checkEphemeralUpdate } from "./other-containers.ts";
import { checkPod, isMirror } from "./pods.ts";

export function checkEphemeralContainers(pod: JsonObject, old: JsonObject): FieldError[] {
  if (isMirror(old)) return [forbidden("", "static pods do not support ephemeral containers")];
  return [...checkPod(pod), ...checkEphemeralUpdate(pod, old)];
}

export function checkResize(pod: JsonObject, old: JsonObject): FieldError[] {
  if (isMirror(old)) return [forbidden("", "static pods cannot be resized")];
  const errors = checkPod(pod);
  const before = stringAt(old, "status", "qosClass");
  if ((before || qosClass(objectAt(old, "spec"))) !== qosClass(objectAt(pod, "spec")))
    errors.push(invalid("spec", before, "Pod QOS Class may not change as a result of resizing"));
  if (!resizable(old)) errors.push(forbidden("spec", "Pod running on node without support for resize"));
  const moved = ["containers", "initContainers"].flatMap((list) => checkOrder(list, pod, old));
  if (moved.length > 0) return [...errors, ...moved];
  return [
    ...errors,
    ...pairs("initContainers", pod, old).flatMap(({ next, before: was, path }) =>
      isSidecar(was) ? checkRemoved(path, next, was) : [],
    ),
    ...pairs("containers", pod, old).flatMap(({ next, before: was, path }) => checkRemoved(path, next, was)),
    ...pairs("containers", pod, old).flatMap(({ next, before: was }) =>
      deepEqual(fixed(next), fixed(was)) ? [] : [forbidden("spec", "only cpu and memory resources are mutable")],
    ),
    ...pairs("initContainers", pod, old).flatMap(({ next, before: was }) => checkInit(next, was)),
  ];
}

/** A node that tells nothing of its containers' resources cannot change them. */
function resizable(pod: JsonObject): boolean {
  const running = objectsAt(pod, "status", "containerStatuses").find(
    (status) => objectAt(status, "state")["running"] !== undefined,
  );
  return running === undefined || running["resources"] !== undefined;
}

function checkOrder(list: string, pod: JsonObject, old: JsonObject): FieldError[] {
  const next = objectsAt(pod, "spec", list);
  const before = objectsAt(old, "spec", list);
  if (next.length !== before.length)
    return [forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)];
  return before.flatMap((container, index) =>
    stringAt(next[index], "name") === stringAt(container, "name")
      ? []
      : [forbidden(`spec.${list}[${index}].name`, `${list} may not be renamed or reordered on resize`)],
  );
}

function pairs(list: string, pod: JsonObject, old: JsonObject) {
  const before = objectsAt(old, "spec", list);
  return objectsAt(pod, "spec", list).map((next, index) => ({
    next,
    before: before[index] ?? {},
    path: `spec.${list}[${index}].resources`,
  }));
}

const isSidecar = (container: JsonObject) => container["restartPolicy"] === "Always";

function checkRemoved(path: string, next: JsonObject, before: JsonObject): FieldError[] {
  return ["requests", "limits"].flatMap((field) => {
    const now = objectAt(next, "resources", field);
    const gone = Object.keys(objectAt(before, "resources", field)).some((name) => now[name] === undefined);
    return gone ? [forbidden(`${path}.${field}`, `resource ${field} cannot be removed`)] : [];
  });
}

function checkInit(next: JsonObject, before: JsonObject): FieldError[] {
  if (!isSidecar(next)) {
    const why = "resources for non-sidecar init containers are immutable";
    return deepEqual(next, before) ? [] : [forbidden("spec", why)];
  }
  const why = "only cpu and memory resources for sidecar containers are mutable";
  return deepEqual(fixed(next), fixed(before)) ? [] : [forbidden("spec", why)];
}

/** A container without what may change of it. */
function fixed(container: JsonObject): JsonObject {
  const { resources, ...rest } = container;
  const others = ["requests", "limits"].map((field) => {
    const { cpu: _c, memory: _m, ...amounts } = objectAt(resources, field);
    return amounts;
  });
  return { ...rest, resources: others };
}
