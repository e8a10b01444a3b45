// The roles and bindings that every cluster has from its first moment: those of a new Kubernetes cluster.
import { bornObjects } from "../born-objects.ts";
import type { JsonObject } from "../contract.ts";
import { RBAC_GROUP } from "./rbac-index.ts";

export function bootstrapPolicy(): JsonObject[] {
  return bornObjects().filter(({ apiVersion }) => apiVersion === `${RBAC_GROUP}/v1`);
}
