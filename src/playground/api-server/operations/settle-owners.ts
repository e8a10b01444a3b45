// managedFields pass through admission like the rest of an object, as long as they make sense afterwards.
import type { WriteContext } from "../api-context.ts";
import { ownersFault } from "../apply/managers.ts";
import type { JsonObject } from "../contract.ts";
import { ensureObject, objectAt, setOrDelete } from "../json.ts";

/** Writes managedFields into the object that admission will see. */
export function showOwners(object: JsonObject, managedFields: JsonObject[]): void {
  const metadata = ensureObject(object, "metadata");
  setOrDelete(metadata, "managedFields", managedFields.length > 0 ? managedFields : undefined);
}

/** Takes back what admission made of managedFields when it is nonsense, and tells the client. */
export function settleOwners(admitted: JsonObject, managedFields: JsonObject[], { warnings }: WriteContext): void {
  const left = objectAt(admitted, "metadata")["managedFields"];
  const fault = ownersFault(admitted);
  if (fault === undefined && (left === undefined || (Array.isArray(left) && left.length > 0))) return;
  showOwners(admitted, fault === undefined ? [] : managedFields);
  if (fault !== undefined) warnings.push(`${INVALID}: ${fault}`);
}

const INVALID =
  ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests";
