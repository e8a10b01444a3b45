// Policies keep their own spec: a field of the API is written in api and read in the one file of xds that needs it.
import type { DestinationRule } from "#api/networking/destination-rule/types";
import type { Gateway } from "#api/networking/gateway/types";
import type { MtlsMode, PeerAuthentication } from "#api/security/peer-authentication/types";

export interface Policy<Spec> {
  readonly namespace: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly spec: Spec;
}

export interface PolicySpecs {
  readonly Gateway: Gateway;
  readonly PeerAuthentication: PeerAuthentication;
  readonly DestinationRule: DestinationRule;
}

export type PolicyKind = keyof PolicySpecs;

/** All policies of the own cluster by kind, oldest first. */
export type Policies = { readonly [Kind in PolicyKind]: readonly Policy<PolicySpecs[Kind]>[] };

export const NO_POLICIES: Policies = Object.freeze({ Gateway: [], PeerAuthentication: [], DestinationRule: [] });

/** Oldest first, ties by namespace and name: the order in which policies win. */
export function comparePolicies(a: Policy<unknown>, b: Policy<unknown>): number {
  if (a.created !== b.created) return a.created - b.created;
  const [left, right] = [`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether every label of the selector is on the workload; an empty selector selects all. */
export function selectorMatches(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

export interface Workload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

type SetMode = Exclude<MtlsMode, "UNSET">;

/**
 * The mTLS mode of a workload, at one port when given. Workload rules win over the namespace's, those over the root
 * namespace's; the oldest of each level counts; UNSET inherits; nothing at all means PERMISSIVE.
 */
export function mtlsModeOf(
  policies: readonly Policy<PeerAuthentication>[],
  rootNamespace: string,
  workload: Workload,
  port?: number,
): SetMode {
  if (policies.length === 0) return "PERMISSIVE";
  const inNamespace = (namespace: string) => policies.filter((policy) => policy.namespace === namespace);
  const own = inNamespace(workload.namespace);
  const selecting = own.find(({ spec }) => hasSelector(spec) && selectorMatches(spec.selector, workload.labels));
  const levels = [
    port === undefined ? undefined : selecting?.spec.portLevelMtls[port],
    selecting?.spec.mode,
    own.find(({ spec }) => !hasSelector(spec))?.spec.mode,
    inNamespace(rootNamespace).find(({ spec }) => !hasSelector(spec))?.spec.mode,
  ];
  return levels.find((mode): mode is SetMode => mode !== undefined && mode !== "UNSET") ?? "PERMISSIVE";
}

function hasSelector(spec: PeerAuthentication): boolean {
  return Object.keys(spec.selector).length > 0;
}
