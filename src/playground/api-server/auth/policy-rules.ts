// RBAC's rules as data: parsed from Role objects, matched against requests, compared for privilege escalation.
import type { JsonObject, RequestInfo } from "../contract.ts";
import { arrayAt, objectsAt } from "../json.ts";

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** The `rules` of a Role or ClusterRole. */
export function parseRules(role: JsonObject): PolicyRule[] {
  return objectsAt(role, "rules").map((rule) => {
    const texts = (key: string) => arrayAt(rule, key).filter((item) => typeof item === "string");
    return {
      verbs: texts("verbs"),
      apiGroups: texts("apiGroups"),
      resources: texts("resources"),
      resourceNames: texts("resourceNames"),
      nonResourceURLs: texts("nonResourceURLs"),
    };
  });
}

/** The rule as JSON, without empty lists. */
export function renderRule(rule: PolicyRule): JsonObject {
  return Object.fromEntries(Object.entries(rule).flatMap(([key, list]) => (list.length > 0 ? [[key, [...list]]] : [])));
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`, as Kubernetes prints a rule. */
export function ruleText(rule: PolicyRule): string {
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ["APIGroups", rule.apiGroups],
    ["Resources", rule.resources],
    ["NonResourceURLs", rule.nonResourceURLs],
    ["ResourceNames", rule.resourceNames],
    ["Verbs", rule.verbs],
  ];
  const shown = parts.filter(([, list]) => list.length > 0);
  return `{${shown.map(([name, list]) => `${name}:[${list.map((item) => JSON.stringify(item)).join(" ")}]`).join(", ")}}`;
}

export function ruleAllows(rule: PolicyRule, info: RequestInfo): boolean {
  if (!hasOrAll(rule.verbs, info.verb)) return false;
  if (!info.isResource) return rule.nonResourceURLs.some((url) => urlMatches(url, info.path));
  return (
    hasOrAll(rule.apiGroups, info.group) &&
    resourceMatches(rule.resources, resourceOf(info), subresourceOf(info)) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(info.name))
  );
}

/** The first part of a subresource; what stands behind it belongs to whom it leads to. */
export function subresourceOf({ subresource }: RequestInfo): string {
  const end = subresource.indexOf("/");
  return end < 0 ? subresource : subresource.slice(0, end);
}

/** `pods`, `pods/log`. */
export function resourceOf(info: RequestInfo): string {
  const subresource = subresourceOf(info);
  return subresource === "" ? info.resource : `${info.resource}/${subresource}`;
}

function hasOrAll(list: readonly string[], value: string): boolean {
  return list.includes(value) || list.includes("*");
}

/** `pods/log` is allowed by itself, by every subresource of that name (star slash log), and by the star. */
function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  if (hasOrAll(resources, resource)) return true;
  return subresource !== "" && resources.includes(`*/${subresource}`);
}

function urlMatches(pattern: string, path: string): boolean {
  if (pattern === "*" || pattern === path) return true;
  return pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1));
}

/** The parts of `wanted` that no rule of `held` covers: empty when granting them gives nobody more than the granter has. */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(atoms).filter((atom) => !held.some((rule) => covers(rule, atom)));
}

/** Splits a rule so that each part has one verb and one resource or URL; only such parts can be compared. */
function atoms(rule: PolicyRule): PolicyRule[] {
  const empty = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] };
  const names = rule.resourceNames.length === 0 ? [[]] : rule.resourceNames.map((name) => [name]);
  const each = (group: string, resource: string) =>
    rule.verbs.flatMap((verb) =>
      names.map((resourceNames) => ({
        ...empty,
        verbs: [verb],
        apiGroups: [group],
        resources: [resource],
        resourceNames,
      })),
    );
  return [
    ...rule.apiGroups.flatMap((group) => rule.resources.flatMap((resource) => each(group, resource))),
    ...rule.nonResourceURLs.flatMap((url) =>
      rule.verbs.map((verb) => ({ ...empty, verbs: [verb], nonResourceURLs: [url] })),
    ),
  ];
}

function covers(rule: PolicyRule, atom: PolicyRule): boolean {
  const every = (held: readonly string[], wanted: readonly string[]) => wanted.every((value) => hasOrAll(held, value));
  const resources = atom.resources.every((resource) =>
    resourceMatches(rule.resources, resource, resource.split("/")[1] ?? ""),
  );
  const names =
    rule.resourceNames.length === 0 ||
    (atom.resourceNames.length > 0 && atom.resourceNames.every((name) => rule.resourceNames.includes(name)));
  const urls = atom.nonResourceURLs.every((url) => rule.nonResourceURLs.some((held) => urlMatches(held, url)));
  return every(rule.verbs, atom.verbs) && every(rule.apiGroups, atom.apiGroups) && resources && names && urls;
}
