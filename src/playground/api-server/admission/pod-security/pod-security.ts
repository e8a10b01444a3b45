// Plug-in `PodSecurity`: pods are held against the profile that their namespace's labels name; what makes pods is warned of.
import { forbidden, invalid } from "../../api-errors.ts";
import type { AdmissionAttributes, AdmissionPlugin, JsonObject, JsonValue, ObjectAccess } from "../../contract.ts";
import { deepEqual, isObject, objectAt, objectsAt, stringAt, valueAt } from "../../json.ts";
import { isStricter, type PodSecurityPolicy, policyOf, policyText } from "./namespace-policy.ts";
import type { PodSubject } from "./pod-check.ts";
import { detailsOf, type LevelVersion, reasonsOf, violations } from "./profiles.ts";

/** Doors of a pod through which its containers do not change. */
const HARMLESS = ["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"];

/** Where the kinds that make pods keep the template. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  "/replicationcontrollers": ["spec", "template"],
  "/podtemplates": ["template"],
  "apps/replicasets": ["spec", "template"],
  "apps/deployments": ["spec", "template"],
  "apps/statefulsets": ["spec", "template"],
  "apps/daemonsets": ["spec", "template"],
  "batch/jobs": ["spec", "template"],
  "batch/cronjobs": ["spec", "jobTemplate", "spec", "template"],
};

export function podSecurity(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "PodSecurity",
    judges: true,
    async admit(attributes) {
      const { group, resource, object, operation, subresource } = attributes;
      if (object === undefined || (operation !== "CREATE" && operation !== "UPDATE")) return object;
      if (group === "" && resource === "namespaces") judgeNamespace(objects, attributes, object);
      else if (group === "" && resource === "pods") judgePod(objects, attributes, object);
      else {
        const path = TEMPLATES[`${group}/${resource}`];
        if (path !== undefined && subresource === "") warnOfTemplate(objects, attributes, valueAt(object, ...path));
      }
      return object;
    },
  };
}

const labelsOf = (object: JsonObject | undefined) => objectAt(object, "metadata", "labels");

function policyIn(objects: ObjectAccess, { namespace }: AdmissionAttributes): PodSecurityPolicy {
  return policyOf(labelsOf(objects.get("", "namespaces", "", namespace)));
}

const subjectOf = (pod: JsonObject): PodSubject => ({
  annotations: objectAt(pod, "metadata", "annotations"),
  spec: objectAt(pod, "spec"),
});

function judgePod(objects: ObjectAccess, attributes: AdmissionAttributes, pod: JsonObject): void {
  if (HARMLESS.includes(attributes.subresource)) return;
  const policy = policyIn(objects, attributes);
  if (attributes.operation === "UPDATE" && !changesImages(pod, attributes.oldObject)) return;
  const subject = subjectOf(pod);
  const findings = violations(policy.enforce, subject);
  if (findings.length > 0) {
    const why = `violates PodSecurity "${policyText(policy.enforce)}": ${detailsOf(findings)}`;
    throw forbidden({ group: "", plural: "pods" }, givenName(attributes), why);
  }
  warnOf(attributes, policy.warn, subject);
}

/** Kubernetes shows no name that it has yet to make up. */
function givenName({ name, object, operation }: AdmissionAttributes): string {
  const base = stringAt(object, "metadata", "generateName");
  return operation === "CREATE" && base !== "" && name.startsWith(base) && name.length === base.length + 5 ? "" : name;
}

function warnOfTemplate(objects: ObjectAccess, attributes: AdmissionAttributes, template: JsonValue | undefined): void {
  if (!isObject(template)) return;
  warnOf(attributes, policyIn(objects, attributes).warn, subjectOf(template));
}

function warnOf({ warn }: AdmissionAttributes, level: LevelVersion, subject: PodSubject): void {
  const findings = violations(level, subject);
  if (findings.length > 0) warn?.(`would violate PodSecurity "${policyText(level)}": ${detailsOf(findings)}`);
}

/** Of a pod that exists, only its images may change, and ephemeral containers come. */
function changesImages(pod: JsonObject, old: JsonObject | undefined): boolean {
  const images = (object: JsonObject | undefined, list: string) =>
    objectsAt(object, "spec", list).map((container) => stringAt(container, "image"));
  if (["containers", "initContainers"].some((list) => !deepEqual(images(pod, list), images(old, list)))) return true;
  const before = objectsAt(old, "spec", "ephemeralContainers");
  return objectsAt(pod, "spec", "ephemeralContainers").some(
    ({ name, image }) => !before.some((one) => one["name"] === name && one["image"] === image),
  );
}

function judgeNamespace(objects: ObjectAccess, attributes: AdmissionAttributes, namespace: JsonObject): void {
  if (attributes.subresource !== "") return;
  const policy = policyOf(labelsOf(namespace));
  const { name, operation, oldObject, warn } = attributes;
  const old = policyOf(labelsOf(oldObject));
  const isNew = operation === "CREATE" || JSON.stringify(policy.errors) !== JSON.stringify(old.errors);
  if (policy.errors.length > 0 && isNew) throw invalid({ group: "", kind: "Namespace" }, name, policy.errors);
  if (operation === "CREATE" || !needsLook(policy.enforce, old.enforce)) return;
  for (const text of warningsOfPods(objects, name, policy.enforce)) warn?.(text);
}

/** Whether pods that were fine may be so no more. */
function needsLook(wanted: LevelVersion, before: LevelVersion): boolean {
  if (wanted.level === before.level && wanted.minor === before.minor) return false;
  if (wanted.level === "privileged") return false;
  return wanted.minor !== before.minor || isStricter(wanted.level, before.level);
}

function warningsOfPods(objects: ObjectAccess, namespace: string, level: LevelVersion): string[] {
  const podsByReason = new Map<string, string[]>();
  for (const pod of objects.list("", "pods", namespace)) {
    const reasons = reasonsOf(violations(level, subjectOf(pod)));
    if (reasons === "") continue;
    podsByReason.set(reasons, [...(podsByReason.get(reasons) ?? []), stringAt(pod, "metadata", "name")]);
  }
  if (podsByReason.size === 0) return [];
  const title = `existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${policyText(level)}"`;
  const told = [...podsByReason].map(([reasons, names]) => `${podsText(names.toSorted())}: ${reasons}`);
  return [title, ...told.sort()];
}

function podsText(names: readonly string[]): string {
  const [first = "", ...others] = names;
  if (others.length === 0) return first;
  return `${first} (and ${others.length} other ${others.length === 1 ? "pod" : "pods"})`;
}
