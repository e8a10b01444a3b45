import type { Logger } from "#base/logger";
import {
  type AdmissionAttributes,
  type AdmissionPlugin,
  ApiStatusError,
  type Authorizer,
  type JsonObject,
  type JsonValue,
  type ObjectAccess,
} from "../contract.ts";
import { deepEqual, isObject, objectAt, stringAt } from "../json.ts";
import { applyJsonPatch, PatchFault } from "../patch/json-patch.ts";
import { isWanted } from "./wanted-request.ts";
import { listWebhooks, type Webhook, wantedVersion } from "./webhook-configuration.ts";
import { callFailure, callWebhook, inVersion, WebhookCallError } from "./webhook-review.ts";
import type { WebhookTransport } from "./webhook-transport.ts";

export interface WebhookOptions {
  readonly objects: ObjectAccess;
  readonly authorizer: Authorizer;
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
      const wanted = (webhook: Webhook, object: JsonObject | undefined) => {
        const version = wantedVersion(webhook, { ...attributes, object }, options.objects);
        if (version === undefined || !isWanted(webhook, { ...attributes, object }, options.authorizer))
          return undefined;
        return { webhook, version };
      };
      let object = attributes.object;
      /** What the object was when each webhook that was called had last seen it. */
      const seen = new Map<Webhook, JsonObject | undefined>();
      for (const hook of hooks) {
        const call = wanted(hook, object);
        if (call === undefined) continue;
        object = await mutate(options, call, { ...attributes, object });
        seen.set(hook, object);
      }
      if (deepEqual(object, attributes.object)) return object;
      for (const plugin of builtIn) object = (await plugin.admit({ ...attributes, object })) ?? object;
      for (const hook of hooks) {
        // Conditions are judged again for all, whoever is asked again.
        const call = wanted(hook, object);
        const again = hook.reinvoke && seen.has(hook) && !deepEqual(object, seen.get(hook));
        if (call !== undefined && again) object = await mutate(options, call, { ...attributes, object });
      }
      return object;
    },
  };
}

async function mutate(
  { logger, transport }: WebhookOptions,
  { webhook, version }: { readonly webhook: Webhook; readonly version: string },
  attributes: AdmissionAttributes,
): Promise<JsonObject | undefined> {
  try {
    const { patch, warnings } = await callWebhook({ transport, webhook, attributes, version, mutating: true });
    for (const warning of warnings) attributes.warn?.(warning);
    const shown = inVersion(attributes.object, attributes.group, version);
    if (patch.length === 0) return attributes.object;
    if (shown === null) throw internal(`${asker(webhook)} attempted to modify the object, which is ${UNSUPPORTED}`);
    const changed = applyPatch(shown, patch);
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

const asker = (webhook: Webhook) => `admission webhook ${JSON.stringify(webhook.name)}`;
const UNSUPPORTED = "not supported for this operation";

/** Wrong patches are refused whatever the failurePolicy. */
function internal(message: string): ApiStatusError {
  return new ApiStatusError(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
}

function applyPatch(object: JsonObject, operations: readonly JsonValue[]): JsonObject {
  try {
    const patched = applyJsonPatch(object, operations);
    if (isObject(patched)) return withoutNoOwners(patched);
  } catch (thrown) {
    if (thrown instanceof PatchFault) throw internal(thrown.message);
    throw thrown;
  }
  throw internal("the patch leaves something that is no object");
}

/** An empty list of managers is none, for the webhooks that are asked next too. */
function withoutNoOwners(object: JsonObject): JsonObject {
  const { managedFields, ...metadata } = objectAt(object, "metadata");
  return Array.isArray(managedFields) && managedFields.length === 0 ? { ...object, metadata } : object;
}
