import type { MeshChange } from "#model/mesh-change";
import { comparePolicies, NO_POLICIES, type Policies, type Policy, type PolicyKind } from "#model/policies";
import { sameFacts } from "#model/same-facts";
import type { PolicyFact } from "./fact.ts";

/** Policies of the own cluster, by kind, oldest first. */
export class PolicyStore {
  #policies: Policies = NO_POLICIES;

  get policies(): Policies {
    return this.#policies;
  }

  apply(fact: PolicyFact): readonly MeshChange[] {
    const { policy, namespace, name, value } = fact;
    const before: readonly Policy<unknown>[] = this.#policies[policy];
    const isIt = (other: Policy<unknown>) => other.namespace === namespace && other.name === name;
    if (sameFacts(before.find(isIt), value)) return [];
    const others = before.filter((other) => !isIt(other));
    const after = value === undefined ? others : [...others, Object.freeze(value)].sort(comparePolicies);
    this.#policies = Object.freeze({ ...this.#policies, [policy satisfies PolicyKind]: Object.freeze(after) });
    return [{ kind: "policy", policy, namespace, name }];
  }
}
