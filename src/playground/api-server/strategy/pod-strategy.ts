import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { clone, deepEqual, isObject, objectAt, objectsAt, stringAt } from "../json.ts";

/** A Pod begins pending, with the quality of service that its resources give it. */
export function preparePod(pod: JsonObject): void {
  pod["status"] = { phase: "Pending", qosClass: qosClass(objectAt(pod, "spec")) };
  const spec = objectAt(pod, "spec");
  if (spec["enableServiceLinks"] === undefined && pod["spec"] !== undefined) spec["enableServiceLinks"] = true;
}

export function preparePodUpdate(pod: JsonObject, old: JsonObject): void {
  const status = pod["status"];
  if (isObject(status)) status["qosClass"] ??= objectAt(old, "status")["qosClass"] ?? qosClass(objectAt(old, "spec"));
}

/** Guaranteed: each container limits cpu and memory and requests as much. BestEffort: none says anything. */
function qosClass(spec: JsonObject): string {
  const containers = [...objectsAt(spec, "containers"), ...objectsAt(spec, "initContainers")];
  const resources = containers.map((container) => objectAt(container, "resources"));
  const amounts = (of: JsonObject, which: string) =>
    Object.entries(objectAt(of, which)).filter(([name]) => name === "cpu" || name === "memory");
  if (resources.every((of) => amounts(of, "requests").length === 0 && amounts(of, "limits").length === 0)) {
    return "BestEffort";
  }
  const full = resources.every(
    (of) => amounts(of, "limits").length === 2 && deepEqual(objectAt(of, "limits"), objectAt(of, "requests")),
  );
  return full ? "Guaranteed" : "Burstable";
}

/** What a Pod may still change once it is made. */
function fixedSpec(pod: JsonObject): JsonObject {
  const spec = clone(objectAt(pod, "spec"));
  for (const field of [
    "activeDeadlineSeconds",
    "tolerations",
    "terminationGracePeriodSeconds",
    "ephemeralContainers",
    "schedulingGates",
  ]) {
    delete spec[field];
  }
  for (const list of ["containers", "initContainers"]) {
    for (const container of objectsAt(spec, list)) {
      delete container["image"];
      delete container["resources"];
    }
  }
  return spec;
}

export function podRules(pod: JsonObject, old: JsonObject | undefined): FieldError[] {
  const spec = objectAt(pod, "spec");
  if (old !== undefined) {
    const before = fixedSpec(old);
    const after = fixedSpec(pod);
    // Binding sets the node once.
    if (stringAt(before, "nodeName") === "") delete after["nodeName"];
    if (stringAt(before, "nodeName") === "") delete before["nodeName"];
    if (deepEqual(before, after)) return [];
    const detail =
      "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    return [{ field: "spec", type: "FieldValueForbidden", detail }];
  }
  return [...containerRules(spec, "containers"), ...containerRules(spec, "initContainers"), ...mountRules(spec)];
}

function containerRules(spec: JsonObject, list: string): FieldError[] {
  return objectsAt(spec, list).flatMap((container, index): FieldError[] => {
    const path = `spec.${list}[${index}]`;
    const errors: FieldError[] = [];
    if (stringAt(container, "name") === "")
      errors.push({ field: `${path}.name`, type: "FieldValueRequired", detail: "" });
    if (stringAt(container, "image") === "")
      errors.push({ field: `${path}.image`, type: "FieldValueRequired", detail: "" });
    return errors;
  });
}

function mountRules(spec: JsonObject): FieldError[] {
  const volumes = new Set(objectsAt(spec, "volumes").map((volume) => stringAt(volume, "name")));
  return ["containers", "initContainers"].flatMap((list) =>
    objectsAt(spec, list).flatMap((container, index) =>
      objectsAt(container, "volumeMounts").flatMap((mount, at): FieldError[] => {
        const name = stringAt(mount, "name");
        if (volumes.has(name) || name === "") return [];
        return [
          {
            field: `spec.${list}[${index}].volumeMounts[${at}].name`,
            type: "FieldValueNotFound",
            value: name,
            detail: "",
          },
        ];
      }),
    ),
  );
}
