// How much the rules of one definition may cost, each and all together.
import type { FieldError } from "../api-errors.ts";
import { forbidden } from "../validation/field-errors.ts";

const MOST_OF_ONE = 10_000_000;
const MOST_OF_ALL = 100_000_000;
/** So many of the dearest are named. */
const NAMED = 4;

export interface RuleCosts {
  /** Counts an expression; what is wrong with it alone. `what` names its cost. */
  observe(field: string, cost: number, what: string): FieldError[];
  /** What is wrong with all of them together, in the schema at `path`. */
  errors(path: string): FieldError[];
}

export function createRuleCosts(): RuleCosts {
  let total = 0;
  let dearest: { field: string; cost: number }[] = [];
  return {
    observe(field, cost, what) {
      total += cost;
      if (cost >= MOST_OF_ALL / 100)
        dearest = [...dearest, { field, cost }].sort((a, b) => b.cost - a.cost).slice(0, NAMED);
      return cost > MOST_OF_ONE ? [forbidden(field, refusal(what, cost, MOST_OF_ONE))] : [];
    },
    errors(path) {
      if (total <= MOST_OF_ALL) return [];
      const why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
      const what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
      return [...dearest.map(({ field }) => forbidden(field, why)), forbidden(path, refusal(what, total, MOST_OF_ALL))];
    },
  };
}

function refusal(what: string, cost: number, most: number): string {
  const factor = cost / most;
  const times = factor > 100 ? "more than 100x" : `${factor < 1.5 ? factor.toFixed(6) : factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${times} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}
