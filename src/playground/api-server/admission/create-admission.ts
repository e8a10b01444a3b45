import type { Logger } from "#base/logger";
import type { ClusterProcessConfig } from "../../process-config.ts";
import type { AdmissionPlugin, Authorizer, ObjectAccess } from "../contract.ts";
import type { Registry } from "../registry.ts";
import { certificateApproval, certificateSigning, certificateSubject } from "./certificate-requests.ts";
import { defaultIngressClass } from "./default-ingress-class.ts";
import { limitRangeDefaults, limitRangeLimits } from "./limit-ranger.ts";
import { mutatingWebhooks } from "./mutating-webhooks.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeRestriction } from "./node-restriction.ts";
import { defaultTolerationSeconds, priorityAdmission, taintNewNodes } from "./pod-defaults.ts";
import { podSecurity } from "./pod-security/pod-security.ts";
import { onlyOneDefaultPriority } from "./priority-class.ts";
import { resourceQuota } from "./quota/resource-quota.ts";
import { rbacEscalation } from "./rbac-escalation.ts";
import { runtimeClassDefaults, runtimeClassOverhead } from "./runtime-class.ts";
import { serviceAccountAdmission } from "./service-account.ts";
import { claimResize, defaultStorageClass, storageProtection } from "./storage-defaults.ts";
import { validatingPolicies } from "./validating-policies.ts";
import { validatingWebhooks } from "./validating-webhooks.ts";
import { createWebhookTransport } from "./webhook-transport.ts";

export interface AdmissionOptions {
  readonly config: ClusterProcessConfig;
  readonly objects: ObjectAccess;
  readonly authorizer: Authorizer;
  readonly registry: Registry;
  readonly logger: Logger;
}

/**
 * The admission steps in the order in which a real server runs them: first all that changes the object, then all that
 * judges the result, the quotas last, for they charge what they let in.
 */
export function createAdmission({ objects, authorizer, registry, logger }: AdmissionOptions): AdmissionPlugin[] {
  const webhooks = { objects, authorizer, logger, transport: createWebhookTransport(objects) };
  const serviceAccount = serviceAccountAdmission(objects);
  return [
    namespaceLifecycle(objects),
    limitRangeDefaults(objects),
    serviceAccount,
    nodeRestriction(objects),
    taintNewNodes(),
    priorityAdmission(objects),
    defaultTolerationSeconds(),
    defaultStorageClass(objects),
    storageProtection(),
    runtimeClassDefaults(objects),
    defaultIngressClass(objects),
    mutatingWebhooks(webhooks, [serviceAccount]),
    rbacEscalation(objects),
    limitRangeLimits(objects),
    podSecurity(objects),
    onlyOneDefaultPriority(objects),
    claimResize(objects),
    runtimeClassOverhead(objects),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    certificateSubject(),
    validatingPolicies({ objects, authorizer, registry }),
    validatingWebhooks(webhooks),
    resourceQuota(objects),
  ];
}
