import jsonPatch, { type Operation } from "fast-json-patch";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { AdmissionAttributes, AdmissionPlugin, JsonObject, ObjectAccess } from "../contract.ts";
import { deepEqual, stringAt } from "../json.ts";
import { listWebhooks, type Webhook, wantedVersion } from "./webhook-configuration.ts";
import { isWanted } from "./wanted-request.ts";
import { callFailure, callWebhook, inVersion, WebhookCallError } from "./webhook-review.ts";
import type { WebhookTransport } from "./webhook-transport.ts";

export interface WebhookOptions {
  readonly objects: ObjectAccess;
  readonly logger: Logger;
  readonly transport: WebhookTransport;
}

/**
 * Calls the mutating webhooks one after another, each seeing what the one before made. When one has changed the object,
 * the built-in mutating steps run once more, and so do earlier webhooks with reinvocationPolicy IfNeeded.
 */
export function mutatingWebhooks(options: WebhookOptions, builtIn: readonly AdmissionPlugin[]): AdmissionPlugin {
  return {
    name: "MutatingAdmissionWebhook",
    async admit(attributes) {
      const hooks = listWebhooks(options.objects, "mutatingwebhookconfigurations");
      let object = attributes.object;
      /** What the object was when each webhook had last seen it. */
      const seen = new Map<Webhook, JsonObject | undefined>();
      for (const hook of hooks) {
        object = await mutate(options, hook, { ...attributes, object });
        seen.set(hook, object);
      }
      if (deepEqual(object, attributes.object)) return object;
      for (const plugin of builtIn) object = (await plugin.admit({ ...attributes, object })) ?? object;
      for (const hook of hooks) {
        if (hook.reinvoke && !deepEqual(object, seen.get(hook))) {
          object = await mutate(options, hook, { ...attributes, object });
        }
      }
      return object;
    },
  };
}

async function mutate(
  { objects, logger, transport }: WebhookOptions,
  webhook: Webhook,
  attributes: AdmissionAttributes,
): Promise<JsonObject | undefined> {
  const version = wantedVersion(webhook, attributes, objects);
  if (version === undefined) return attributes.object;
  try {
    if (!isWanted(webhook, attributes)) return attributes.object;
    const { patch, warnings } = await callWebhook({ transport, webhook, attributes, version });
    for (const warning of warnings) attributes.warn?.(warning);
    const shown = inVersion(attributes.object, attributes.group, version);
    // A deletion has no object to patch: the webhook could only refuse.
    if (patch.length === 0 || shown === null) return attributes.object;
    const changed = applyPatch(shown, patch as unknown as Operation[]);
    return { ...changed, apiVersion: stringAt(attributes.object, "apiVersion") };
  } catch (thrown) {
    if (!(thrown instanceof WebhookCallError)) throw thrown;
    logger.warn(
      { webhook: webhook.name, error: thrown.message, ignored: webhook.ignoreFailure },
      "webhook call failed",
    );
    if (webhook.ignoreFailure) return attributes.object;
    throw callFailure(webhook.name, thrown);
  }
}

function applyPatch(object: JsonObject, operations: Operation[]): JsonObject {
  try {
    return jsonPatch.applyPatch(object, operations, true, false).newDocument;
  } catch (thrown) {
    const [firstLine] = errorMessage(thrown).split("\n");
    throw new WebhookCallError(`the patch in the answer does not apply: ${firstLine}`, { cause: thrown });
  }
}
