import type { DestinationRule } from "#api/networking/destination-rule/types";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import type { Policy } from "#model/policies";
import type { Service } from "#model/service";
import { hostMatches } from "./host-match.ts";

type Rule = Policy<DestinationRule>;

/**
 * The rule a client of `namespace` follows for a service: the client's own namespace first, then the service's, then
 * the root namespace's; in each the most specific host, and of equals the oldest.
 */
export function destinationRuleFor(snapshot: MeshSnapshot, namespace: string, service: Service): Rule | undefined {
  const rules = snapshot.policies.DestinationRule;
  if (rules.length === 0) return undefined;
  const { rootNamespace } = snapshot.mesh.config;
  const levels = [...new Set([namespace, service.namespace, rootNamespace])];
  for (const level of levels) {
    const matching = rules.filter(
      (rule) =>
        rule.namespace === level &&
        (level === namespace || isExported(rule, namespace)) &&
        hostMatches(fullHost(rule, snapshot.mesh.domain), service.hostname),
    );
    const best = [...matching].sort((a, b) => specificity(b.spec.host) - specificity(a.spec.host))[0];
    if (best !== undefined) return best;
  }
  return undefined;
}

function isExported({ spec, namespace }: Rule, to: string): boolean {
  return (
    spec.exportTo.length === 0 ||
    spec.exportTo.some((rule) => rule === "*" || rule === to || (rule === "." && to === namespace))
  );
}

/** A name without dots is a service of the rule's own namespace. */
function fullHost({ spec, namespace }: Rule, domain: string): string {
  return spec.host.includes(".") || spec.host.includes("*") ? spec.host : `${spec.host}.${namespace}.svc.${domain}`;
}

/** Exact names before wildcards, longer wildcards before shorter. */
function specificity(host: string): number {
  return host.startsWith("*") ? host.length : host.length + 1000;
}
