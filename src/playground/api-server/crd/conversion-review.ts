// What the conversion webhook of a definition is asked, and what it may answer.
import { randomUUID } from "node:crypto";
import { errorMessage } from "#base/mesh-error";
import { readAnswer } from "../admission/webhook-answer.ts";
import type { WebhookTransport } from "../admission/webhook-transport.ts";
import { ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { arrayAt, isObject, objectAt, stringAt } from "../json.ts";
import { parseApiVersion, type WebhookConversion } from "../resource-kind.ts";
import { restoredMetadata, sameObjectFault } from "./converted-metadata.ts";

const GROUP = "apiextensions.k8s.io";
const KNOWN_VERSIONS = ["v1", "v1beta1"];
/** Of Kubernetes' own client. */
const TIMEOUT_SECONDS = 30;

export interface ConversionCall {
  readonly webhook: WebhookConversion;
  readonly object: JsonObject;
  /** apiVersion of the result. */
  readonly wanted: string;
}

const gvk = (apiVersion: string, kind: string) => {
  const { group, version } = parseApiVersion(apiVersion);
  return `${group}/${version}, Kind=${kind}`;
};

/** Asks the webhook for one object in another version. Throws a 500 with what Kubernetes says of the failure. */
export async function askConversion(transport: WebhookTransport, call: ConversionCall): Promise<JsonObject> {
  const { webhook, object, wanted } = call;
  const fail = (why: string) => {
    const shown = gvk(stringAt(object, "apiVersion"), stringAt(object, "kind"));
    return new ApiStatusError(500, "", `conversion webhook for ${shown} ${why}`);
  };
  const version = webhook.reviewVersions.find((one) => KNOWN_VERSIONS.includes(one));
  if (version === undefined) throw new ApiStatusError(500, "", "no supported conversion review versions");
  const uid = randomUUID();
  const apiVersion = `${GROUP}/${version}`;
  const review = {
    kind: "ConversionReview",
    apiVersion,
    request: { uid, desiredAPIVersion: wanted, objects: [sorted(object)] },
    response: { uid: "", convertedObjects: null, result: { metadata: {} } },
  };
  let converted: readonly JsonValue[];
  try {
    const { clientConfig } = webhook;
    const answer = readReview(await transport.post({ clientConfig, seconds: TIMEOUT_SECONDS }, JSON.stringify(review)));
    converted = convertedObjects(answer, { uid, apiVersion });
  } catch (thrown) {
    throw fail(`failed: ${errorMessage(thrown)}`);
  }
  if (converted.length !== 1) throw fail(`returned ${converted.length} objects, expected 1`);
  return checked(call, converted[0] ?? null, fail);
}

/** Keys in order, as Go writes them: a webhook may show what it was sent. */
function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, child]) => [key, sorted(child)]));
}

function readReview(text: string): JsonObject {
  const answer = readAnswer(text);
  const [kind, version] = [stringAt(answer, "kind"), stringAt(answer, "apiVersion")];
  const known = KNOWN_VERSIONS.some((one) => version === `${GROUP}/${one}`);
  if ((kind === "" || kind === "ConversionReview") && (version === "" || known)) return answer;
  const shown = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)}`;
  throw new Error(`${shown} in scheme "pkg/runtime/scheme.go:111"`);
}

/** Throws why an answer does not count. Answers of the older version are not looked at so closely. */
function convertedObjects(
  answer: JsonObject,
  asked: { readonly uid: string; readonly apiVersion: string },
): readonly JsonValue[] {
  const strict = asked.apiVersion === `${GROUP}/v1`;
  const given = `${stringAt(answer, "apiVersion") || "/"}, Kind=${stringAt(answer, "kind")}`;
  const wanted = `${asked.apiVersion}, Kind=ConversionReview`;
  if (strict && given !== wanted) throw new Error(`expected webhook response of ${wanted}, got ${given}`);
  if (!isObject(answer["response"])) throw new Error("no response provided");
  const response = objectAt(answer, "response");
  const echoed = stringAt(response, "uid");
  if (strict && echoed !== asked.uid)
    throw new Error(`expected response.uid=${JSON.stringify(asked.uid)}, got ${JSON.stringify(echoed)}`);
  const status = stringAt(response, "result", "status");
  if (status !== "Success") {
    const message = stringAt(response, "result", "message");
    throw new Error(message === "" ? `response.result.status was '${status}', not 'Success'` : message);
  }
  return arrayAt(response, "convertedObjects");
}

/** The object with the metadata that no webhook may change. */
function checked({ object, wanted }: ConversionCall, given: JsonValue, fail: (why: string) => Error): JsonObject {
  const invalid = (why: string) => fail(`returned invalid object at index 0: ${why}`);
  if (!isObject(given)) throw invalid("unable to decode a converted object that is none");
  const [kind, apiVersion] = [stringAt(given, "kind"), stringAt(given, "apiVersion")];
  if (kind === "") throw new ApiStatusError(500, "", `Object 'Kind' is missing in '${JSON.stringify(given)}'`);
  if (apiVersion !== wanted) throw invalid(`invalid groupVersion (expected ${wanted}, received ${apiVersion})`);
  const before = stringAt(object, "kind");
  if (kind !== before) throw invalid(`invalid kind (expected ${before}, received ${kind})`);
  const other = sameObjectFault(object, given);
  if (other !== undefined) throw fail(`returned invalid object: ${other}`);
  const restored = restoredMetadata(object, given);
  if (typeof restored === "string") throw fail(`returned invalid metadata: ${restored}`);
  return { ...given, metadata: restored };
}
