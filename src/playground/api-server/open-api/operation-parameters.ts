// Parameters of operations in the order of their names. Those that all operations of a path have stand with the path.
import type { JsonObject } from "../contract.ts";
import { parameterDescription } from "./descriptions.ts";
import type { Operation, PathOperations } from "./operations.ts";
import { PARAMETER_TYPES } from "./verb-rows.ts";

export interface Parameter {
  readonly name: string;
  readonly place: "path" | "query" | "body";
  readonly operation: Operation;
}

export interface PathParameters {
  readonly shared: readonly Parameter[];
  /** Of each operation, what is not shared. */
  readonly own: readonly (readonly Parameter[])[];
}

/** Version 2 has bodies among its parameters. */
export function parametersOf({ places, operations }: PathOperations, bodies: boolean): PathParameters {
  const all = operations.map((operation) => parametersOfOne(places, operation, bodies));
  const key = ({ name, place }: Parameter) => `${place} ${name}`;
  const others = all.slice(1).map((list) => new Set(list.map(key)));
  const shared = (all[0] ?? []).filter((one) => one.place !== "body" && others.every((names) => names.has(key(one))));
  const keys = new Set(shared.map(key));
  return { shared, own: all.map((list) => list.filter((one) => !keys.has(key(one)))) };
}

function parametersOfOne(places: readonly string[], operation: Operation, bodies: boolean): Parameter[] {
  const { query, pretty, body } = operation;
  const names = [...query, ...(pretty ? ["pretty"] : [])];
  return [
    ...places.map((name) => ({ name, place: "path", operation }) as const),
    ...names.map((name) => ({ name, place: "query", operation }) as const),
    ...(bodies && body !== undefined ? [{ name: "body", place: "body", operation } as const] : []),
  ].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

export function parameterType({ name, place }: Parameter): string {
  return (place === "query" ? PARAMETER_TYPES[name] : undefined) ?? "string";
}

/** A description, where there is one. */
export function parameterText({ name, place, operation }: Parameter): JsonObject {
  if (place === "path" && name === "name") return { description: `name of the ${operation.named}` };
  const special = place === "path" ? "path" : operation.texts;
  const description = parameterDescription(name, special);
  return description === undefined ? {} : { description };
}
