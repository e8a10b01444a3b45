import type { Logger } from "#base/logger";
import type { ClusterProcessConfig } from "../../process-config.ts";
import type { AdmissionPlugin, ObjectAccess } from "../contract.ts";
import type { Registry } from "../registry.ts";
import { mutatingWebhooks } from "./mutating-webhooks.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeRestriction } from "./node-restriction.ts";
import { defaultTolerationSeconds, priorityAdmission, taintNewNodes } from "./pod-defaults.ts";
import { rbacEscalation } from "./rbac-escalation.ts";
import { serviceAccountAdmission } from "./service-account.ts";
import { validatingPolicies } from "./validating-policies.ts";
import { validatingWebhooks } from "./validating-webhooks.ts";
import { createWebhookTransport } from "./webhook-transport.ts";

export interface AdmissionOptions {
  readonly config: ClusterProcessConfig;
  readonly objects: ObjectAccess;
  readonly registry: Registry;
  readonly logger: Logger;
}

/**
 * The admission steps in the order in which they must run: first what refuses cheaply, then all that changes the
 * object, last what judges the result.
 */
export function createAdmission({ objects, registry, logger }: AdmissionOptions): AdmissionPlugin[] {
  const webhooks = { objects, logger, transport: createWebhookTransport(objects) };
  const serviceAccount = serviceAccountAdmission(objects);
  return [
    namespaceLifecycle(objects),
    nodeRestriction(),
    serviceAccount,
    taintNewNodes(),
    priorityAdmission(objects),
    defaultTolerationSeconds(),
    mutatingWebhooks(webhooks, [serviceAccount]),
    rbacEscalation(objects),
    validatingPolicies({ objects, registry }),
    validatingWebhooks(webhooks),
  ];
}
