// Nobody hands out what they do not hold: without this check, whoever may write roles could make themselves
// administrator. `escalate` on roles and `bind` on the bound role lift it, as does system:masters.
import { forbidden } from "../api-errors.ts";
import { MASTERS } from "../auth/create-authorizer.ts";
import { type PolicyRule, parseRules, renderRule, ruleAllows, uncovered } from "../auth/policy-rules.ts";
import { RBAC_GROUP, type RbacIndex, rbacIndexOf } from "../auth/rbac-index.ts";
import type { AdmissionAttributes, AdmissionPlugin, JsonObject, ObjectAccess } from "../contract.ts";
import { deepEqual, stringAt } from "../json.ts";

export function rbacEscalation(objects: ObjectAccess): AdmissionPlugin {
  const rbac = rbacIndexOf(objects);
  return {
    name: "RBACEscalation",
    async admit(attributes) {
      const { group, resource, operation, object, user } = attributes;
      const writes = operation === "CREATE" || operation === "UPDATE";
      if (group !== RBAC_GROUP || !writes || object === undefined) return object;
      if (user.groups.includes(MASTERS) || unchanged(attributes, object)) return object;
      const held = [...rbac.rulesFor(user, attributes.namespace)].map(({ rule }) => rule);
      const roleWrite = resource === "roles" || resource === "clusterroles";
      if (roleWrite) checkRole(attributes, object, held);
      else checkBinding(rbac, attributes, { object, held });
      return object;
    },
  };
}

/** Metadata may be changed by anyone who may write the object: garbage collection must not need `bind`. */
function unchanged({ oldObject }: AdmissionAttributes, object: JsonObject): boolean {
  if (oldObject === undefined) return false;
  return ["rules", "aggregationRule", "roleRef", "subjects"].every((key) => deepEqual(oldObject[key], object[key]));
}

function mayDo(attributes: AdmissionAttributes, held: readonly PolicyRule[], ask: { verb: string } & Target): boolean {
  const info = {
    isResource: true,
    path: "",
    verb: ask.verb,
    group: RBAC_GROUP,
    version: "v1",
    resource: ask.resource,
    subresource: "",
    namespace: attributes.namespace,
    name: ask.name,
  };
  return held.some((rule) => ruleAllows(rule, info));
}

interface Target {
  readonly resource: string;
  readonly name: string;
}

function checkRole(attributes: AdmissionAttributes, role: JsonObject, held: readonly PolicyRule[]): void {
  const { resource, name } = attributes;
  if (mayDo(attributes, held, { verb: "escalate", resource, name })) return;
  // An aggregation takes in rules that nobody can know yet, so it needs everything.
  const everything = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], resourceNames: [], nonResourceURLs: [] };
  const wanted = role["aggregationRule"] === undefined ? parseRules(role) : [everything];
  refuseUncovered(attributes, uncovered(held, wanted));
}

function checkBinding(
  rbac: RbacIndex,
  attributes: AdmissionAttributes,
  { object, held }: { object: JsonObject; held: readonly PolicyRule[] },
): void {
  const kind = stringAt(object, "roleRef", "kind");
  const name = stringAt(object, "roleRef", "name");
  const resource = kind === "Role" ? "roles" : "clusterroles";
  if (mayDo(attributes, held, { verb: "bind", resource, name })) return;
  const wanted = rbac.rulesOfRole(kind, attributes.namespace, name);
  if (wanted === undefined) {
    const why = `${resource}.${RBAC_GROUP} ${JSON.stringify(name)} not found`;
    throw forbidden({ group: RBAC_GROUP, plural: attributes.resource }, attributes.name, why);
  }
  refuseUncovered(attributes, uncovered(held, wanted));
}

function refuseUncovered({ resource, name, user }: AdmissionAttributes, missing: readonly PolicyRule[]): void {
  if (missing.length === 0) return;
  const groups = user.groups.map((group) => JSON.stringify(group)).join(" ");
  const rules = missing.map((rule) => JSON.stringify(renderRule(rule))).join("\n");
  const why = `user ${JSON.stringify(user.username)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${rules}`;
  throw forbidden({ group: RBAC_GROUP, plural: resource }, name, why);
}
