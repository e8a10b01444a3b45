// Answers "which rules does this user hold here" without looking at bindings of others: bindings are filed under their
// subjects, roles keep their parsed rules, and both follow the store by its change feed.
import type { JsonObject, ObjectAccess, UserInfo } from "../contract.ts";
import { objectsAt, stringAt } from "../json.ts";
import { type PolicyRule, parseRules } from "./policy-rules.ts";
import { serviceAccountUser } from "./service-account-tokens.ts";

export const RBAC_GROUP = "rbac.authorization.k8s.io";

interface Binding {
  readonly kind: "RoleBinding" | "ClusterRoleBinding";
  readonly namespace: string;
  readonly name: string;
  readonly roleKind: string;
  readonly roleName: string;
  readonly subjects: readonly string[];
}

/** A rule and why the user holds it. */
export interface HeldRule {
  readonly rule: PolicyRule;
  /** `ClusterRoleBinding "b" of ClusterRole "r"`. */
  readonly origin: string;
}

export interface RbacIndex {
  /** The rules of a user in a namespace, "" for the cluster alone; lazily, first the cluster's. */
  rulesFor(user: UserInfo, namespace: string): Iterable<HeldRule>;
  /** The rules of a role; a controller writes those of an aggregated one. Undefined when the role does not exist. */
  rulesOfRole(kind: string, namespace: string, name: string): readonly PolicyRule[] | undefined;
}

const indexes = new WeakMap<ObjectAccess, RbacIndex>();

/** The one index of a store; authorizer, admission and reviews share it. */
export function rbacIndexOf(objects: ObjectAccess): RbacIndex {
  let index = indexes.get(objects);
  if (index === undefined) {
    index = createRbacIndex(objects);
    indexes.set(objects, index);
  }
  return index;
}

const KEY = (kind: string, namespace: string, name: string) => `${kind}/${namespace}/${name}`;

const KINDS: Readonly<Record<string, string>> = {
  roles: "Role",
  clusterroles: "ClusterRole",
  rolebindings: "RoleBinding",
  clusterrolebindings: "ClusterRoleBinding",
};

function createRbacIndex(objects: ObjectAccess): RbacIndex {
  const bindings = new Map<string, Binding>();
  const bySubject = new Map<string, Set<Binding>>();
  const roles = new Map<string, JsonObject>();
  const parsed = new Map<string, readonly PolicyRule[]>();

  const fileBinding = (key: string, binding: Binding | undefined) => {
    const before = bindings.get(key);
    if (before !== undefined) for (const subject of before.subjects) bySubject.get(subject)?.delete(before);
    bindings.delete(key);
    if (binding === undefined) return;
    bindings.set(key, binding);
    for (const subject of binding.subjects) {
      const filed = bySubject.get(subject) ?? new Set();
      bySubject.set(subject, filed.add(binding));
    }
  };
  const take = (resource: string, object: JsonObject, gone: boolean) => {
    const kind = KINDS[resource] ?? "";
    const key = KEY(kind, stringAt(object, "metadata", "namespace"), stringAt(object, "metadata", "name"));
    if (kind.endsWith("Binding")) {
      fileBinding(key, gone ? undefined : parseBinding(kind, object));
      return;
    }
    parsed.delete(key);
    if (gone) roles.delete(key);
    else roles.set(key, object);
  };

  objects.subscribe((change) => {
    if (change.group === RBAC_GROUP && change.resource in KINDS) {
      take(change.resource, change.object, change.type === "DELETED");
    }
  });
  for (const resource of Object.keys(KINDS)) {
    for (const object of objects.list(RBAC_GROUP, resource)) take(resource, object, false);
  }

  const rulesOfRole = (kind: string, namespace: string, name: string) => {
    const key = KEY(kind, kind === "Role" ? namespace : "", name);
    const role = roles.get(key);
    if (role === undefined) return undefined;
    const known = parsed.get(key);
    if (known !== undefined) return known;
    const rules = parseRules(role);
    parsed.set(key, rules);
    return rules;
  };

  return {
    rulesOfRole,
    *rulesFor(user, namespace) {
      const mine = subjectsOf(user).flatMap((subject) =>
        [...(bySubject.get(subject) ?? [])].map((binding) => ({ ...binding, subject: subjectText(subject, user) })),
      );
      const reach = (binding: Binding) => (binding.kind === "RoleBinding" ? 1 : 0);
      mine.sort((a, b) => reach(a) - reach(b));
      for (const binding of mine) {
        if (binding.kind === "RoleBinding" && (namespace === "" || binding.namespace !== namespace)) continue;
        const rules = rulesOfRole(binding.roleKind, binding.namespace, binding.roleName) ?? [];
        const name = binding.namespace === "" ? binding.name : `${binding.name}/${binding.namespace}`;
        const origin = `${binding.kind} ${JSON.stringify(name)} of ${binding.roleKind} ${JSON.stringify(binding.roleName)} to ${binding.subject}`;
        for (const rule of rules) yield { rule, origin };
      }
    },
  };
}

/** A service account is told by its kind, though it is found as a user. */
function subjectText(subject: string, { username }: UserInfo): string {
  const [kind = "", ...name] = subject.split(":");
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username);
  if (kind === "User" && account !== null) return `ServiceAccount ${JSON.stringify(`${account[2]}/${account[1]}`)}`;
  return `${kind} ${JSON.stringify(name.join(":"))}`;
}

function subjectsOf(user: UserInfo): string[] {
  return [`User:${user.username}`, ...user.groups.map((group) => `Group:${group}`)];
}

function parseBinding(kind: string, object: JsonObject): Binding {
  const namespace = stringAt(object, "metadata", "namespace");
  return {
    kind: kind === "RoleBinding" ? "RoleBinding" : "ClusterRoleBinding",
    namespace,
    name: stringAt(object, "metadata", "name"),
    roleKind: stringAt(object, "roleRef", "kind"),
    roleName: stringAt(object, "roleRef", "name"),
    subjects: objectsAt(object, "subjects").map((subject) => {
      const name = stringAt(subject, "name");
      if (stringAt(subject, "kind") !== "ServiceAccount") return `${stringAt(subject, "kind")}:${name}`;
      return `User:${serviceAccountUser(stringAt(subject, "namespace") || namespace, name)}`;
    }),
  };
}
