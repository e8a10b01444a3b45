// Whether the conditions of a webhook let a request through to it.
import type { AdmissionAttributes } from "../contract.ts";
import { conditionsHold } from "./match-conditions.ts";
import { REQUEST_VARIABLES, requestBindings } from "./request-variables.ts";
import type { Webhook } from "./webhook-configuration.ts";
import { WebhookCallError } from "./webhook-review.ts";

/** Throws WebhookCallError when a condition fails: failurePolicy decides what then. */
export function isWanted(webhook: Webhook, attributes: AdmissionAttributes): boolean {
  try {
    return conditionsHold(webhook.given, REQUEST_VARIABLES, () => requestBindings(attributes));
  } catch (thrown) {
    throw new WebhookCallError(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
}
