import { type EngineParts, type Target, timestamp, type WriteContext } from "../api-context.ts";
import { conflict, notFound } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, ensureObject, numberAt, setOrDelete, stringAt } from "../json.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { strategyOf } from "../strategy/strategies.ts";
import type { DeleteOptions } from "./delete-options.ts";
import { admit, shownForm } from "./finish-write.ts";
import { isGraceful, namespaceFinalizers, planDeletion } from "./plan-deletion.ts";

const isNamespace = (kind: ResourceKind) => storageKey(kind) === "/namespaces";

/** True when a change leaves nothing that holds a deleted object: no finalizer, no grace to wait for. */
export function isRemovable(kind: ResourceKind, next: JsonObject, before: JsonObject): boolean {
  if (stringAt(before, "metadata", "deletionTimestamp") === "") return false;
  if (arrayAt(next, "metadata", "finalizers").length > 0) return false;
  if (isNamespace(kind) && arrayAt(next, "spec", "finalizers").length > 0) return false;
  return (numberAt(before, "metadata", "deletionGracePeriodSeconds") ?? 0) === 0;
}

/** Takes an object out of the store; `object` is its last state there. */
export function removeObject(parts: EngineParts, kind: ResourceKind, object: JsonObject): JsonObject {
  return parts.store.commit(storageKey(kind), "DELETED", object);
}

export interface Removal {
  readonly object: JsonObject;
  /** False when finalizers or a grace period keep it for now. */
  readonly gone: boolean;
  /** It was going before, and this request changed nothing. */
  readonly pending?: boolean;
}

export interface DeleteRequest {
  readonly target: Target;
  readonly context: WriteContext;
  readonly options: DeleteOptions;
}

/** Deletes one object, at once or by marking it. Throws ApiStatusError. */
export async function deleteObject(parts: EngineParts, kind: ResourceKind, request: DeleteRequest): Promise<Removal> {
  const { target, context, options } = request;
  const find = () => {
    const found = parts.store.get(storageKey(kind), target.namespace, target.name);
    if (found === undefined) throw notFound(kind, target.name);
    checkPreconditions(kind, found, options);
    return found;
  };
  const before = find();
  if (isNamespace(kind) && isMarked(before) && arrayAt(before, "spec", "finalizers").length > 0)
    return { object: before, gone: false };
  if (planDeletion(kind, before, options, parts.now()).marked === undefined && isPendingPod(kind, before))
    return { object: before, gone: false, pending: true };
  const oldObject = kind.custom === undefined ? before : await shownForm(parts, kind, before);
  await admit(parts, kind, context, { operation: "DELETE", target, object: undefined, oldObject });
  const current = find();
  return beginsByMarking(kind) && !isMarked(current)
    ? { object: keep(parts, kind, context, begun(parts, kind, current, options)), gone: false }
    : carryOut(parts, kind, request, current);
}

const isMarked = (object: JsonObject) => stringAt(object, "metadata", "deletionTimestamp") !== "";
const isPendingPod = (kind: ResourceKind, object: JsonObject) =>
  isGraceful(kind) && (numberAt(object, "metadata", "deletionGracePeriodSeconds") ?? 0) > 0;

/** A namespace and a definition are marked whatever holds them: a controller empties them first. */
const beginsByMarking = (kind: ResourceKind) => isNamespace(kind) || strategyOf(kind).markDeleted !== undefined;

function begun(parts: EngineParts, kind: ResourceKind, current: JsonObject, options: DeleteOptions): JsonObject {
  const now = timestamp(parts.now());
  const next = structuredClone(current);
  const metadata = ensureObject(next, "metadata");
  metadata["deletionTimestamp"] = now;
  if (!isNamespace(kind)) return strategyOf(kind).markDeleted?.(next, now) ?? next;
  ensureObject(next, "status")["phase"] = "Terminating";
  const finalizers = namespaceFinalizers(arrayAt(metadata, "finalizers").map(String), options);
  setOrDelete(metadata, "finalizers", finalizers.length > 0 ? finalizers : undefined);
  return next;
}

const keep = (parts: EngineParts, kind: ResourceKind, { dryRun }: WriteContext, object: JsonObject): JsonObject =>
  dryRun ? object : parts.store.commit(storageKey(kind), "MODIFIED", object);

function carryOut(
  parts: EngineParts,
  kind: ResourceKind,
  { context, options }: DeleteRequest,
  current: JsonObject,
): Removal {
  const { marked, remove } = planDeletion(kind, current, options, parts.now());
  const last = marked === undefined ? current : keep(parts, kind, context, marked);
  if (!remove || context.dryRun) return { object: last, gone: remove };
  return { object: removeObject(parts, kind, last), gone: true };
}

function checkPreconditions(kind: ResourceKind, object: JsonObject, { preconditions }: DeleteOptions): void {
  const name = stringAt(object, "metadata", "name");
  const uid = stringAt(object, "metadata", "uid");
  const version = stringAt(object, "metadata", "resourceVersion");
  const own = beginsByMarking(kind);
  // Kubernetes names the kind here, not the resource, but for those with a deletion of their own.
  const who = own ? kind : { group: kind.group, plural: kind.kind };
  if (preconditions.uid !== undefined && preconditions.uid !== uid) {
    const why = own
      ? `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${uid}`
      : `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw conflict(who, name, why);
  }
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== version) {
    const given = preconditions.resourceVersion;
    const why = own
      ? `Precondition failed: ResourceVersion in precondition: ${given}, ResourceVersion in object meta: ${version}`
      : `the ResourceVersion in the precondition (${given}) does not match the ResourceVersion in record (${version}). The object might have been modified`;
    throw conflict(who, name, why);
  }
}
