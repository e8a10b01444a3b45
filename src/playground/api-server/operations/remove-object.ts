import { type EngineParts, type Target, timestamp, type WriteContext } from "../api-context.ts";
import { conflict, notFound } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, ensureObject, numberAt, objectAt, stringAt } from "../json.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { strategyOf } from "../strategy/strategies.ts";
import { admit } from "./finish-write.ts";

/** Body and query of a DELETE. */
export interface DeleteOptions {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: string;
  readonly preconditions: { readonly uid: string; readonly resourceVersion: string };
}

export function deleteOptions(body: JsonObject, query: URLSearchParams): DeleteOptions {
  const grace = query.get("gracePeriodSeconds");
  return {
    gracePeriodSeconds: grace === null ? numberAt(body, "gracePeriodSeconds") : Number(grace),
    propagationPolicy:
      query.get("propagationPolicy") ??
      (stringAt(body, "propagationPolicy") || (body["orphanDependents"] === true ? "Orphan" : "")),
    preconditions: {
      uid: stringAt(body, "preconditions", "uid"),
      resourceVersion: stringAt(body, "preconditions", "resourceVersion"),
    },
  };
}

/** True when nothing holds a deleted object any more: no finalizer, no grace to wait for. */
export function isRemovable(kind: ResourceKind, object: JsonObject): boolean {
  if (stringAt(object, "metadata", "deletionTimestamp") === "") return false;
  if (arrayAt(object, "metadata", "finalizers").length > 0) return false;
  if (isNamespace(kind) && arrayAt(object, "spec", "finalizers").length > 0) return false;
  return (numberAt(object, "metadata", "deletionGracePeriodSeconds") ?? 0) === 0;
}

const isNamespace = (kind: ResourceKind) => storageKey(kind) === "/namespaces";

/** Takes an object out of the store; `object` is its last state. */
export function removeObject(parts: EngineParts, kind: ResourceKind, object: JsonObject): JsonObject {
  return parts.store.commit(storageKey(kind), "DELETED", object);
}

export interface Removal {
  readonly object: JsonObject;
  /** False when finalizers or a grace period keep it for now. */
  readonly gone: boolean;
}

/** Deletes one object, at once or by marking it. Throws ApiStatusError. */
export async function deleteObject(
  parts: EngineParts,
  kind: ResourceKind,
  request: { readonly target: Target; readonly context: WriteContext; readonly options: DeleteOptions },
): Promise<Removal> {
  const { target, context, options } = request;
  const key = storageKey(kind);
  const before = parts.store.get(key, target.namespace, target.name);
  if (before === undefined) throw notFound(kind, target.name);
  checkPreconditions(kind, before, options);
  await admit(parts, kind, context, { operation: "DELETE", target, object: undefined, oldObject: before });
  const current = parts.store.get(key, target.namespace, target.name);
  if (current === undefined) throw notFound(kind, target.name);
  const marked = mark(parts, kind, current, options);
  if (isRemovable(kind, marked)) {
    // What goes at once was never marked.
    const first = stringAt(current, "metadata", "deletionTimestamp") === "";
    const last = first && key !== "/pods" ? structuredClone(current) : marked;
    return { object: context.dryRun ? last : removeObject(parts, kind, last), gone: true };
  }
  const changed = JSON.stringify(marked["metadata"]) !== JSON.stringify(current["metadata"]);
  if (!changed || context.dryRun) return { object: current, gone: false };
  return { object: parts.store.commit(key, "MODIFIED", marked), gone: false };
}

function checkPreconditions(kind: ResourceKind, object: JsonObject, { preconditions }: DeleteOptions): void {
  const name = stringAt(object, "metadata", "name");
  const uid = stringAt(object, "metadata", "uid");
  if (preconditions.uid !== "" && preconditions.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${uid}`;
    throw conflict(kind, name, why);
  }
  const version = stringAt(object, "metadata", "resourceVersion");
  if (preconditions.resourceVersion !== "" && preconditions.resourceVersion !== version) {
    const why = `Precondition failed: ResourceVersion in precondition: ${preconditions.resourceVersion}, ResourceVersion in object meta: ${version}`;
    throw conflict(kind, name, why);
  }
}

/** The object with its deletion written on it. A second call may shorten the grace, never lengthen it. */
function mark(parts: EngineParts, kind: ResourceKind, current: JsonObject, options: DeleteOptions): JsonObject {
  const next = structuredClone(current);
  const metadata = ensureObject(next, "metadata");
  const grace = graceOf(kind, current, options);
  const earlier = numberAt(metadata, "deletionGracePeriodSeconds");
  const first = stringAt(metadata, "deletionTimestamp") === "";
  if (first || (earlier !== undefined && grace < earlier)) {
    metadata["deletionTimestamp"] = timestamp(parts.now() + grace * 1000);
    if (!isNamespace(kind)) metadata["deletionGracePeriodSeconds"] = grace;
  }
  if (first) {
    const policy = policyOf(kind, metadata, options);
    setFinalizer(metadata, "foregroundDeletion", policy === "Foreground");
    setFinalizer(metadata, "orphan", policy === "Orphan");
    const generation = numberAt(metadata, "generation");
    if (generation !== undefined) metadata["generation"] = generation + 1;
  }
  if (isNamespace(kind)) ensureObject(next, "status")["phase"] = "Terminating";
  return first ? (strategyOf(kind).markDeleted?.(next, current, timestamp(parts.now())) ?? next) : next;
}

/** What the request says, else what the object's finalizers ask for, else what the kind does. */
function policyOf(kind: ResourceKind, metadata: JsonObject, { propagationPolicy }: DeleteOptions): string {
  if (propagationPolicy !== "") return propagationPolicy;
  const finalizers = arrayAt(metadata, "finalizers");
  if (finalizers.includes("orphan")) return "Orphan";
  if (finalizers.includes("foregroundDeletion")) return "Foreground";
  return strategyOf(kind).orphans === true ? "Orphan" : "Background";
}

function setFinalizer(metadata: JsonObject, name: string, wanted: boolean): void {
  const others = arrayAt(metadata, "finalizers").filter((finalizer) => finalizer !== name);
  const all = wanted ? [...others, name] : others;
  if (all.length > 0) metadata["finalizers"] = all;
  else delete metadata["finalizers"];
}

/** Only pods on a node that still runs them are waited for. */
function graceOf(kind: ResourceKind, object: JsonObject, { gracePeriodSeconds }: DeleteOptions): number {
  if (storageKey(kind) !== "/pods") return 0;
  const phase = stringAt(object, "status", "phase");
  if (stringAt(object, "spec", "nodeName") === "" || phase === "Succeeded" || phase === "Failed") return 0;
  const own = numberAt(objectAt(object, "spec"), "terminationGracePeriodSeconds") ?? 30;
  const earlier = numberAt(object, "metadata", "deletionGracePeriodSeconds");
  return Math.max(0, gracePeriodSeconds ?? earlier ?? own);
}
