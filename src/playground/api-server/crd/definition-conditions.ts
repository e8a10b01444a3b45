// Conditions of a CustomResourceDefinition: which are there, and how one is set.
import type { JsonObject } from "../contract.ts";
import { objectAt, objectsAt } from "../json.ts";

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

export function conditionOf(definition: JsonObject, type: string): JsonObject | undefined {
  return objectsAt(definition, "status", "conditions").find((condition) => condition["type"] === type);
}

export const isTrue = (definition: JsonObject, type: string) => conditionOf(definition, type)?.["status"] === "True";

/** The definition with the condition; the time moves only when the status does. The same object when nothing changes. */
export function withCondition(definition: JsonObject, condition: Condition, now: string): JsonObject {
  const old = conditionOf(definition, condition.type);
  const { type, status, reason, message } = condition;
  const time = old?.["status"] === status ? (old["lastTransitionTime"] ?? now) : now;
  if (old !== undefined && old["status"] === status && old["reason"] === reason && old["message"] === message) {
    return definition;
  }
  const next: JsonObject = { type, status, lastTransitionTime: time, reason, message };
  const all = objectsAt(definition, "status", "conditions");
  const conditions = old === undefined ? [...all, next] : all.map((one) => (one === old ? next : one));
  return { ...definition, status: { ...objectAt(definition, "status"), conditions } };
}
