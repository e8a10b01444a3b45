// Fills ClusterRoles that gather the rules of others by label, such as admin, edit and view.
import { Kinds } from "#api/kinds";
import type { ClusterRole, PolicyRule } from "#api/kubernetes/gen/types";
import { matchesSelector } from "#api/kubernetes/label-selector";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf } from "../objects/object-meta.ts";

const FIELD_MANAGER = "clusterrole-aggregation-controller";

export function createClusterRoleController(context: ControllerContext): Component {
  const { caches, client, clock, logger } = context;
  const roles = caches.clusterRoles;
  const all = () => roles.inNamespace("");
  const reconcile = async (name: string) => {
    const role = roles.get("", name);
    if (role?.aggregationRule === undefined) return;
    const rules = gatheredRules(role, all());
    if (JSON.stringify(rules) === JSON.stringify(role.rules ?? [])) return;
    const body = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name },
      rules,
    };
    await client.patch(Kinds.ClusterRole, { name }, body, { type: "apply", fieldManager: FIELD_MANAGER, force: true });
  };
  const queue = new WorkQueue({ name: "cluster-role-aggregation", clock, logger, reconcile });
  // Any role may be part of any other.
  roles.onChange(() => {
    for (const role of all()) if (role.aggregationRule !== undefined) queue.add(identityOf(role).name);
  });
  return controllerComponent(queue, [roles]);
}

/** Rules of the roles that the selectors match, by name of the roles, each rule once. */
export function gatheredRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const others = all
    .filter((other) => identityOf(other).name !== identityOf(role).name)
    .toSorted((a, b) => (identityOf(a).name < identityOf(b).name ? -1 : 1));
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const rules = selectors.flatMap((selector) =>
    others
      .filter((other) => matchesSelector(selector, other.metadata?.labels ?? {}))
      .flatMap((other) => other.rules ?? []),
  );
  const seen = new Set<string>();
  return rules.filter((rule) => {
    const text = JSON.stringify(rule);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}
