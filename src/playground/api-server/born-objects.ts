import type { JsonObject } from "./contract.ts";
import { bornTexts } from "./gen/born.ts";

/** The objects beside namespaces and services that a new Kubernetes cluster has: roles, priorities, API services. */
export function bornObjects(): JsonObject[] {
  return bornTexts.map((text) => JSON.parse(text) as JsonObject);
}
