// AdmissionReview v1 (and v1beta1, which has the same fields): what a webhook is asked, and what it may answer.
import { randomUUID } from "node:crypto";
import { errorMessage } from "#base/mesh-error";
import { userJson } from "../auth/token-review.ts";
import { type AdmissionAttributes, ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, stringAt } from "../json.ts";
import { operationOptions } from "./request-variables.ts";
import { readAnswer } from "./webhook-answer.ts";
import type { Webhook } from "./webhook-configuration.ts";
import type { WebhookTransport } from "./webhook-transport.ts";

const REVIEW_GROUP = "admission.k8s.io";
export interface ReviewAnswer {
  /** JSON Patch operations on the object in the version that was shown; empty when the webhook changes nothing. */
  readonly patch: readonly JsonValue[];
  readonly warnings: readonly string[];
}

/** Thrown when a webhook could not be asked or answered nonsense: failurePolicy decides what then. The whole reason. */
export class WebhookCallError extends Error {}

export interface ReviewCall {
  readonly transport: WebhookTransport;
  readonly webhook: Webhook;
  readonly attributes: AdmissionAttributes;
  /** The version in which the webhook sees objects. */
  readonly version: string;
  /** Whether it may change what it sees. */
  readonly mutating: boolean;
}

/** Asks one webhook. Throws ApiStatusError when it denies, WebhookCallError when the call fails. */
export async function callWebhook(call: ReviewCall): Promise<ReviewAnswer> {
  const { webhook, attributes } = call;
  if (attributes.dryRun && webhook.sideEffects !== "None" && webhook.sideEffects !== "NoneOnDryRun") {
    throw new ApiStatusError(400, "BadRequest", `admission webhook "${webhook.name}" does not support dry run`);
  }
  const reviewVersion = webhook.reviewVersions.find((version) => version === "v1" || version === "v1beta1");
  if (reviewVersion === undefined) {
    const why = "webhook does not accept known AdmissionReview versions (v1, v1beta1)";
    throw new WebhookCallError(`could not create admission objects: ${why}`);
  }
  const uid = randomUUID();
  const apiVersion = `${REVIEW_GROUP}/${reviewVersion}`;
  const review = { kind: "AdmissionReview", apiVersion, request: reviewRequest(call, uid) };
  const answer = await ask(call, JSON.stringify(review));
  const response = isObject(answer["response"]) ? answer["response"] : undefined;
  const fault = response === undefined ? "webhook response was absent" : answerFault(call, answer, { uid, apiVersion });
  if (fault !== undefined) throw new WebhookCallError(`received invalid webhook response: ${fault}`);
  const warnings = arrayAt(response, "warnings").filter((text) => typeof text === "string");
  if (response?.["allowed"] !== true) throw denial(webhook.name, objectAt(response, "status"), warnings, attributes);
  return { patch: call.mutating ? readPatch(response) : [], warnings };
}

/** The answer as JSON of the kind that was asked for. */
async function ask(call: ReviewCall, body: string): Promise<JsonObject> {
  try {
    const text = await call.transport.post({ ...call.webhook, seconds: call.webhook.timeoutSeconds }, body);
    const answer = readAnswer(text);
    const [kind, version] = [stringAt(answer, "kind"), stringAt(answer, "apiVersion")];
    if ((kind !== "" && kind !== "AdmissionReview") || (version !== "" && !KNOWN_VERSIONS.has(version))) {
      const shown = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)}`;
      throw new Error(`${shown} in scheme "pkg/runtime/scheme.go:111"`);
    }
    return answer;
  } catch (thrown) {
    throw new WebhookCallError(`failed to call webhook: ${errorMessage(thrown)}`, { cause: thrown });
  }
}

const KNOWN_VERSIONS = new Set([`${REVIEW_GROUP}/v1`, `${REVIEW_GROUP}/v1beta1`]);

/** Why an answer does not count. Answers of the older version are not looked at so closely. */
function answerFault(
  { mutating }: ReviewCall,
  answer: JsonObject,
  asked: { readonly uid: string; readonly apiVersion: string },
): string | undefined {
  if (!asked.apiVersion.endsWith("/v1")) return undefined;
  const response = objectAt(answer, "response");
  const echoed = stringAt(response, "uid");
  if (echoed !== asked.uid) return `expected response.uid=${JSON.stringify(asked.uid)}, got ${JSON.stringify(echoed)}`;
  const given = `${stringAt(answer, "apiVersion") || "/"}, Kind=${stringAt(answer, "kind")}`;
  const wanted = `${asked.apiVersion}, Kind=AdmissionReview`;
  if (given !== wanted) return `expected webhook response of ${wanted}, got ${given}`;
  const patch = stringAt(response, "patch") !== "";
  const type = response["patchType"] ?? undefined;
  if (!mutating) {
    if (patch) return "validating webhook may not return response.patch";
    return type === undefined ? undefined : "validating webhook may not return response.patchType";
  }
  if (patch && type === undefined) return "webhook returned response.patch but not response.patchType";
  if (!patch && type !== undefined) return "webhook returned response.patchType but not response.patch";
  return type === "" ? 'webhook returned invalid response.patchType of ""' : undefined;
}

function reviewRequest({ attributes, version }: ReviewCall, uid: string): JsonObject {
  const { group, kind, kindOf, resource, subresource, operation } = attributes;
  const shown = { group, version, ...kindOf };
  return {
    uid,
    kind: { ...shown, kind },
    resource: { group, version, resource },
    ...(subresource === "" ? {} : { subResource: subresource }),
    requestKind: { group, version: attributes.version, ...kindOf, kind },
    requestResource: { group, version: attributes.version, resource },
    ...(subresource === "" ? {} : { requestSubResource: subresource }),
    ...(attributes.name === "" ? {} : { name: attributes.name }),
    ...(attributes.namespace === "" ? {} : { namespace: attributes.namespace }),
    operation,
    userInfo: userJson(attributes.user),
    object: inVersion(attributes.object, shown.group, shown.version),
    oldObject: inVersion(attributes.oldObject, shown.group, shown.version),
    dryRun: attributes.dryRun,
    options: operationOptions(attributes),
  };
}

/** Served versions of a custom resource differ in their apiVersion only. */
export function inVersion(object: JsonObject | undefined, group: string, version: string): JsonObject | null {
  if (object === undefined) return null;
  return { ...object, apiVersion: group === "" ? version : `${group}/${version}` };
}

function readPatch(response: JsonObject): JsonValue[] {
  const patch = stringAt(response, "patch");
  if (patch === "") return [];
  const text = Buffer.from(patch, "base64").toString("utf8");
  const unreadable = (why: string) =>
    new WebhookCallError(`received undecodable patch in webhook response: json: cannot unmarshal ${why}`);
  let operations: JsonValue;
  try {
    operations = JSON.parse(text) as JsonValue;
  } catch (thrown) {
    throw new WebhookCallError(`received undecodable patch in webhook response: ${errorMessage(thrown)}`);
  }
  if (operations === null) return [];
  if (!Array.isArray(operations)) {
    throw unreadable(`${isObject(operations) ? "object" : typeof operations} into Go value of type jsonpatch.Patch`);
  }
  const type = stringAt(response, "patchType");
  if (operations.length > 0 && type !== "JSONPatch" && type !== "") {
    throw new WebhookCallError(`unsupported patch type ${JSON.stringify(type)}`);
  }
  return operations;
}

function denial(
  name: string,
  status: JsonObject,
  warnings: readonly string[],
  { warn }: AdmissionAttributes,
): ApiStatusError {
  for (const warning of warnings) warn?.(warning);
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
