// pods/eviction deletes a pod unless a disruption budget forbids that, and takes each allowed one off the budget at once:
// of two evictions in a row, the second is already judged by what the first has used up.
import { type Clock, systemClock } from "#base/clock";
import { restrictNode } from "../admission/node-restriction.ts";
import { timestamp } from "../api-context.ts";
import { badRequest, conflict, notFound } from "../api-errors.ts";
import { ApiStatusError, type JsonObject, type ObjectAccess, type VirtualResource } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { matchesSelector } from "../label-selector.ts";
import { withPodCondition } from "./pod-subresources.ts";

const PODS = { group: "", plural: "pods" };
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget.";
/** So many evictions may wait for the disruption controller to confirm them. */
const MAX_DISRUPTED_PODS = 2_000;

const EVICTION = {
  operation: "CREATE",
  group: "",
  version: "v1",
  kind: "Eviction",
  resource: "pods",
  subresource: "eviction",
  oldObject: undefined,
} as const;

/** POST pods/NAME/eviction: 429 while the PodDisruptionBudget of the pod allows no disruption. */
export function podEviction(objects: ObjectAccess, clock: Clock = systemClock): VirtualResource {
  return {
    group: "",
    version: "v1",
    kind: "Eviction",
    resource: "pods",
    subresource: "eviction",
    namespaced: true,
    async create({ user, namespace, name, body, dryRun: byQuery }) {
      restrictNode(objects, { ...EVICTION, user, namespace, name, dryRun: byQuery === true, object: body });
      if (stringAt(body, "metadata", "name") !== name) {
        throw badRequest("name in URL does not match name in Eviction object");
      }
      const pod = objects.get("", "pods", namespace, name);
      if (pod === undefined) throw notFound(PODS, name);
      const given = objectAt(body, "deleteOptions");
      const dryRun = byQuery === true || arrayAt(given, "dryRun").length > 0;
      const budgets = isOutOfBudgets(pod) ? [] : budgetsOf(objects, pod);
      if (budgets.length > 1) return tooManyBudgets();
      const at = { group: "", resource: "pods", namespace, name };
      for (const budget of budgets) {
        if (!mayGoUnhealthy(pod, budget)) useUp({ objects, budget, pod: name, dryRun, now: clock.now() });
      }
      const { preconditions, ...rest } = given;
      const options: JsonObject = dryRun ? { ...given, dryRun: ["All"] } : rest;
      if (!dryRun) {
        checkPreconditions(pod, objectAt(preconditions));
        objects.update(at, (latest) => marked(latest, clock.now()));
      }
      await objects.delete(at, options);
      return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
    },
  };
}

/** Kubernetes names the kind here, not the resource. */
function checkPreconditions(pod: JsonObject, { uid, resourceVersion }: JsonObject): void {
  const metadata = objectAt(pod, "metadata");
  const who = { group: "", plural: "Pod" };
  const name = stringAt(metadata, "name");
  if (typeof uid === "string" && uid !== "" && uid !== metadata["uid"]) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${stringAt(metadata, "uid")}). The object might have been deleted and then recreated`;
    throw conflict(who, name, why);
  }
  if (typeof resourceVersion !== "string" || resourceVersion === "") return;
  const found = stringAt(metadata, "resourceVersion");
  if (resourceVersion === found) return;
  const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${found}). The object might have been modified`;
  throw conflict(who, name, why);
}

/** One that has not started, has ended or is going serves nobody. */
function isOutOfBudgets(pod: JsonObject): boolean {
  const going = stringAt(pod, "metadata", "deletionTimestamp") !== "";
  return going || ["Pending", "Succeeded", "Failed"].includes(stringAt(pod, "status", "phase"));
}

function budgetsOf(objects: ObjectAccess, pod: JsonObject): JsonObject[] {
  const labels = objectAt(pod, "metadata", "labels");
  return objects.list("policy", "poddisruptionbudgets", stringAt(pod, "metadata", "namespace")).filter((budget) => {
    const selector = objectAt(budget, "spec")["selector"];
    return isObject(selector) && matchesSelector(selector, labels);
  });
}

function tooManyBudgets(): JsonObject {
  const message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 };
}

/** A pod that is not ready may go when the budget says so, or when enough others are healthy. */
function mayGoUnhealthy(pod: JsonObject, budget: JsonObject): boolean {
  const ready = objectsAt(pod, "status", "conditions").some(
    ({ type, status }) => type === "Ready" && status === "True",
  );
  if (ready) return false;
  if (stringAt(budget, "spec", "unhealthyPodEvictionPolicy") === "AlwaysAllow") return true;
  const desired = numberAt(budget, "status", "desiredHealthy") ?? 0;
  return desired > 0 && (numberAt(budget, "status", "currentHealthy") ?? 0) >= desired;
}

interface Use {
  readonly objects: ObjectAccess;
  readonly budget: JsonObject;
  readonly pod: string;
  readonly dryRun: boolean;
  readonly now: number;
}

/** Takes one disruption off the budget. Throws ApiStatusError 429 when it has none. */
function useUp({ objects, budget, pod, dryRun, now }: Use): void {
  const metadata = objectAt(budget, "metadata");
  const name = stringAt(metadata, "name");
  const status = objectAt(budget, "status");
  if ((numberAt(status, "observedGeneration") ?? 0) < (numberAt(metadata, "generation") ?? 0)) {
    throw refusal(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  const disrupted = objectAt(status, "disruptedPods");
  if (Object.keys(disrupted).length > MAX_DISRUPTED_PODS) {
    const why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    throw new ApiStatusError(403, "Forbidden", `poddisruptionbudget.policy "${name}" is forbidden: ${why}`);
  }
  const left = (numberAt(status, "disruptionsAllowed") ?? 0) - 1;
  if (left < 0) throw refusal(whyNone(name, status));
  if (dryRun) return;
  const at = { group: "policy", resource: "poddisruptionbudgets", namespace: stringAt(metadata, "namespace"), name };
  objects.update(at, (latest) => {
    const before = objectAt(latest, "status");
    const conditions = left > 0 ? objectsAt(before, "conditions") : usedUp(before, now);
    const disruptedPods = { ...disrupted, [pod]: timestamp(now) };
    return { ...latest, status: { ...before, conditions, disruptedPods, disruptionsAllowed: left } };
  });
}

function whyNone(name: string, status: JsonObject): string {
  const condition = objectsAt(status, "conditions").find(({ type }) => type === "DisruptionAllowed");
  const message = condition?.["status"] === "False" ? stringAt(condition, "message") : "";
  const reason = stringAt(condition, "reason");
  const notNow = `The disruption budget ${name} does not allow evicting pods currently`;
  if (message !== "" && reason === "SyncFailed") return `${notNow} because it failed sync: ${message}`;
  const desired = numberAt(status, "desiredHealthy") ?? 0;
  const healthy = numberAt(status, "currentHealthy") ?? 0;
  if (healthy <= desired) {
    return `The disruption budget ${name} needs ${desired} healthy pods and has ${healthy} currently`;
  }
  return message === "" ? notNow : `${notNow} (${reason}): ${message}`;
}

function refusal(message: string, retryAfterSeconds?: number): ApiStatusError {
  const causes = [{ reason: "DisruptionBudget", message }];
  const retry = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return new ApiStatusError(429, "TooManyRequests", REFUSED, { causes, ...retry });
}

function usedUp(status: JsonObject, now: number): JsonObject[] {
  const others = objectsAt(status, "conditions").filter(({ type }) => type !== "DisruptionAllowed");
  const condition: JsonObject = {
    type: "DisruptionAllowed",
    status: "False",
    reason: "InsufficientPods",
    message: "",
    lastTransitionTime: timestamp(now),
    observedGeneration: numberAt(status, "observedGeneration") ?? 0,
  };
  return [...others, condition];
}

/** The pod tells why it goes. */
function marked(pod: JsonObject, now: number): JsonObject {
  const status = withPodCondition(
    objectAt(pod, "status"),
    {
      type: "DisruptionTarget",
      status: "True",
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
    },
    now,
  );
  return { ...pod, status };
}
