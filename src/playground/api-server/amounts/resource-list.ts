// Amounts by resource name, added and compared exactly; the form of a sum is that of its first part that is not nothing.
import type { JsonObject } from "../contract.ts";
import { formatQuantity, parseQuantity, type Quantity } from "../quantity.ts";

export type ResourceList = ReadonlyMap<string, Quantity>;

export const NOTHING: Quantity = { value: 0n, form: "decimal" };

/** What is no quantity is left out. */
export function readResources(given: JsonObject): ResourceList {
  const found = new Map<string, Quantity>();
  for (const [name, text] of Object.entries(given)) {
    const amount = parseQuantity(String(text));
    if (amount !== undefined) found.set(name, amount);
  }
  return found;
}

export function writeResources(list: ResourceList): JsonObject {
  return Object.fromEntries([...list].map(([name, amount]) => [name, formatQuantity(amount)]));
}

export const countOf = (count: number): Quantity => ({ value: BigInt(count) * 1_000_000_000n, form: "decimal" });

function plus(a: Quantity, b: Quantity): Quantity {
  return { value: a.value + b.value, form: a.value === 0n ? b.form : a.form };
}

export function addResources(a: ResourceList, b: ResourceList): Map<string, Quantity> {
  const sum = new Map(a);
  for (const [name, amount] of b) {
    const present = sum.get(name);
    sum.set(name, present === undefined ? amount : plus(present, amount));
  }
  return sum;
}

/** The larger amount of each. */
export function largestResources(a: ResourceList, b: ResourceList): Map<string, Quantity> {
  const most = new Map(a);
  for (const [name, amount] of b) {
    const present = most.get(name);
    if (present === undefined || amount.value > present.value) most.set(name, amount);
  }
  return most;
}

/** How much more `after` is than `before`; never less than nothing. */
export function growth(after: ResourceList, before: ResourceList): Map<string, Quantity> {
  const more = new Map<string, Quantity>();
  for (const [name, amount] of after) {
    const earlier = before.get(name) ?? NOTHING;
    const value = amount.value - earlier.value;
    more.set(name, value > 0n ? { value, form: amount.value === 0n ? earlier.form : amount.form } : NOTHING);
  }
  for (const name of before.keys()) if (!more.has(name)) more.set(name, NOTHING);
  return more;
}

export function masked(list: ResourceList, names: Iterable<string>): Map<string, Quantity> {
  const wanted = new Set(names);
  return new Map([...list].filter(([name]) => wanted.has(name)));
}

export const withoutNothing = (list: ResourceList): Map<string, Quantity> =>
  new Map([...list].filter(([, amount]) => amount.value !== 0n));

/** `cpu=1,memory=1Gi`, by name. */
export function printResources(list: ResourceList): string {
  const names = [...list.keys()].sort();
  return names.map((name) => `${name}=${formatQuantity(list.get(name) ?? NOTHING)}`).join(",");
}

export function sameResources(a: ResourceList, b: ResourceList): boolean {
  return a.size === b.size && [...a].every(([name, amount]) => b.get(name)?.value === amount.value);
}
