// AdmissionReview v1 (and v1beta1, which has the same fields): what a webhook is asked, and what it may answer.
import { randomUUID } from "node:crypto";
import { errorMessage } from "#base/mesh-error";
import { userJson } from "../auth/token-review.ts";
import { type AdmissionAttributes, ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, stringAt } from "../json.ts";
import type { Webhook } from "./webhook-configuration.ts";
import type { WebhookTransport } from "./webhook-transport.ts";

const REVIEW_GROUP = "admission.k8s.io";
const OPTIONS: Readonly<Record<string, string>> = {
  CREATE: "CreateOptions",
  UPDATE: "UpdateOptions",
  DELETE: "DeleteOptions",
};

export interface ReviewAnswer {
  /** JSON Patch operations on the object in the version that was shown; empty when the webhook changes nothing. */
  readonly patch: readonly JsonValue[];
  readonly warnings: readonly string[];
}

/** Thrown when a webhook could not be asked or answered nonsense: failurePolicy decides what then. */
export class WebhookCallError extends Error {}

export interface ReviewCall {
  readonly transport: WebhookTransport;
  readonly webhook: Webhook;
  readonly attributes: AdmissionAttributes;
  /** The version in which the webhook sees objects. */
  readonly version: string;
}

/** Asks one webhook. Throws ApiStatusError when it denies, WebhookCallError when the call fails. */
export async function callWebhook(call: ReviewCall): Promise<ReviewAnswer> {
  const { webhook, attributes } = call;
  if (attributes.dryRun && webhook.sideEffects !== "None" && webhook.sideEffects !== "NoneOnDryRun") {
    throw new ApiStatusError(400, "BadRequest", `admission webhook "${webhook.name}" does not support dry run`);
  }
  const reviewVersion = webhook.reviewVersions.find((version) => version === "v1" || version === "v1beta1") ?? "v1";
  const uid = randomUUID();
  const review = {
    kind: "AdmissionReview",
    apiVersion: `${REVIEW_GROUP}/${reviewVersion}`,
    request: reviewRequest(call, uid),
  };
  const response = await ask(call, JSON.stringify(review), uid);
  if (response["allowed"] !== true) throw denial(webhook.name, objectAt(response, "status"));
  return {
    patch: readPatch(response, reviewVersion),
    warnings: arrayAt(response, "warnings").filter((text) => typeof text === "string"),
  };
}

async function ask(call: ReviewCall, body: string, uid: string): Promise<JsonObject> {
  try {
    const answer = JSON.parse(await call.transport.post(call.webhook, body)) as JsonValue;
    const response = isObject(answer) ? answer["response"] : undefined;
    if (!isObject(response)) throw new Error("webhook response was absent");
    const echoed = stringAt(response, "uid");
    if (echoed !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(echoed)}`);
    return response;
  } catch (thrown) {
    throw new WebhookCallError(`failed to call webhook: ${errorMessage(thrown)}`, { cause: thrown });
  }
}

function reviewRequest({ attributes, version }: ReviewCall, uid: string): JsonObject {
  const { group, kind, resource, subresource, operation } = attributes;
  const options = OPTIONS[operation];
  return {
    uid,
    kind: { group, version, kind },
    resource: { group, version, resource },
    ...(subresource === "" ? {} : { subResource: subresource }),
    requestKind: { group, version: attributes.version, kind },
    requestResource: { group, version: attributes.version, resource },
    ...(subresource === "" ? {} : { requestSubResource: subresource }),
    ...(attributes.name === "" ? {} : { name: attributes.name }),
    ...(attributes.namespace === "" ? {} : { namespace: attributes.namespace }),
    operation,
    userInfo: userJson(attributes.user),
    object: inVersion(attributes.object, group, version),
    oldObject: inVersion(attributes.oldObject, group, version),
    dryRun: attributes.dryRun,
    options: options === undefined ? null : { kind: options, apiVersion: "meta.k8s.io/v1" },
  };
}

/** Served versions of a custom resource differ in their apiVersion only. */
export function inVersion(object: JsonObject | undefined, group: string, version: string): JsonObject | null {
  if (object === undefined) return null;
  return { ...object, apiVersion: group === "" ? version : `${group}/${version}` };
}

function readPatch(response: JsonObject, reviewVersion: string): JsonValue[] {
  const patch = stringAt(response, "patch");
  if (patch === "") return [];
  const type = stringAt(response, "patchType");
  if (type !== "JSONPatch" && (type !== "" || reviewVersion === "v1")) {
    throw new WebhookCallError(`unsupported patch type ${JSON.stringify(type)}: only JSONPatch is known`);
  }
  try {
    const operations = JSON.parse(Buffer.from(patch, "base64").toString("utf8")) as JsonValue;
    if (!Array.isArray(operations)) throw new Error("it is no list of operations");
    return operations;
  } catch (thrown) {
    throw new WebhookCallError(`the patch in the answer cannot be read: ${errorMessage(thrown)}`, { cause: thrown });
  }
}

function denial(name: string, status: JsonObject): ApiStatusError {
  const why = stringAt(status, "message") || stringAt(status, "reason");
  const text = `admission webhook ${JSON.stringify(name)} denied the request${why === "" ? " without explanation" : `: ${why}`}`;
  const code = numberAt(status, "code") ?? 0;
  const details = status["details"];
  // Real servers answer 400 where the webhook names no code of its own.
  return new ApiStatusError(
    Math.max(code, 400),
    stringAt(status, "reason"),
    text,
    isObject(details) ? details : undefined,
  );
}

/** The 500 that a failed call becomes under failurePolicy Fail. */
export function callFailure(name: string, error: Error): ApiStatusError {
  const message = `failed calling webhook ${JSON.stringify(name)}: ${error.message}`;
  return new ApiStatusError(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
}
