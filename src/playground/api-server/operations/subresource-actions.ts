// Subresources that are more than another door to the same object.
import { badRequest, notFound } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, ensureObject, isObject } from "../json.ts";
import { applyPatch } from "../patch/patches.ts";
import { storageKey } from "../resource-kind.ts";
import { changeScale, getScale } from "./change-scale.ts";
import { checkName } from "./check-identity.ts";
import { decodeBody } from "./decode-body.ts";
import { modifyObject } from "./modify-object.ts";
import { isRemovable, removeObject } from "./remove-object.ts";
import type { SubresourceCall, SubresourceResult } from "./subresource-call.ts";

type Action = (call: SubresourceCall) => Promise<SubresourceResult>;

/** Other names, such as exec, binding or token, are served by plug-ins or not at all. */
export const SUBRESOURCE_ACTIONS: Readonly<Record<string, Action>> = {
  scale,
  finalize,
  ephemeralcontainers: throughFrontDoor,
  resize: throughFrontDoor,
};

function current({ parts, kind, target }: SubresourceCall): JsonObject {
  const object = parts.store.get(storageKey(kind), target.namespace, target.name);
  if (object === undefined) throw notFound(kind, target.name);
  return object;
}

function neededBody(body: JsonValue | undefined): JsonObject {
  if (!isObject(body)) throw badRequest("the body must hold one object");
  return body;
}

async function scale(call: SubresourceCall): Promise<SubresourceResult> {
  return { object: call.verb === "get" ? await getScale(call) : await changeScale(call) };
}

/** The namespace controller tells that a namespace is empty: spec.finalizers are taken from the body. */
async function finalize(call: SubresourceCall): Promise<SubresourceResult> {
  const { parts, kind, context } = call;
  const sent = decodeBody(kind, neededBody(call.body), context);
  checkName(sent, call.target);
  const wanted = arrayAt(sent, "spec", "finalizers");
  const before = current(call);
  const next = structuredClone(before);
  ensureObject(next, "spec")["finalizers"] = wanted;
  if (context.dryRun) return { object: next };
  if (isRemovable(kind, next, before)) {
    removeObject(parts, kind, before);
    return { object: next };
  }
  return { object: parts.store.commit(storageKey(kind), "MODIFIED", next) };
}

async function throughFrontDoor(call: SubresourceCall): Promise<SubresourceResult> {
  const { parts, kind, target, context, verb, body, patchType } = call;
  if (verb === "get") return { object: current(call) };
  if (verb === "update") {
    const sent = decodeBody(kind, neededBody(body), context);
    checkName(sent, target);
    const transform = (object: JsonObject) => object;
    return { object: await modifyObject(parts, kind, { target, context, transform, sent }) };
  }
  const transform = (object: JsonObject) => applyPatch(kind, patchType, object, body ?? null);
  return { object: await modifyObject(parts, kind, { target, context, transform }) };
}
