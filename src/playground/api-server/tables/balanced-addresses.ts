import type { JsonObject } from "../contract.ts";
import { objectsAt, stringAt } from "../json.ts";

/** Where a load balancer serves an object: each address once, sorted. */
export function balancedAddresses(object: JsonObject): string[] {
  const all = objectsAt(object, "status", "loadBalancer", "ingress").map(
    (one) => stringAt(one, "ip") || stringAt(one, "hostname"),
  );
  return [...new Set(all.filter((one) => one !== ""))].sort();
}
