// Mutating- and ValidatingWebhookConfiguration as the dispatcher reads them, and whether a webhook wants a request.
import type { AdmissionAttributes, JsonObject, ObjectAccess } from "../contract.ts";
import { arrayAt, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { matchesSelector } from "../label-selector.ts";

export const ADMISSION_GROUP = "admissionregistration.k8s.io";

interface WebhookRule {
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
}

export interface Webhook {
  readonly configuration: string;
  readonly name: string;
  readonly clientConfig: JsonObject;
  readonly rules: readonly WebhookRule[];
  readonly ignoreFailure: boolean;
  readonly equivalent: boolean;
  readonly namespaceSelector: JsonObject;
  readonly objectSelector: JsonObject;
  readonly sideEffects: string;
  readonly timeoutSeconds: number;
  readonly reinvoke: boolean;
  readonly reviewVersions: readonly string[];
  /** The webhook as its configuration gives it. */
  readonly given: JsonObject;
}

type Plural = "mutatingwebhookconfigurations" | "validatingwebhookconfigurations";

/** All webhooks of one sort, in Kubernetes' order: configurations by name, then as listed. */
export function listWebhooks(objects: ObjectAccess, resource: Plural): Webhook[] {
  const name = (object: JsonObject) => stringAt(object, "metadata", "name");
  return objects
    .list(ADMISSION_GROUP, resource)
    .toSorted((a, b) => (name(a) < name(b) ? -1 : 1))
    .flatMap((object) => objectsAt(object, "webhooks").map((hook) => parseWebhook(name(object), hook)));
}

function parseWebhook(configuration: string, hook: JsonObject): Webhook {
  return {
    configuration,
    name: stringAt(hook, "name"),
    clientConfig: objectAt(hook, "clientConfig"),
    rules: objectsAt(hook, "rules").map(parseRule),
    ignoreFailure: stringAt(hook, "failurePolicy") === "Ignore",
    equivalent: stringAt(hook, "matchPolicy") !== "Exact",
    namespaceSelector: objectAt(hook, "namespaceSelector"),
    objectSelector: objectAt(hook, "objectSelector"),
    sideEffects: stringAt(hook, "sideEffects"),
    timeoutSeconds: numberAt(hook, "timeoutSeconds") ?? 10,
    reinvoke: stringAt(hook, "reinvocationPolicy") === "IfNeeded",
    reviewVersions: texts(hook, "admissionReviewVersions"),
    given: hook,
  };
}

function parseRule(rule: JsonObject): WebhookRule {
  return {
    operations: texts(rule, "operations"),
    apiGroups: texts(rule, "apiGroups"),
    apiVersions: texts(rule, "apiVersions"),
    resources: texts(rule, "resources"),
    scope: stringAt(rule, "scope") || "*",
  };
}

function texts(object: JsonObject, key: string): string[] {
  return arrayAt(object, key).filter((item) => typeof item === "string");
}

/**
 * The API version in which the webhook wants to see the request, or undefined when it does not want it. With
 * matchPolicy Equivalent a custom resource is shown in the version that the rule names.
 */
export function wantedVersion(
  webhook: Webhook,
  attributes: AdmissionAttributes,
  objects: ObjectAccess,
): string | undefined {
  // Webhooks on webhook configurations could lock everybody out of repairing them.
  if (isExempt(attributes)) return undefined;
  const version = ruleVersion(webhook, attributes, objects);
  if (version === undefined) return undefined;
  const labels = (object: JsonObject | undefined) => objectAt(object, "metadata", "labels");
  const seen = [attributes.object, attributes.oldObject].filter((object) => object !== undefined);
  const objectMatches =
    seen.some((object) => matchesSelector(webhook.objectSelector, labels(object))) ||
    (seen.length === 0 && matchesSelector(webhook.objectSelector, {}));
  return objectMatches && namespaceMatches(webhook, attributes, objects) ? version : undefined;
}

/** What could lock everybody out of repairing it is judged by nobody. */
function isExempt({ group, resource }: AdmissionAttributes): boolean {
  return (
    group === ADMISSION_GROUP && /(webhookconfigurations|admissionpolicies|admissionpolicybindings)$/.test(resource)
  );
}

/** Whether MatchResources of a policy or of its binding want the request. */
export function requestMatches(
  constraints: JsonObject,
  attributes: AdmissionAttributes,
  objects: ObjectAccess,
): boolean {
  const named = (rule: JsonObject) => {
    const names = texts(rule, "resourceNames");
    return names.length === 0 || names.includes(attributes.name);
  };
  const given = objectsAt(constraints, "resourceRules");
  const excluded = objectsAt(constraints, "excludeResourceRules");
  if (excluded.some((rule) => named(rule) && wholeRuleMatches(parseRule(rule), attributes))) return false;
  const all: JsonObject = { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*", "*/*"] };
  // A binding without rules of its own narrows nothing.
  const rules = given.length === 0 ? [all] : given.filter(named);
  const hook = parseWebhook("", { ...constraints, rules });
  return wantedVersion(hook, attributes, objects) !== undefined;
}

const wholeRuleMatches = (rule: WebhookRule, attributes: AdmissionAttributes) =>
  ruleMatches(rule, attributes) && hasOrAll(rule.apiVersions, attributes.version);

function ruleVersion(webhook: Webhook, attributes: AdmissionAttributes, objects: ObjectAccess): string | undefined {
  const matching = webhook.rules.filter((rule) => ruleMatches(rule, attributes));
  const exact = matching.some((rule) => hasOrAll(rule.apiVersions, attributes.version));
  if (exact) return attributes.version;
  if (!webhook.equivalent) return undefined;
  const name = `${attributes.resource}.${attributes.group}`;
  const definition = objects.get("apiextensions.k8s.io", "customresourcedefinitions", "", name);
  const served = objectsAt(definition, "spec", "versions")
    .filter((version) => version["served"] === true)
    .map((version) => stringAt(version, "name"));
  return matching.flatMap((rule) => rule.apiVersions).find((version) => served.includes(version));
}

function ruleMatches(rule: WebhookRule, attributes: AdmissionAttributes): boolean {
  // Namespace objects count as objects of the cluster, whatever namespace their request names.
  const clusterWide = attributes.namespace === "" || isNamespaceObject(attributes);
  const scopes: Readonly<Record<string, boolean>> = { Cluster: clusterWide, Namespaced: !clusterWide };
  return (
    (scopes[rule.scope] ?? true) &&
    hasOrAll(rule.operations, attributes.operation) &&
    hasOrAll(rule.apiGroups, attributes.group) &&
    rule.resources.some((text) => {
      const [resource = "", subresource = ""] = text.split("/");
      const wild = (pattern: string, value: string) => pattern === "*" || pattern === value;
      return wild(resource, attributes.resource) && wild(subresource, attributes.subresource);
    })
  );
}

function isNamespaceObject({ group, resource }: AdmissionAttributes): boolean {
  return group === "" && resource === "namespaces";
}

function namespaceMatches(webhook: Webhook, attributes: AdmissionAttributes, objects: ObjectAccess): boolean {
  const own = isNamespaceObject(attributes) ? (attributes.object ?? attributes.oldObject) : undefined;
  if (own === undefined && attributes.namespace === "") return true;
  const namespace = own ?? objects.get("", "namespaces", "", attributes.namespace);
  return matchesSelector(webhook.namespaceSelector, objectAt(namespace, "metadata", "labels"));
}

function hasOrAll(list: readonly string[], value: string): boolean {
  return list.includes(value) || list.includes("*");
}
