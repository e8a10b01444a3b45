import type { AdmissionAttributes, AdmissionPlugin } from "../contract.ts";
import type { WebhookOptions } from "./mutating-webhooks.ts";
import { listWebhooks, type Webhook, wantedVersion } from "./webhook-configuration.ts";
import { isWanted } from "./wanted-request.ts";
import { callFailure, callWebhook, WebhookCallError } from "./webhook-review.ts";

/** Calls the validating webhooks all at once; the first in order that refuses speaks for all. */
export function validatingWebhooks(options: WebhookOptions): AdmissionPlugin {
  return {
    name: "ValidatingAdmissionWebhook",
    judges: true,
    async admit(attributes) {
      const hooks = listWebhooks(options.objects, "validatingwebhookconfigurations");
      const errors = await Promise.all(hooks.map((hook) => validate(options, hook, attributes)));
      const refusal = errors.find((error) => error !== undefined);
      if (refusal !== undefined) throw refusal;
      return attributes.object;
    },
  };
}

async function validate(
  { objects, authorizer, logger, transport }: WebhookOptions,
  webhook: Webhook,
  attributes: AdmissionAttributes,
): Promise<unknown> {
  const version = wantedVersion(webhook, attributes, objects);
  if (version === undefined) return undefined;
  try {
    if (!isWanted(webhook, attributes, authorizer)) return undefined;
    const { warnings } = await callWebhook({ transport, webhook, attributes, version, mutating: false });
    for (const warning of warnings) attributes.warn?.(warning);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof WebhookCallError)) return thrown;
    logger.warn(
      { webhook: webhook.name, error: thrown.message, ignored: webhook.ignoreFailure },
      "webhook call failed",
    );
    return webhook.ignoreFailure ? undefined : callFailure(webhook.name, thrown);
  }
}
