// Which requests the rules of a FlowSchema match. Kubernetes' way: a wildcard counts only alone in its list, and a path
// matches whatever stands below it.
import { resourceOf } from "../auth/policy-rules.ts";
import type { JsonObject, RequestInfo, UserInfo } from "../contract.ts";
import { arrayAt, objectsAt, stringAt } from "../json.ts";

/** Undefined: whatever it is. */
export type RequestMatch = ((info: RequestInfo) => boolean) | undefined;

/** The part of a FlowSchema's rules that is for one user: undefined when none of them is. */
export interface UserRules {
  /** Requests for resources; an empty list matches none. */
  readonly resources: readonly RequestMatch[];
  readonly paths: readonly RequestMatch[];
}

/** Reads what the rules that name the user say. */
export function rulesOf(schema: JsonObject, user: UserInfo): UserRules | undefined {
  const rules = objectsAt(schema, "spec", "rules").filter((rule) =>
    objectsAt(rule, "subjects").some((subject) => isSubject(subject, user)),
  );
  if (rules.length === 0) return undefined;
  return {
    resources: rules.flatMap((rule) => objectsAt(rule, "resourceRules").map(resourceMatch)),
    paths: rules.flatMap((rule) => objectsAt(rule, "nonResourceRules").map(pathMatch)),
  };
}

const SUBJECTS: Readonly<Record<string, (subject: JsonObject, user: UserInfo) => boolean>> = {
  User: (subject, { username }) => isOneOf([stringAt(subject, "user", "name")], username),
  Group(subject, { groups }) {
    const name = stringAt(subject, "group", "name");
    return name === "*" || groups.includes(name);
  },
  ServiceAccount(subject, { username }) {
    const prefix = `system:serviceaccount:${stringAt(subject, "serviceAccount", "namespace")}:`;
    const name = stringAt(subject, "serviceAccount", "name");
    return name === "*" ? username.startsWith(prefix) : username === prefix + name;
  },
};

const isSubject = (subject: JsonObject, user: UserInfo): boolean =>
  SUBJECTS[stringAt(subject, "kind")]?.(subject, user) === true;

const isAll = (list: readonly string[]) => list.length === 1 && list[0] === "*";

const isOneOf = (list: readonly string[], value: string) => isAll(list) || list.includes(value);

const texts = (rule: JsonObject, field: string): string[] => arrayAt(rule, field).map(String);

function resourceMatch(rule: JsonObject): RequestMatch {
  const [verbs, groups, resources] = [texts(rule, "verbs"), texts(rule, "apiGroups"), texts(rule, "resources")];
  const [namespaces, ofCluster] = [texts(rule, "namespaces"), rule["clusterScope"] === true];
  if ([verbs, groups, resources, namespaces].every(isAll) && ofCluster) return undefined;
  return (info) => {
    if (!isOneOf(verbs, info.verb) || !isOneOf(groups, info.group)) return false;
    if (!isOneOf(resources, resourceOf(info))) return false;
    return info.namespace === "" ? ofCluster : isOneOf(namespaces, info.namespace);
  };
}

function pathMatch(rule: JsonObject): RequestMatch {
  const [verbs, urls] = [texts(rule, "verbs"), texts(rule, "nonResourceURLs")];
  if (isAll(verbs) && urls.includes("*")) return undefined;
  const places = urls.map((url) => ({ url, below: url.replace(/\*$/, "").replace(/\/?$/, "/") }));
  return ({ verb, path }) =>
    isOneOf(verbs, verb) && places.some(({ url, below }) => url === "*" || path === url || path.startsWith(below));
}
