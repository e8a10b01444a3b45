// The four patches, from their bytes to an answer.
import type { WriteContext } from "../api-context.ts";
import { notFound } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { applyObject } from "../operations/apply-object.ts";
import { modifyObject } from "../operations/modify-object.ts";
import { patchRefusal } from "../patch/patch-refusal.ts";
import { type Patched, patchedText } from "../patch/patched-text.ts";
import { applyPatch, checkPatchType, PATCH_TYPES } from "../patch/patches.ts";
import { storageKey } from "../resource-kind.ts";
import { madeByUpdate } from "../strategy/strategies.ts";
import { type Call, reply } from "./call.ts";
import { readPatch } from "./patch-body.ts";
import { mediaType, readBytes } from "./read-body.ts";
import { isTrue } from "./request-info.ts";

export async function servePatch(call: Call): Promise<void> {
  const { server, kind, target, query, context } = call;
  const type = mediaType(call.request);
  checkPatchType(kind, type);
  const bytes = await readBytes(call.request);
  // Side doors lead to what is there; few kinds are made by any of them.
  const exists = () => server.parts.store.get(storageKey(kind), target.namespace, target.name) !== undefined;
  if (target.subresource !== "" && !madeByUpdate(kind) && !exists()) throw notFound(kind, target.name);
  if (type === PATCH_TYPES.apply) {
    const force = isTrue(query.get("force") ?? "false");
    const { value: body } = readPatch(type, bytes, context.fieldValidation);
    const { object, created } = await applyObject(server.parts, kind, { target, body, context, force });
    return await reply(call, object, created ? 201 : 200);
  }
  const strategic = type === PATCH_TYPES.strategic;
  const faults: string[] = [];
  const telling: WriteContext = { ...context, patch: { faults, unstructured: strategic } };
  let patched: Patched | undefined;
  // A patch is read only once there is something to change.
  const transform = (current: JsonObject) => {
    const patch = readPatch(type, bytes, context.fieldValidation);
    faults.splice(0, faults.length, ...patch.faults);
    const merged = applyPatch(kind, type, current, patch.value);
    // What is never written as JSON is not asked what it is.
    const after = strategic ? { ...merged, apiVersion: current["apiVersion"] ?? "", kind: kind.kind } : merged;
    patched = { before: current, patch: patch.value, after };
    return after;
  };
  try {
    await reply(call, await modifyObject(server.parts, kind, { target, context: telling, transform }));
  } catch (thrown) {
    throw patchRefusal(thrown, () => (patched === undefined ? "" : patchedText(kind, type, patched)));
  }
}
