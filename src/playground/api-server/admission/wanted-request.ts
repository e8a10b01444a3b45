// Whether the conditions of a webhook let a request through to it.
import { forbidden } from "../api-errors.ts";
import type { AdmissionAttributes, Authorizer } from "../contract.ts";
import { conditionsHold } from "./match-conditions.ts";
import { AUTHORIZER_VARIABLE, REQUEST_VARIABLES, requestBindings } from "./request-variables.ts";
import type { Webhook } from "./webhook-configuration.ts";

const VARIABLES = { ...REQUEST_VARIABLES, ...AUTHORIZER_VARIABLE };

/** Throws 403 when a condition fails; under failurePolicy Ignore the webhook is left out then. */
export function isWanted(webhook: Webhook, attributes: AdmissionAttributes, authorizer: Authorizer): boolean {
  try {
    return conditionsHold(webhook.given, VARIABLES, () => requestBindings(attributes, authorizer));
  } catch (thrown) {
    if (webhook.ignoreFailure) return false;
    const { group, resource, name } = attributes;
    throw forbidden({ group, plural: resource }, name, thrown instanceof Error ? thrown.message : String(thrown));
  }
}
