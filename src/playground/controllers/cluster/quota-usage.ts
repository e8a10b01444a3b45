import type { Evaluator } from "../../api-server/admission/quota/evaluators.ts";
import { scopesOf } from "../../api-server/admission/quota/quota-scopes.ts";
import {
  addResources,
  masked,
  NOTHING,
  type ResourceList,
  readResources,
} from "../../api-server/amounts/resource-list.ts";
import type { JsonObject } from "../../api-server/contract.ts";
import { objectAt } from "../../api-server/json.ts";

/** One kind in the quota's namespace. */
export interface CountedKind {
  readonly evaluator: Evaluator;
  objects(): readonly JsonObject[];
}

/** What the quota's namespace uses of what it limits; of what nobody can count, what was told last. `now` in ms. */
export function usageOf(quota: JsonObject, kinds: readonly CountedKind[], now: number): ResourceList {
  const names = Object.keys(objectAt(quota, "spec", "hard"));
  const scopes = scopesOf(quota);
  let used: ResourceList = masked(readResources(objectAt(quota, "status", "used")), names);
  for (const { evaluator, objects } of kinds) {
    const own = evaluator.matching(names);
    if (own.length === 0) continue;
    let sum: ResourceList = new Map(own.map((name) => [name, NOTHING]));
    for (const object of objects()) {
      if (scopes.every((term) => evaluator.inScope(object, term)))
        sum = addResources(sum, evaluator.usage(object, now));
    }
    used = new Map([...used, ...masked(sum, own)]);
  }
  return used;
}
