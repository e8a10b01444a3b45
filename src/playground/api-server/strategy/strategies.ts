// What a kind does beyond its schema when it is made, changed or checked: one row a resource, functions only where a
// table cannot say it.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { definitionRules } from "../crd/definition-rules.ts";
import { markDefinition, prepareDefinition, rememberStorage } from "../crd/definition-strategy.ts";
import { deepEqual, objectAt } from "../json.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { storageKey } from "../resource-kind.ts";
import { prepareNamespace, prepareSecret } from "./object-strategies.ts";
import { preparePod, preparePodUpdate } from "./pod-strategy.ts";
import { prepareClaim, prepareDaemonSet, prepareJob, prepareStatefulSet } from "./workload-strategies.ts";

export interface Strategy {
  /** Completes a new object in place, after defaulting. */
  readonly prepareCreate?: (object: JsonObject) => void;
  readonly prepareUpdate?: (object: JsonObject, old: JsonObject) => void;
  /** The object marked for deletion, when more is to be marked than on others. */
  readonly markDeleted?: (marked: JsonObject, before: JsonObject, now: string) => JsonObject;
  /** Refuses what the schema cannot see. */
  readonly rules?: (object: JsonObject, old: JsonObject | undefined) => FieldError[];
  /** Status given at creation stays: objects that their owner registers whole. */
  readonly keepsStatus?: boolean;
}

const STRATEGIES: Readonly<Record<string, Strategy>> = {
  "/pods": { prepareCreate: preparePod, prepareUpdate: preparePodUpdate },
  "/nodes": { keepsStatus: true },
  "/namespaces": { prepareCreate: prepareNamespace, prepareUpdate: prepareNamespace },
  "/secrets": { prepareCreate: prepareSecret, prepareUpdate: prepareSecret },
  "/persistentvolumes": { keepsStatus: true },
  "/persistentvolumeclaims": { prepareCreate: prepareClaim },
  "apps/daemonsets": { prepareCreate: prepareDaemonSet, prepareUpdate: prepareDaemonSet },
  "apps/statefulsets": { prepareCreate: prepareStatefulSet, prepareUpdate: prepareStatefulSet },
  "batch/jobs": { prepareCreate: prepareJob },
  "apiextensions.k8s.io/customresourcedefinitions": {
    prepareCreate: prepareDefinition,
    prepareUpdate: rememberStorage,
    markDeleted: markDefinition,
    rules: definitionRules,
  },
};

const NONE: Strategy = {};

export function strategyOf(kind: ResourceKind): Strategy {
  return STRATEGIES[storageKey(kind)] ?? NONE;
}

/** Core kinds other than Pods have no generation; a resource with a status or with a spec in a later group has. */
export function hasGeneration(kind: ResourceKind): boolean {
  if (kind.custom !== undefined) return true;
  if (kind.group === "") return kind.plural === "pods" || kind.plural === "replicationcontrollers";
  return kind.subresources.includes("status") || WITHOUT_STATUS.has(kind.plural);
}

const WITHOUT_STATUS = new Set([
  "networkpolicies",
  "ingressclasses",
  "mutatingwebhookconfigurations",
  "validatingwebhookconfigurations",
  "endpointslices",
]);

/** True when anything but metadata and status differs; a custom resource without a status door has only fields. */
export function specChanged(kind: ResourceKind, object: JsonObject, old: JsonObject): boolean {
  const whole = kind.custom !== undefined && !kind.subresources.includes("status");
  const strip = ({ metadata: _m, apiVersion: _a, status, ...rest }: JsonObject): JsonObject =>
    whole && status !== undefined ? { ...rest, status } : rest;
  if (!deepEqual(strip(object), strip(old))) return true;
  // A Deployment's annotations go to its ReplicaSets: they count as content.
  if (kind.group !== "apps" || kind.plural !== "deployments") return false;
  return !deepEqual(objectAt(object, "metadata", "annotations"), objectAt(old, "metadata", "annotations"));
}
