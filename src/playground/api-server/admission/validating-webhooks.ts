import type { AdmissionAttributes, AdmissionPlugin } from "../contract.ts";
import type { WebhookOptions } from "./mutating-webhooks.ts";
import { isWanted } from "./wanted-request.ts";
import { listWebhooks, type Webhook, wantedVersion } from "./webhook-configuration.ts";
import { callFailure, callWebhook, WebhookCallError } from "./webhook-review.ts";

/** Calls the validating webhooks all at once; the first in order that refuses speaks for all. */
export function validatingWebhooks(options: WebhookOptions): AdmissionPlugin {
  return {
    name: "ValidatingAdmissionWebhook",
    judges: true,
    async admit(attributes) {
      const hooks = listWebhooks(options.objects, "validatingwebhookconfigurations").flatMap((webhook) => {
        const version = wantedVersion(webhook, attributes, options.objects);
        // Whether all are wanted is known before the first is asked.
        const wanted = version !== undefined && isWanted(webhook, attributes, options.authorizer);
        return wanted ? [{ webhook, version }] : [];
      });
      const errors = await Promise.all(hooks.map((hook) => validate(options, hook, attributes)));
      const refusal = errors.find((error) => error !== undefined);
      if (refusal !== undefined) throw refusal;
      return attributes.object;
    },
  };
}

async function validate(
  { logger, transport }: WebhookOptions,
  { webhook, version }: { readonly webhook: Webhook; readonly version: string },
  attributes: AdmissionAttributes,
): Promise<unknown> {
  try {
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
