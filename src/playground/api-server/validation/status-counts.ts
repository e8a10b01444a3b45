// Counts in the status of workloads.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { numberAt, objectAt } from "../json.ts";
import { invalid, nonnegatives } from "./field-errors.ts";

/** Counts that must not be negative, and those that cannot be more than all replicas or the ready ones. */
export interface StatusCounts {
  readonly counts: readonly string[];
  readonly belowReplicas?: readonly string[];
  readonly belowReady?: string;
}

export function checkStatusCounts(object: JsonObject, old: JsonObject, rule: StatusCounts): FieldError[] {
  const status = objectAt(object, "status");
  const count = (field: string) => numberAt(status, field) ?? 0;
  const errors = nonnegatives("status", status, rule.counts);
  for (const field of rule.belowReplicas ?? []) {
    if (count(field) > count("replicas"))
      errors.push(invalid(`status.${field}`, count(field), "cannot be greater than status.replicas"));
  }
  if (rule.belowReady !== undefined && count("availableReplicas") > count("readyReplicas"))
    errors.push(invalid("status.availableReplicas", count("availableReplicas"), rule.belowReady));
  const former = numberAt(old, "status", "collisionCount");
  if (rule.counts.includes("collisionCount") && former !== undefined && count("collisionCount") < former)
    errors.push(invalid("status.collisionCount", count("collisionCount"), "cannot be decremented"));
  return errors;
}
