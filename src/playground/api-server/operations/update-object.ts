// A full update: an object takes the place of another, or, of a few kinds, is made where there is none.
import type { EngineParts, Target, WriteContext } from "../api-context.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { objectAt } from "../json.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { madeByUpdate } from "../strategy/strategies.ts";
import { checkName, checkUid, parseVersion, placeInNamespace } from "./check-identity.ts";
import { createDecoded } from "./create-object.ts";
import { decodeBody } from "./decode-body.ts";
import { modifyObject } from "./modify-object.ts";

/** The result is in its kept form; `created` tells whether it is new. Throws ApiStatusError. */
export async function updateObject(
  parts: EngineParts,
  kind: ResourceKind,
  request: { readonly target: Target; readonly body: JsonValue; readonly context: WriteContext },
): Promise<{ readonly object: JsonObject; readonly created: boolean }> {
  const { target, context } = request;
  const sent = decodeBody(kind, request.body, context);
  placeInNamespace(kind, sent, target);
  checkName(sent, target);
  const exists = parts.store.get(storageKey(kind), target.namespace, target.name) !== undefined;
  if (!exists && madeByUpdate(kind)) checkUid(kind, target, { sent, current: undefined, dryRun: context.dryRun });
  if (exists || target.subresource !== "" || !madeByUpdate(kind)) {
    const transform = (current: JsonObject) => current;
    return { object: await modifyObject(parts, kind, { target, context, transform, sent }), created: false };
  }
  parseVersion(sent);
  const { resourceVersion: _, ...metadata } = objectAt(sent, "metadata");
  return {
    object: await createDecoded(parts, kind, { target, object: { ...sent, metadata }, context }),
    created: true,
  };
}
