import type { JsonObject, UserInfo } from "../contract.ts";
import {
  arrayAt,
  clone,
  deepEqual,
  ensureObject,
  isObject,
  objectAt,
  objectsAt,
  setOrDelete,
  stringAt,
} from "../json.ts";
import { appArmorKey, appArmorProfile, hasAppArmorField } from "../validation/pods/profile-annotations.ts";
import { checkAppArmor } from "../validation/pods/security.ts";
import { isWindows, visitContainers } from "../validation/pods/windows.ts";
import { qosClass } from "./quality-of-service.ts";

/** A Pod begins pending, with the quality of service that its resources give it. */
export function preparePod(pod: JsonObject, _user: UserInfo, warn: (text: string) => void): void {
  const gated = objectsAt(pod, "spec", "schedulingGates").length > 0;
  const lastTransitionTime = stringAt(pod, "metadata", "creationTimestamp");
  const message = "Scheduling is blocked due to non-empty scheduling gates";
  const times = { lastProbeTime: null, lastTransitionTime };
  const waits = { type: "PodScheduled", status: "False", reason: "SchedulingGated", message, ...times };
  pod["status"] = {
    phase: "Pending",
    qosClass: qosClass(objectAt(pod, "spec")),
    ...(gated ? { conditions: [waits] } : {}),
  };
  applyLabelKeys(pod);
  if (!isWindows(objectAt(pod, "spec"))) applyAppArmor(pod, warn);
}

const TERMS = "requiredDuringSchedulingIgnoredDuringExecution";
const WEIGHTED_TERMS = "preferredDuringSchedulingIgnoredDuringExecution";
const OPERATORS = { matchLabelKeys: "In", mismatchLabelKeys: "NotIn" } as const;

/** Where other pods are chosen by what they have in common with this one, its labels join the selector. */
function applyLabelKeys(pod: JsonObject): void {
  const [labels, spec] = [objectAt(pod, "metadata", "labels"), objectAt(pod, "spec")];
  const terms = ["podAffinity", "podAntiAffinity"].flatMap((sort) => {
    const affinity = objectAt(spec, "affinity", sort);
    const weighted = objectsAt(affinity, WEIGHTED_TERMS).map((term) => objectAt(term, "podAffinityTerm"));
    return [...weighted, ...objectsAt(affinity, TERMS)];
  });
  for (const term of [...terms, ...objectsAt(spec, "topologySpreadConstraints")]) {
    const selector = term["labelSelector"];
    if (!isObject(selector)) continue;
    const added = Object.entries(OPERATORS).flatMap(([field, operator]) =>
      arrayAt(term, field).flatMap((key) => {
        const value = labels[String(key)];
        return value === undefined ? [] : [{ key, operator, values: [value] }];
      }),
    );
    if (added.length > 0) selector["matchExpressions"] = [...arrayAt(selector, "matchExpressions"), ...added];
  }
}

/** What annotations say of AppArmor is written into the field, where it says something new. */
function applyAppArmor(pod: JsonObject, warn: (text: string) => void): void {
  const [annotations, spec] = [objectAt(pod, "metadata", "annotations"), objectAt(pod, "spec")];
  for (const { container } of visitContainers("spec", spec)) {
    const key = appArmorKey(container);
    const annotation = annotations[key];
    if (typeof annotation !== "string" || hasAppArmorField(container)) continue;
    const said = appArmorProfile(annotation);
    const profile = said === undefined || checkAppArmor("", said).length > 0 ? undefined : said;
    const isOfPod = profile !== undefined && deepEqual(profile, objectAt(spec, "securityContext")["appArmorProfile"]);
    if (isOfPod) continue;
    if (profile !== undefined) ensureObject(container, "securityContext")["appArmorProfile"] = profile;
    warn(`metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`);
  }
}

export function preparePodUpdate(pod: JsonObject, old: JsonObject, { door }: { readonly door: string }): void {
  if (door === "ephemeralcontainers") keepAllBut(pod, old, ["ephemeralContainers"]);
  if (door === "resize") keepAllButResources(pod, old);
  const status = pod["status"];
  if (isObject(status)) status["qosClass"] ??= objectAt(old, "status")["qosClass"] ?? qosClass(objectAt(old, "spec"));
}

const KEPT_METADATA = ["deletionTimestamp", "generation", "labels", "annotations", "finalizers", "ownerReferences"];

/** Puts everything back as it was but some fields of the spec. */
function keepAllBut(pod: JsonObject, old: JsonObject, changeable: readonly string[]): void {
  const metadata = { ...objectAt(pod, "metadata") };
  for (const field of KEPT_METADATA) setOrDelete(metadata, field, objectAt(old, "metadata")[field]);
  pod["metadata"] = metadata;
  setOrDelete(pod, "status", clone(old["status"] ?? {}));
  const spec = clone(objectAt(old, "spec"));
  for (const field of changeable) setOrDelete(spec, field, objectAt(pod, "spec")[field]);
  pod["spec"] = spec;
}

const CONTAINER_LISTS = ["containers", "initContainers"];

/** Containers that are added, taken away, renamed or moved are left for validation to refuse. */
function keepAllButResources(pod: JsonObject, old: JsonObject): void {
  const lists = CONTAINER_LISTS.map(
    (list) => [list, objectsAt(pod, "spec", list), objectsAt(old, "spec", list)] as const,
  );
  if (lists.some(([, next, before]) => next.length !== before.length)) return;
  keepAllBut(pod, old, CONTAINER_LISTS);
  for (const [list, next, before] of lists) {
    const same = next.every((container, index) => container["name"] === before[index]?.["name"]);
    if (!same || next.length === 0) continue;
    objectAt(pod, "spec")[list] = before.map((container, index) => {
      const out = clone(container);
      for (const field of ["resources", "resizePolicy"]) setOrDelete(out, field, next[index]?.[field]);
      return out;
    });
  }
}
