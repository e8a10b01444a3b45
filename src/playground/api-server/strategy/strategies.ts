// What a kind does beyond its schema when it is made, changed or checked: one row a resource, functions only where a
// table cannot say it.
import type { FieldError } from "../api-errors.ts";
import { markDefinition, prepareDefinition, rememberStorage } from "../crd/definition-strategy.ts";
import type { JsonObject } from "../contract.ts";
import { deepEqual, valueAt } from "../json.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { storageKey } from "../resource-kind.ts";
import {
  definitionRules,
  prepareJob,
  prepareNamespace,
  prepareSecret,
  secretRules,
  selectorRules,
  serviceRules,
} from "./object-strategies.ts";
import { podRules, preparePod, preparePodUpdate } from "./pod-strategy.ts";

export interface Strategy {
  /** Completes a new object in place, after defaulting. */
  readonly prepareCreate?: (object: JsonObject) => void;
  readonly prepareUpdate?: (object: JsonObject, old: JsonObject) => void;
  /** The object marked for deletion, when more is to be marked than on others. */
  readonly markDeleted?: (marked: JsonObject, before: JsonObject, now: string) => JsonObject;
  /** Refuses what the schema cannot see. */
  readonly rules?: (object: JsonObject, old: JsonObject | undefined) => FieldError[];
  /** Paths that keep their first value. */
  readonly immutable?: readonly string[];
  /** Status given at creation stays: objects that their owner registers whole. */
  readonly keepsStatus?: boolean;
}

const STRATEGIES: Readonly<Record<string, Strategy>> = {
  "/pods": { prepareCreate: preparePod, prepareUpdate: preparePodUpdate, rules: podRules },
  "/nodes": { keepsStatus: true },
  "/namespaces": { prepareCreate: prepareNamespace, prepareUpdate: prepareNamespace },
  "/secrets": { prepareCreate: prepareSecret, prepareUpdate: prepareSecret, rules: secretRules, immutable: ["type"] },
  "/services": { rules: serviceRules },
  "/persistentvolumes": { keepsStatus: true },
  "apps/deployments": { rules: selectorRules, immutable: ["spec.selector"] },
  "apps/replicasets": { rules: selectorRules, immutable: ["spec.selector"] },
  "apps/daemonsets": { rules: selectorRules, immutable: ["spec.selector"] },
  "apps/statefulsets": {
    rules: selectorRules,
    immutable: ["spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"],
  },
  "batch/jobs": { prepareCreate: prepareJob, immutable: ["spec.selector", "spec.completionMode"] },
  "rbac.authorization.k8s.io/rolebindings": { immutable: ["roleRef"] },
  "rbac.authorization.k8s.io/clusterrolebindings": { immutable: ["roleRef"] },
  "discovery.k8s.io/endpointslices": { immutable: ["addressType"] },
  "apiextensions.k8s.io/customresourcedefinitions": {
    prepareCreate: prepareDefinition,
    prepareUpdate: rememberStorage,
    markDeleted: markDefinition,
    rules: definitionRules,
  },
  "storage.k8s.io/storageclasses": { immutable: ["provisioner", "parameters", "reclaimPolicy"] },
};

const NONE: Strategy = {};

export function strategyOf(kind: ResourceKind): Strategy {
  return STRATEGIES[storageKey(kind)] ?? NONE;
}

/** Refuses changes of fields that keep their first value. */
export function immutableErrors(strategy: Strategy, object: JsonObject, old: JsonObject): FieldError[] {
  return (strategy.immutable ?? []).flatMap((field): FieldError[] => {
    const steps = field.split(".");
    const [before, after] = [valueAt(old, ...steps), valueAt(object, ...steps)];
    if (before === undefined || deepEqual(before, after)) return [];
    return [{ field, type: "FieldValueInvalid", value: after ?? null, detail: "field is immutable" }];
  });
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
  return !deepEqual(strip(object), strip(old));
}
