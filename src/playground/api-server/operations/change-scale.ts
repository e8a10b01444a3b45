// The verbs of the door `scale`.
import { badRequest, notFound } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, isObject } from "../json.ts";
import { patchRefusal } from "../patch/patch-refusal.ts";
import { patchedText } from "../patch/patched-text.ts";
import { applyPatch, PATCH_TYPES } from "../patch/patches.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { checkApplied } from "./apply-object.ts";
import { checkName, checkUid, placeInNamespace } from "./check-identity.ts";
import { withUnset } from "./custom-scale.ts";
import { decodeBody } from "./decode-body.ts";
import { shownForm } from "./finish-write.ts";
import { modifyObject } from "./modify-object.ts";
import { readScale, refuseWithoutReplicas, type ScaleChange, scaled, scaleKind } from "./scale.ts";
import type { SubresourceCall } from "./subresource-call.ts";

export async function getScale({ parts, kind, target }: SubresourceCall): Promise<JsonObject> {
  const stored = parts.store.get(storageKey(kind), target.namespace, target.name);
  if (stored === undefined) throw notFound(kind, target.name);
  const object = await shownForm(parts, kind, stored);
  const scale = readScale(kind, object);
  refuseWithoutReplicas(kind, object);
  return scale;
}

/** Replaces, patches or applies a scale; gives it as it is then. Throws ApiStatusError. */
export async function changeScale(call: SubresourceCall): Promise<JsonObject> {
  const { parts, kind, target, context, verb } = call;
  const change = verb === "update" ? replacement(call) : patch(call);
  let managedFields: JsonObject[] = [];
  const changed = await modifyObject(parts, kind, {
    target,
    context,
    transform(parent) {
      const after = scaled(kind, parent, change(parent));
      managedFields = arrayAt(after, "metadata", "managedFields").filter(isObject);
      return after;
    },
    managedFields: () => managedFields,
    exactOwners: true,
  });
  return readScale(kind, await shownForm(parts, kind, changed));
}

type ChangeOf = (parent: JsonObject) => ScaleChange;

function replacement({ parts, kind, target, context, body = null }: SubresourceCall): ChangeOf {
  const sent = decoded(kind, body, { context, target });
  const current = parts.store.get(storageKey(kind), target.namespace, target.name);
  checkUid(kind, target, { sent, current, dryRun: context.dryRun });
  return () => ({ manager: context.fieldManager, next: () => sent });
}

function decoded(
  kind: ResourceKind,
  body: JsonValue,
  { context, target }: Pick<SubresourceCall, "context" | "target">,
): JsonObject {
  const scale = decodeBody(scaleKind(kind), body, context);
  placeInNamespace(kind, scale, target);
  checkName(scale, target);
  return scale;
}

function patch(call: SubresourceCall): ChangeOf {
  const { kind, target, context, body = null, patchType, force } = call;
  const manager = context.fieldManager;
  if (patchType === PATCH_TYPES.apply) {
    if (!isObject(body)) throw badRequest("the body of an apply request must be one object");
    checkApplied(scaleKind(kind), body);
    // What the schema does not know is refused before.
    const quiet = { ...context, fieldValidation: "Ignore" } as const;
    const next = (scale: JsonObject) => decoded(kind, scale, { context: quiet, target });
    return () => ({ manager, next, apply: { config: body, force } });
  }
  const unstructured = patchType === PATCH_TYPES.strategic;
  const telling = { ...context, patch: { faults: [], unstructured } };
  return (parent) => ({
    manager,
    next(shown) {
      const scale = kind.custom === undefined ? shown : withUnset(kind.custom, parent, shown);
      const result = applyPatch(scaleKind(kind), patchType, scale, body);
      try {
        return decoded(kind, result, { context: telling, target });
      } catch (thrown) {
        const patched = { before: scale, patch: body, after: result };
        throw patchRefusal(thrown, () => patchedText(scaleKind(kind), patchType, patched));
      }
    },
  });
}
