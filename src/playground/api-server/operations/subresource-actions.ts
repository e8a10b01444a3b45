// Subresources that are more than another door to the same object.
import type { EngineParts, Target, WriteContext } from "../api-context.ts";
import { badRequest, methodNotSupported, notFound } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, ensureObject, isObject } from "../json.ts";
import { applyPatch } from "../patch/patches.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { modifyObject } from "./modify-object.ts";
import { isRemovable, removeObject } from "./remove-object.ts";
import { readScale, writeScale } from "./scale.ts";

export interface SubresourceCall {
  readonly parts: EngineParts;
  readonly kind: ResourceKind;
  readonly target: Target;
  readonly context: WriteContext;
  readonly verb: string;
  readonly body: JsonValue | undefined;
  readonly patchType: string;
}

export interface SubresourceResult {
  readonly object: JsonObject;
  readonly code?: number;
}

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
  const { parts, kind, target, context, verb, body, patchType } = call;
  if (verb === "get") return { object: readScale(kind, current(call)) };
  if (verb !== "update" && verb !== "patch") throw methodNotSupported();
  const changed = await modifyObject(parts, kind, {
    target,
    context,
    transform(object) {
      const before = readScale(kind, object);
      const type = patchType.startsWith("application/strategic") ? "application/merge-patch+json" : patchType;
      const wanted = verb === "update" ? neededBody(body) : applyPatch(SCALE_KIND(kind), type, before, body ?? null);
      return writeScale(kind, object, wanted);
    },
  });
  return { object: readScale(kind, changed) };
}

/** A scale is patched like a custom resource: it has no lists that merge. */
const SCALE_KIND = (kind: ResourceKind): ResourceKind => ({
  ...kind,
  custom: kind.custom ?? {
    definition: "",
    form: {},
    columns: [],
    deprecation: "",
    terminating: false,
    selectableFields: [],
  },
});

/** The namespace controller tells that a namespace is empty: spec.finalizers are taken from the body. */
async function finalize(call: SubresourceCall): Promise<SubresourceResult> {
  const { parts, kind, context } = call;
  const wanted = arrayAt(neededBody(call.body), "spec", "finalizers");
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
  const { parts, kind, context, verb, body, patchType } = call;
  if (verb === "get") return { object: current(call) };
  const target = { ...call.target, subresource: "" };
  const transform = (object: JsonObject) =>
    verb === "update" ? neededBody(body) : applyPatch(kind, patchType, object, body ?? null);
  return { object: await modifyObject(parts, kind, { target, context, transform }) };
}
