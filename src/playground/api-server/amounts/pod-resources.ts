// What a pod asks for as a whole: its containers together, or the init container that needs more, or what the pod says.
import type { JsonObject } from "../contract.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";
import type { Quantity } from "../quantity.ts";
import { addResources, largestResources, type ResourceList, readResources } from "./resource-list.ts";

type Sort = "requests" | "limits";

const NO_RESOURCES: ResourceList = new Map();

/** Resources that a pod can ask for itself. */
export const isPodLevel = (name: string): boolean =>
  name === "cpu" || name === "memory" || name.startsWith("hugepages-");

export function containerResources(container: JsonObject, sort: Sort): ResourceList {
  return readResources(objectAt(container, "resources", sort));
}

/** Of containers and init containers together. */
export function containersResources(spec: JsonObject, sort: Sort): Map<string, Quantity> {
  let sum = objectsAt(spec, "containers").reduce<ResourceList>(
    (total, container) => addResources(total, containerResources(container, sort)),
    NO_RESOURCES,
  );
  let sidecars = NO_RESOURCES;
  let most = NO_RESOURCES;
  for (const container of objectsAt(spec, "initContainers")) {
    const own = containerResources(container, sort);
    if (stringAt(container, "restartPolicy") === "Always") {
      sum = addResources(sum, own);
      sidecars = addResources(sidecars, own);
      most = largestResources(most, sidecars);
    } else most = largestResources(most, addResources(own, sidecars));
  }
  return largestResources(sum, most);
}

/** The same, but what the pod says itself counts; without overhead. */
export function podResources(spec: JsonObject, sort: Sort): Map<string, Quantity> {
  const whole = containersResources(spec, sort);
  for (const [name, amount] of readResources(objectAt(spec, "resources", sort))) {
    if (isPodLevel(name)) whole.set(name, amount);
  }
  return whole;
}

/** The same with what the runtime class adds: to all requests, to those limits that are there. */
export function podResourcesWithOverhead(spec: JsonObject, sort: Sort): Map<string, Quantity> {
  const whole = podResources(spec, sort);
  const overhead = readResources(objectAt(spec, "overhead"));
  if (sort === "requests") return addResources(whole, overhead);
  const limited = [...overhead].filter(([name]) => (whole.get(name)?.value ?? 0n) !== 0n);
  return addResources(whole, new Map(limited));
}
