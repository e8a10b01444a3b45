// Nobody hands out what they do not hold: without this check, whoever may write roles could make themselves
// administrator. `escalate` on roles and `bind` on the bound role lift it, as does system:masters.
import { forbidden, notFound } from "../api-errors.ts";
import { MASTERS } from "../auth/create-authorizer.ts";
import { type PolicyRule, parseRules, ruleAllows, ruleText, uncovered } from "../auth/policy-rules.ts";
import { RBAC_GROUP, type RbacIndex, rbacIndexOf } from "../auth/rbac-index.ts";
import {
  type AdmissionAttributes,
  type AdmissionPlugin,
  ApiStatusError,
  type JsonObject,
  type ObjectAccess,
} from "../contract.ts";
import { deepEqual, objectAt, objectsAt, stringAt } from "../json.ts";

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

/** The garbage collector's fields may be changed by anyone who may write the object: it must not need `bind`. */
function unchanged({ oldObject }: AdmissionAttributes, object: JsonObject): boolean {
  if (oldObject === undefined) return false;
  const rest = (one: JsonObject): JsonObject => {
    const { ownerReferences: _o, finalizers: _f, managedFields: _m, ...metadata } = objectAt(one, "metadata");
    return { ...one, metadata };
  };
  return deepEqual(rest(oldObject), rest(object));
}

interface Ask {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly name: string;
}

function mayDo({ namespace }: AdmissionAttributes, held: readonly PolicyRule[], ask: Ask): boolean {
  const info = { ...ask, isResource: true, path: "", version: "*", subresource: "", namespace };
  return held.some((rule) => ruleAllows(rule, info));
}

/** An aggregation takes in rules that nobody can know yet, so it needs everything. */
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"], resourceNames: [], nonResourceURLs: [] },
  { verbs: ["*"], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ["*"] },
];

const aggregates = (role: JsonObject | undefined) =>
  role !== undefined && objectsAt(role, "aggregationRule", "clusterRoleSelectors").length > 0;

function checkRole(attributes: AdmissionAttributes, role: JsonObject, held: readonly PolicyRule[]): void {
  const { resource, oldObject } = attributes;
  // The request that makes a role names none.
  const name = oldObject === undefined ? "" : attributes.name;
  if (mayDo(attributes, held, { verb: "escalate", group: RBAC_GROUP, resource, name })) return;
  refuseUncovered(attributes, uncovered(held, parseRules(role)));
  if (resource === "roles" || !(aggregates(role) || aggregates(oldObject))) return;
  if (uncovered(held, EVERYTHING).length > 0)
    throw refusal(attributes, "must have cluster-admin privileges to use the aggregationRule");
}

const RESOURCES: Readonly<Record<string, string>> = { Role: "roles", ClusterRole: "clusterroles" };

function checkBinding(
  rbac: RbacIndex,
  attributes: AdmissionAttributes,
  { object, held }: { object: JsonObject; held: readonly PolicyRule[] },
): void {
  const kind = stringAt(object, "roleRef", "kind");
  const name = stringAt(object, "roleRef", "name");
  const resource = RESOURCES[kind];
  const group = stringAt(object, "roleRef", "apiGroup") || RBAC_GROUP;
  if (resource === undefined) throw new ApiStatusError(500, "", `unsupported role reference kind: "${kind}"`);
  if (mayDo(attributes, held, { verb: "bind", group, resource, name })) return;
  const wanted = rbac.rulesOfRole(kind, attributes.namespace, name);
  // Kubernetes takes the resource of the request for that of the role.
  if (wanted === undefined) throw notFound({ group: RBAC_GROUP, plural: attributes.resource }, name);
  refuseUncovered(attributes, uncovered(held, wanted));
}

function refuseUncovered(attributes: AdmissionAttributes, missing: readonly PolicyRule[]): void {
  if (missing.length === 0) return;
  const { user } = attributes;
  const groups = user.groups.map((group) => JSON.stringify(group)).join(" ");
  const rules = [...new Set(compacted(missing).map(ruleText))].sort().join("\n");
  throw refusal(
    attributes,
    `user ${JSON.stringify(user.username)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${rules}`,
  );
}

const refusal = ({ resource, name }: AdmissionAttributes, why: string) =>
  forbidden({ group: RBAC_GROUP, plural: resource }, name, why);

/** Rules that differ in their verb alone, as one. Each has one verb, and one resource or URL. */
function compacted(rules: readonly PolicyRule[]): PolicyRule[] {
  const byResource = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const { verbs, ...rest } = rule;
    const key = rule.nonResourceURLs.length > 0 ? JSON.stringify(rule) : JSON.stringify(rest);
    const known = byResource.get(key);
    const all = known === undefined || rule.nonResourceURLs.length > 0 ? verbs : [...known.verbs, ...verbs];
    byResource.set(key, { ...rule, verbs: all });
  }
  return [...byResource.values()];
}
