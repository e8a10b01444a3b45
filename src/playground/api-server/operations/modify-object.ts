// Every change of an object that exists: update, patch, server-side apply, on itself or on its status.
import { type EngineParts, type Target, type Transform, timestamp, type WriteContext } from "../api-context.ts";
import { conflict, invalid, MODIFIED, notFound } from "../api-errors.ts";
import { trackUpdate } from "../apply/managed-fields.ts";
import type { ApiStatusError, JsonObject } from "../contract.ts";
import { whenConverted } from "../crd/convert-custom.ts";
import { arrayAt, deepEqual, ensureObject, isObject, numberAt, objectAt, setOrDelete, stringAt } from "../json.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { asSent, emptiedIn } from "../schema/zero-values.ts";
import { dropDisabledFields } from "../strategy/disabled-fields.ts";
import { countsGeneration, emptiesNothing, fixedMetadata, specChanged, strategyOf } from "../strategy/strategies.ts";
import { objectWarnings } from "../warnings/object-warnings.ts";
import { checkName, checkUid, checkVersion, placeInNamespace } from "./check-identity.ts";
import { fromStorage, shownNow, toStorage } from "./convert-version.ts";
import { decodeBody } from "./decode-body.ts";
import { admit, completeWithDefaults, fieldWriter, judge, keptForm, shownForm, validateSent } from "./finish-write.ts";
import { commitShown, withHidden, withoutHidden } from "./hidden-policy.ts";
import { versionsOf } from "./owned-versions.ts";
import { isRemovable, removeObject } from "./remove-object.ts";
import { settleOwners, showOwners } from "./settle-owners.ts";
import { isUnsettled } from "./unsettled.ts";

export interface ModifyRequest {
  readonly target: Target;
  readonly context: WriteContext;
  /** Gives the object as it shall be, in the client's version, from the object as it is. */
  readonly transform: Transform;
  /** What a full update shall make of the object, in its kept form: decoded once, whatever others write. */
  readonly sent?: JsonObject;
  /** managedFields by server-side apply; tracked as an update otherwise. */
  readonly managedFields?: () => JsonObject[];
  /** A change of nothing but the times in managedFields is written too. */
  readonly exactOwners?: boolean;
}

/** Tries that a change without a resource version gets when others write in between. */
const TRIES = 5;

/** Changes one object; the result is in its kept form. Throws ApiStatusError. */
export async function modifyObject(
  parts: EngineParts,
  kind: ResourceKind,
  request: ModifyRequest,
): Promise<JsonObject> {
  const { namespace, name } = request.target;
  let last: ApiStatusError | undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const current = parts.store.get(storageKey(kind), namespace, name);
    if (current === undefined) throw notFound(kind, name);
    if (request.sent !== undefined)
      checkUid(kind, request.target, { sent: request.sent, current, dryRun: request.context.dryRun });
    const result = await attemptChange(parts, kind, request, current);
    if (result !== undefined) return result;
    last = conflict(kind, name, MODIFIED);
  }
  throw last ?? conflict(kind, name, MODIFIED);
}

async function attemptChange(
  parts: EngineParts,
  kind: ResourceKind,
  request: ModifyRequest,
  current: JsonObject,
): Promise<JsonObject | undefined> {
  const { target, context } = request;
  const key = storageKey(kind);
  const stored = withHidden(parts.store, key, current);
  const shown = kind.custom === undefined ? fromStorage(kind, stored) : await shownForm(parts, kind, current);
  const wanted = request.sent ?? (await transformed(kind, request, shown));
  checkName(wanted, target);
  placeInNamespace(kind, wanted, target);
  // What the client's version does not know of a custom resource takes no part in its change.
  const live = kind.custom === undefined ? stored : toStorage(kind, shown);
  const next = merged(kind, target, { next: structuredClone(wanted), current: live });
  // A custom resource is complete once it is read.
  const emptied = kind.custom === undefined ? completeWithDefaults(parts, kind, next) : [];
  // Who owns what of a custom resource follows from all that was read, whatever the door lets through.
  const read = kind.custom === undefined ? next : wanted;
  const owners = () => ownersAfter(parts, kind, request, { next: read, current: live });
  const managedFields =
    request.managedFields?.() ?? (await whenConverted(parts.convert, () => asSent(emptied, owners)));
  showOwners(next, managedFields);
  const step = { operation: "UPDATE", target, object: next, oldObject: live } as const;
  const admitted = (await admit(parts, kind, context, step)) ?? next;
  settleOwners(admitted, managedFields, context);
  checkVersion(kind, target, wanted, current);
  const changedAsSent = specChanged(kind, admitted, live);
  dropDisabledFields(key, admitted);
  strategyOf(kind).prepareUpdate?.(admitted, live, { door: target.subresource, now: timestamp(parts.now()) });
  const isService = key === "/services" && target.subresource === "";
  const giveBack = isService ? assignAddresses(parts, kind, admitted, { current, context }) : undefined;
  try {
    const door = target.subresource === "scale" ? "" : target.subresource;
    const change = { old: live, subresource: door, warn: warnOnce(context) };
    validateSent(parts, kind, admitted, { ...change, emptied: emptiedIn(emptied, next, admitted) });
    completeMetadata(kind, request, { next: admitted, current: live, wanted, changedAsSent });
    const written = { object: admitted, old: live, subresource: target.subresource };
    const changed = specChanged(kind, admitted, live);
    context.warnings.push(...objectWarnings(kind, { ...written, specChanged: changed }));
    await judge(parts, kind, context, { ...step, object: admitted });
  } catch (thrown) {
    giveBack?.();
    throw thrown;
  }
  const kept = kind.custom === undefined ? admitted : await keptForm(parts, kind, admitted);
  if (parts.store.get(key, target.namespace, target.name) !== current) {
    giveBack?.();
    return undefined;
  }
  // A custom resource that lies there in another version, or with other fields, is written though nobody sees a change.
  const unchanged = isUnchanged(kept, kind.custom === undefined ? live : current, request.exactOwners === true);
  if (unchanged && !isUnsettled(parts.store, key, current)) return current;
  // What was shown of it while it still changed is remembered under its identity.
  if (context.dryRun) return { ...withoutHidden(key, kept) };
  if (!isRemovable(kind, admitted, current)) return commitShown(parts.store, key, { type: "MODIFIED", object: kept });
  // Watchers see the object as it last was in the store.
  removeObject(parts, kind, current);
  return admitted;
}

/** What a change makes of the object, decoded; a custom resource that it leaves alone gets no new defaults either. */
async function transformed(kind: ResourceKind, request: ModifyRequest, shown: JsonObject): Promise<JsonObject> {
  const after = await request.transform(shown);
  return after === shown && kind.custom !== undefined ? shown : decodeBody(kind, after, request.context);
}

/** A change that is tried again is not warned of again. */
const warnOnce =
  ({ warnings }: WriteContext) =>
  (text: string): void => {
    if (!warnings.includes(text)) warnings.push(text);
  };

interface Pair {
  readonly next: JsonObject;
  readonly current: JsonObject;
}

/** What a client says of these does not count. */
const SERVER_FIELDS = ["creationTimestamp", "generation"];
/** Without them they stay; validation refuses another value. */
const LASTING_FIELDS = ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"];

const SPEC_DOORS = new Set(["", "scale", "ephemeralcontainers", "resize"]);

/** The object itself, and other doors to its spec. */
const changesSpec = ({ subresource }: Target) => SPEC_DOORS.has(subresource);

/** Its status goes in by the front door too. */
const OPEN_STATUS = "networking.k8s.io/servicecidrs";

/** The status door changes the status only, the front door everything but the status. */
function merged(kind: ResourceKind, target: Target, { next, current }: Pair): JsonObject {
  const old = objectAt(current, "metadata");
  const metadata: JsonObject = { ...objectAt(next, "metadata") };
  for (const field of SERVER_FIELDS) setOrDelete(metadata, field, old[field]);
  for (const field of LASTING_FIELDS) setOrDelete(metadata, field, metadata[field] ?? old[field]);
  // A deletion is never taken back; beginning one by a change is refused later.
  if (old["deletionTimestamp"] !== undefined) metadata["deletionTimestamp"] = old["deletionTimestamp"];
  if (target.subresource === "status" || target.subresource === "approval") {
    const fixed = kind.custom === undefined ? fixedMetadata(kind) : "all";
    const kept = fixed === "all" ? { ...old } : metadata;
    for (const field of fixed === "all" ? [] : fixed) setOrDelete(kept, field, old[field]);
    setOrDelete(kept, "managedFields", metadata["managedFields"]);
    const out = structuredClone({ ...current, metadata: kept });
    setOrDelete(out, "status", next["status"]);
    return out;
  }
  const out = { ...next, metadata };
  if (kind.subresources.includes("status") && storageKey(kind) !== OPEN_STATUS)
    setOrDelete(out, "status", structuredClone(current["status"]));
  return out;
}

/** managedFields as the client's change leaves them; admission's changes are nobody's. */
function ownersAfter(parts: EngineParts, kind: ResourceKind, request: ModifyRequest, pair: Pair): JsonObject[] {
  const { subresource } = request.target;
  const writer = fieldWriter(parts, kind, request.context, { operation: "Update", subresource });
  const [before, after] = [shownNow(kind, pair.current), shownNow(kind, pair.next)];
  return trackUpdate(versionsOf(parts, kind, subresource), before, after, writer);
}

interface Written extends Pair {
  /** As the client sent it. */
  readonly wanted: JsonObject;
  /** Whether it changed more than metadata and status before what is off was taken out of it. */
  readonly changedAsSent: boolean;
}

function completeMetadata(kind: ResourceKind, request: ModifyRequest, written: Written): void {
  const { next, current, wanted, changedAsSent } = written;
  const metadata = ensureObject(next, "metadata");
  if (changesSpec(request.target) && countsGeneration(kind)) {
    const generation = numberAt(current, "metadata", "generation") ?? 0;
    const early = changedAsSent && storageKey(kind) === "resource.k8s.io/resourceslices";
    const changed = early || specChanged(kind, next, current) || emptiesNothing(kind, wanted, current);
    const now = generation + (changed ? 1 : 0);
    setOrDelete(metadata, "generation", now === 0 ? undefined : now);
  }
  metadata["resourceVersion"] = stringAt(current, "metadata", "resourceVersion");
}

/** A write that changes nothing makes no event. */
function isUnchanged(next: JsonObject, current: JsonObject, exactOwners: boolean): boolean {
  if (!deepEqual(withoutManagedFields(next), withoutManagedFields(current))) return false;
  const strip = (object: JsonObject) =>
    arrayAt(object, "metadata", "managedFields").map((entry) => {
      const { time, ...rest } = isObject(entry) ? entry : {};
      return exactOwners && time !== undefined ? { ...rest, time } : rest;
    });
  return deepEqual(strip(next), strip(current));
}

function withoutManagedFields(object: JsonObject): JsonObject {
  const { managedFields: _, ...metadata } = objectAt(object, "metadata");
  return { ...object, metadata };
}

/** Addresses and ports come before validation. Returns how the change of them is undone. */
function assignAddresses(
  parts: EngineParts,
  kind: ResourceKind,
  service: JsonObject,
  { current, context }: { readonly current: JsonObject; readonly context: WriteContext },
): () => void {
  const isComplete = objectAt(service, "spec")["ipFamilyPolicy"] !== undefined;
  // One that was made through the status door has no families before its first change.
  if (isComplete && deepEqual(service["spec"], current["spec"])) return () => {};
  const { errors, undo } = parts.allocator.assign(service, current, context);
  if (errors.length > 0) throw invalid(kind, stringAt(service, "metadata", "name"), errors);
  if (!context.dryRun) return undo;
  undo();
  return () => {};
}
