// Whether a change means the object that it came for: its name, namespace, uid and version, in Kubernetes' order.

import type { Target } from "../api-context.ts";
import { badRequest, conflict, invalid, MODIFIED } from "../api-errors.ts";
import { ApiStatusError, type JsonObject } from "../contract.ts";
import { ensureObject, objectAt, stringAt } from "../json.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { needsVersion } from "../strategy/strategies.ts";

/** Puts the request's namespace into an object that names none, or that may have none. Throws 400 for another one. */
export function placeInNamespace(kind: ResourceKind, object: JsonObject, target: Target): void {
  const metadata = ensureObject(object, "metadata");
  if (!kind.namespaced) {
    delete metadata["namespace"];
    return;
  }
  const given = stringAt(metadata, "namespace");
  if (given !== "" && given !== target.namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  metadata["namespace"] = target.namespace;
}

/** Throws 400 unless the object has the name that the URL has. */
export function checkName(object: JsonObject, { name }: Target): void {
  const given = stringAt(object, "metadata", "name");
  if (given === "") {
    const why = "was undeterminable: name must be provided";
    throw badRequest(`the name of the object (${name} based on URL) ${why}`);
  }
  if (given !== name)
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}

/** Where Kubernetes keeps the objects of a kind in etcd: clients see it in one sentence. */
const ETCD_PREFIXES: Readonly<Record<string, string>> = {
  "/replicationcontrollers": "controllers",
  "/endpoints": "services/endpoints",
  "/nodes": "minions",
  "/services": "services/specs",
  "networking.k8s.io/ingresses": "ingress",
};

/** Objects of these groups are kept below the group. */
const keptByGroup = (kind: ResourceKind) =>
  kind.custom !== undefined || kind.group === "apiextensions.k8s.io" || kind.group === "apiregistration.k8s.io";

function etcdKey(kind: ResourceKind, { namespace, name }: Target, dryRun: boolean): string {
  const folder = ETCD_PREFIXES[storageKey(kind)] ?? (keptByGroup(kind) ? `${kind.group}/${kind.plural}` : kind.plural);
  // What is only tried never gets as far as where the prefix is known.
  return [dryRun ? "" : "/registry", folder, ...(namespace === "" ? [] : [namespace]), name].join("/");
}

interface Meant {
  readonly sent: JsonObject;
  /** undefined when there is no such object. */
  readonly current: JsonObject | undefined;
  readonly dryRun: boolean;
}

/** A full update names the uid that it replaces, or none. */
export function checkUid(kind: ResourceKind, target: Target, { sent, current, dryRun }: Meant): void {
  const wanted = stringAt(sent, "metadata", "uid");
  const found = stringAt(current, "metadata", "uid");
  if (wanted === "" || wanted === found) return;
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`;
  const where = `Key: ${etcdKey(kind, target, dryRun)}, ResourceVersion: 0`;
  throw conflict(kind, target.name, `StorageError: invalid object, Code: 4, ${where}, AdditionalErrorMsg: ${why}`);
}

/** Throws 500, as Kubernetes does, for a version that is no number. "" is 0. */
export function parseVersion(object: JsonObject): bigint {
  const given = objectAt(object, "metadata")["resourceVersion"] ?? "";
  if (given === "") return 0n;
  const fault = (why: string) =>
    new ApiStatusError(500, "", `strconv.ParseUint: parsing ${JSON.stringify(given)}: ${why}`);
  if (typeof given !== "string" || !/^\d+$/.test(given)) throw fault("invalid syntax");
  if (BigInt(given) >= 2n ** 64n) throw fault("value out of range");
  return BigInt(given);
}

/** Throws 409 for a change of another version, 422 where a version must be named and is not. */
export function checkVersion(kind: ResourceKind, target: Target, next: JsonObject, current: JsonObject): void {
  const version = parseVersion(next);
  if (version === 0n && !needsVersion(kind)) return;
  if (version === 0n) {
    // Kubernetes names such objects by their plural here.
    throw invalid({ group: kind.group, kind: kind.plural }, target.name, [
      {
        field: "metadata.resourceVersion",
        type: "FieldValueInvalid",
        value: 0,
        detail: "must be specified for an update",
      },
    ]);
  }
  if (version !== parseVersion(current)) throw conflict(kind, target.name, MODIFIED);
}
