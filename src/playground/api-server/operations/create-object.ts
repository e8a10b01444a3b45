import { randomBytes, randomUUID } from "node:crypto";
import { type EngineParts, type Target, timestamp, type WriteContext } from "../api-context.ts";
import { alreadyExists, forbidden, invalid } from "../api-errors.ts";
import { trackUpdate } from "../apply/managed-fields.ts";
import { ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { whenConverted } from "../crd/convert-custom.ts";
import { ensureObject, stringAt } from "../json.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { asSent, emptiedIn } from "../schema/zero-values.ts";
import { askedAddress, checkAddressOwner } from "../strategy/address-owner.ts";
import { dropDisabledFields } from "../strategy/disabled-fields.ts";
import { beginsGeneration, strategyOf } from "../strategy/strategies.ts";
import { objectWarnings } from "../warnings/object-warnings.ts";
import { placeInNamespace } from "./check-identity.ts";
import { shownNow } from "./convert-version.ts";
import { decodeBody } from "./decode-body.ts";
import { admit, beforeCreation, completeWithDefaults, fieldWriter, judge, keptForm, validate } from "./finish-write.ts";
import { commitShown, withoutHidden } from "./hidden-policy.ts";
import { versionsOf } from "./owned-versions.ts";
import { settleOwners, showOwners } from "./settle-owners.ts";
import { markUnsettled } from "./unsettled.ts";

const TERMINATING = "create not allowed while custom resource definition is terminating";

export interface CreateOptions {
  /** managedFields of an object that server-side apply makes; tracked as an update otherwise. */
  readonly managedFields?: JsonObject[];
}

/** Makes one object. The result is in its kept form. Throws ApiStatusError. */
export async function createObject(
  parts: EngineParts,
  kind: ResourceKind,
  request: { readonly target: Target; readonly body: JsonValue; readonly context: WriteContext },
  options: CreateOptions = {},
): Promise<JsonObject> {
  const { target, context } = request;
  const object = decodeBody(kind, request.body, context);
  return createDecoded(parts, kind, { target, object, context }, options);
}

/** Makes one object of what was read already; `object` is in its kept form. Throws ApiStatusError. */
export async function createDecoded(
  parts: EngineParts,
  kind: ResourceKind,
  request: { readonly target: Target; readonly object: JsonObject; readonly context: WriteContext },
  options: CreateOptions = {},
): Promise<JsonObject> {
  const { object, context } = request;
  if (kind.custom?.terminating === true) {
    throw forbidden(kind, stringAt(object, "metadata", "name"), TERMINATING);
  }
  const placed = placeObject(kind, object, request.target);
  dropStatus(kind, object);
  const emptied = completeWithDefaults(parts, kind, object);
  const owners = () => asSent(emptied, () => firstOwner(parts, kind, object, context));
  const managedFields = options.managedFields ?? (await whenConverted(parts.convert, owners));
  showOwners(object, managedFields);
  const admitted =
    (await admit(parts, kind, context, { operation: "CREATE", target: placed, object, oldObject: undefined })) ??
    object;
  settleOwners(admitted, managedFields, context);
  // What may still change the object sees it without what only the server knows.
  stampNew(parts, kind, admitted);
  const target = { ...placed, name: stringAt(admitted, "metadata", "name") };
  // After those who may still change it: a pod's quality of service is that of its injected containers too.
  dropDisabledFields(storageKey(kind), admitted);
  strategyOf(kind).prepareCreate?.(admitted, context.user, (text) => void context.warnings.push(text));
  const key = storageKey(kind);
  const giveBack =
    key === "/services" && target.subresource === ""
      ? assignAddresses(parts, kind, admitted, context.dryRun)
      : undefined;
  try {
    asSent(
      emptiedIn(emptied, object, admitted),
      () => validate(parts, kind, admitted, { old: undefined, subresource: "" }),
      "all",
    );
    const written = { object: admitted, old: undefined, subresource: "", specChanged: true };
    context.warnings.push(...objectWarnings(kind, written));
    await judge(parts, kind, context, { operation: "CREATE", target, object: admitted, oldObject: undefined });
    return await commitNew(parts, kind, { target, context, admitted });
  } catch (thrown) {
    giveBack?.();
    throw thrown;
  }
}

interface NewObject {
  readonly target: Target;
  readonly context: WriteContext;
  readonly admitted: JsonObject;
}

async function commitNew(parts: EngineParts, kind: ResourceKind, created: NewObject): Promise<JsonObject> {
  const { context, admitted } = created;
  const key = storageKey(kind);
  const target = { ...created.target, name: stringAt(admitted, "metadata", "name") };
  if (!context.dryRun) refuseVersion(admitted);
  // Nothing is waited for from here on, but for a conversion.
  const kept = kind.custom === undefined ? admitted : await keptForm(parts, kind, admitted);
  const completed = strategyOf(kind).completeStored?.(admitted) === true;
  const present = parts.store.get(key, target.namespace, target.name);
  if (present !== undefined) {
    throw alreadyExists(kind, target.name, {
      ending: stringAt(present, "metadata", "deletionTimestamp") !== "",
      generated: stringAt(admitted, "metadata", "generateName") !== "",
    });
  }
  // What was shown of it while it still changed is remembered under its identity.
  if (context.dryRun) return { ...withoutHidden(key, kept) };
  const made = commitShown(parts.store, key, { type: "ADDED", object: kept });
  if (completed) markUnsettled(parts.store, key, made);
  return made;
}

/** A new object has no version yet. Kubernetes finds out late, and takes it for its own fault. */
function refuseVersion(object: JsonObject): void {
  const version = stringAt(object, "metadata", "resourceVersion");
  if (/^\d+$/.test(version) && BigInt(version) !== 0n)
    throw new ApiStatusError(500, "", "resourceVersion should not be set on objects to be created");
}

/** The client owns what it sent and the defaults; what admission and the server add is nobody's. */
function firstOwner(parts: EngineParts, kind: ResourceKind, object: JsonObject, context: WriteContext): JsonObject[] {
  const writer = fieldWriter(parts, kind, context, { operation: "Update", subresource: "" });
  const before = beforeCreation(kind);
  return trackUpdate(versionsOf(parts, kind, ""), before, shownNow(kind, object), writer);
}

/** Puts namespace and name where path and body agree on them. */
function placeObject(kind: ResourceKind, object: JsonObject, target: Target): Target {
  placeInNamespace(kind, object, target);
  const metadata = ensureObject(object, "metadata");
  if (stringAt(metadata, "name") === "" && target.name !== "") metadata["name"] = target.name;
  return { ...target, name: stringAt(metadata, "name") };
}

/** No vowels and no digits that look like letters, as Kubernetes does it. */
const SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789";

function randomSuffix(): string {
  return [...randomBytes(5)].map((byte) => SUFFIX_LETTERS[byte % SUFFIX_LETTERS.length]).join("");
}

function stampNew(parts: EngineParts, kind: ResourceKind, object: JsonObject): void {
  const metadata = ensureObject(object, "metadata");
  for (const field of ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"]) delete metadata[field];
  if (stringAt(metadata, "name") === "" && stringAt(metadata, "generateName") !== "") {
    const base = stringAt(metadata, "generateName");
    metadata["name"] = strategyOf(kind).namesAsGiven === true ? base : `${base.slice(0, 58)}${randomSuffix()}`;
  }
  metadata["uid"] = randomUUID();
  metadata["creationTimestamp"] = timestamp(parts.now());
  if (beginsGeneration(kind)) metadata["generation"] = 1;
}

/** What a client says of the status of a new object does not count. */
function dropStatus(kind: ResourceKind, object: JsonObject): void {
  const statusApart = kind.subresources.includes("status") && strategyOf(kind).keepsStatus !== true;
  if (statusApart) delete object["status"];
}

/** Addresses and ports come before validation. Returns how they are given back when the Service is refused. */
function assignAddresses(parts: EngineParts, kind: ResourceKind, service: JsonObject, dryRun: boolean): () => void {
  const asked = askedAddress(service);
  const { errors, undo } = parts.allocator.assign(service, undefined, { dryRun });
  const wrong = errors.length > 0 || dryRun ? errors : checkAddressOwner(service, asked);
  if (wrong.length > 0) {
    undo();
    throw invalid(kind, stringAt(service, "metadata", "name"), wrong);
  }
  service["status"] = { loadBalancer: {} };
  if (!dryRun) return undo;
  undo();
  return () => {};
}
