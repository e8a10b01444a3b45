import type { JsonObject } from "../contract.ts";
import { isObject, objectAt, objectsAt } from "../json.ts";
import { nanoUnits } from "../quantity.ts";

const COUNTED = ["cpu", "memory"];

type Amounts = ReadonlyMap<string, bigint>;

/**
 * The quality of service of a pod's spec. Guaranteed: each container limits cpu and memory and requests as much.
 * BestEffort: none says anything. What the pod says as a whole counts for all of its containers.
 */
export function qosClass(spec: JsonObject): string {
  const whole = spec["resources"];
  const holders = isObject(whole)
    ? [whole]
    : [...objectsAt(spec, "containers"), ...objectsAt(spec, "initContainers")].map((one) => objectAt(one, "resources"));
  const requests = total(holders, "requests");
  const limits = total(holders, "limits");
  if (requests.size === 0 && limits.size === 0) return "BestEffort";
  const limited = holders.every((holder) => amounts(holder, "limits").size === COUNTED.length);
  const equal = requests.size === limits.size && [...requests].every(([name, amount]) => limits.get(name) === amount);
  return limited && equal ? "Guaranteed" : "Burstable";
}

/** Nothing is as good as not said. */
function amounts(resources: JsonObject, sort: string): Amounts {
  const given = objectAt(resources, sort);
  return new Map(
    COUNTED.flatMap((name) => {
      const amount = nanoUnits(given[name]);
      return amount > 0n ? [[name, amount] as const] : [];
    }),
  );
}

function total(holders: readonly JsonObject[], sort: string): Amounts {
  const sum = new Map<string, bigint>();
  for (const holder of holders) {
    for (const [name, amount] of amounts(holder, sort)) sum.set(name, (sum.get(name) ?? 0n) + amount);
  }
  return sum;
}
