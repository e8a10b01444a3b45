import type { ClusterId, ServiceKey } from "./ids.ts";
import type { PolicyKind } from "./policies.ts";

/** One thing that differs between two snapshots that follow each other. */
export type MeshChange =
  | {
      readonly kind: "endpoints";
      readonly service: ServiceKey;
      readonly cluster: ClusterId;
      /** The set of SPIFFE ids over all clusters changed: clusters have to be built anew. */
      readonly identitiesChanged: boolean;
    }
  | { readonly kind: "service"; readonly service: ServiceKey }
  | { readonly kind: "policy"; readonly policy: PolicyKind; readonly namespace: string; readonly name: string }
  | { readonly kind: "networks" }
  | { readonly kind: "mesh" };

/** Identifies what a change is about: two changes of one key merge. */
export function changeKey(change: MeshChange): string {
  if (change.kind === "endpoints") return `endpoints/${change.service}/${change.cluster}`;
  if (change.kind === "service") return `service/${change.service}`;
  if (change.kind === "policy") return `policy/${change.policy}/${change.namespace}/${change.name}`;
  return change.kind;
}

/** Joins two lists of changes; each thing is named once. */
export function mergeChanges(earlier: readonly MeshChange[], later: readonly MeshChange[]): readonly MeshChange[] {
  const merged = new Map(earlier.map((change) => [changeKey(change), change]));
  for (const change of later) {
    const before = merged.get(changeKey(change));
    const identities = before?.kind === "endpoints" && before.identitiesChanged;
    merged.set(
      changeKey(change),
      change.kind === "endpoints" && identities ? { ...change, identitiesChanged: true } : change,
    );
  }
  return [...merged.values()];
}
