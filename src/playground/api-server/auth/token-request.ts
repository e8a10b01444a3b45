import { type Clock, systemClock } from "#base/clock";
import { badRequest, conflict, forbidden, invalid, notFound } from "../api-errors.ts";
import type { JsonObject, ObjectAccess, UserInfo, VirtualResource } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, stringAt } from "../json.ts";
import { API_AUDIENCES, type BoundTokenRequest, type TokenSigner } from "./service-account-tokens.ts";

const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
const DEFAULT_SECONDS = 3600;

export interface TokenRequestOptions {
  readonly objects: ObjectAccess;
  readonly signer: TokenSigner;
  readonly clock?: Clock;
}

/** POST serviceaccounts/NAME/token: a token with audience and expiry, bound to a pod or Secret when one is named. */
export function tokenRequest({ objects, signer, clock = systemClock }: TokenRequestOptions): VirtualResource {
  return {
    group: "",
    version: "v1",
    kind: "TokenRequest",
    resource: "serviceaccounts",
    subresource: "token",
    namespaced: true,
    tracked: true,
    async create({ user, namespace, name, body }) {
      const given = stringAt(body, "metadata", "name");
      if (given !== "" && given !== name) throw nameMismatch(name, given);
      const account = objects.get("", "serviceaccounts", namespace, name);
      if (account === undefined) throw notFound({ group: "", plural: "serviceaccounts" }, name);
      const spec = objectAt(body, "spec");
      const asked = arrayAt(spec, "audiences").filter((item) => typeof item === "string");
      const audiences = asked.length > 0 ? asked : [...API_AUDIENCES];
      const seconds = lifetime(spec);
      const bound = boundObject(objects, { namespace, account: name, reference: spec["boundObjectRef"] });
      checkNode(user, name, bound);
      const issuedAt = Math.floor(clock.now() / 1000);
      const expiresAt = issuedAt + seconds;
      const token = await signer.signBound({
        namespace,
        serviceAccount: { name, uid: uidOf(account) },
        audiences,
        issuedAt,
        expiresAt,
        ...bound,
      });
      return {
        ...body,
        kind: "TokenRequest",
        apiVersion: "authentication.k8s.io/v1",
        metadata: { name, namespace, uid: uidOf(account), creationTimestamp: rfc3339(issuedAt) },
        spec: { ...spec, audiences, expirationSeconds: seconds, boundObjectRef: spec["boundObjectRef"] ?? null },
        status: { token, expirationTimestamp: rfc3339(expiresAt) },
      };
    },
  };
}

const uidOf = (object: JsonObject | undefined) => stringAt(object, "metadata", "uid");
const rfc3339 = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;

function nameMismatch(name: string, given: string): Error {
  const detail = "must match the service account name if specified";
  const error = { field: "metadata.name", type: "FieldValueInvalid", value: given, detail } as const;
  return invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, name, [error]);
}

function lifetime(spec: JsonObject): number {
  const seconds = numberAt(spec, "expirationSeconds") ?? DEFAULT_SECONDS;
  const detail =
    seconds < MIN_SECONDS
      ? "may not specify a duration less than 10 minutes"
      : seconds > MAX_SECONDS
        ? "may not specify a duration larger than 2^32 seconds"
        : undefined;
  if (detail === undefined) return seconds;
  const error = { field: "spec.expirationSeconds", type: "FieldValueInvalid", value: seconds, detail } as const;
  throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", [error]);
}

/** A node gets tokens for the pods that run on it, and each dies with its pod. */
function checkNode(user: UserInfo, account: string, bound: Pick<BoundTokenRequest, "pod" | "node">): void {
  if (!user.groups.includes("system:nodes")) return;
  const own = bound.node !== undefined && user.username === `system:node:${bound.node.name}`;
  if (bound.pod !== undefined && own) return;
  const why = bound.pod === undefined ? "not bound to a pod" : "bound to a pod scheduled on a different node";
  throw forbidden({ group: "", plural: "serviceaccounts" }, account, `node requested token ${why}`);
}

const BINDABLE: Readonly<Record<string, string>> = { Pod: "pods", Secret: "secrets" };

function boundObject(
  objects: ObjectAccess,
  ask: { readonly namespace: string; readonly account: string; readonly reference: JsonObject[string] | undefined },
): Pick<BoundTokenRequest, "pod" | "secret" | "node"> {
  if (!isObject(ask.reference)) return {};
  const kind = stringAt(ask.reference, "kind");
  const name = stringAt(ask.reference, "name");
  const plural = BINDABLE[kind];
  if (plural === undefined) {
    const version = stringAt(ask.reference, "apiVersion");
    const group = version.includes("/") ? version : `/${version}`;
    throw badRequest(`cannot bind token to object of type ${group}, Kind=${kind}`);
  }
  const found = objects.get("", plural, ask.namespace, name);
  if (found === undefined) throw notFound({ group: "", plural }, name);
  const wanted = stringAt(ask.reference, "uid");
  if (wanted !== "" && wanted !== uidOf(found)) {
    const why = `the UID in the bound object reference (${wanted}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: "", plural }, name, why);
  }
  const claim = { name, uid: uidOf(found) };
  if (kind === "Secret") return { secret: claim };
  if (stringAt(found, "spec", "serviceAccountName") !== ask.account) {
    throw badRequest(
      `cannot bind token for serviceaccount "${ask.account}" to pod running with different serviceaccount name.`,
    );
  }
  const node = stringAt(found, "spec", "nodeName");
  if (node === "") return { pod: claim };
  return { pod: claim, node: { name: node, uid: uidOf(objects.get("", "nodes", "", node)) } };
}
