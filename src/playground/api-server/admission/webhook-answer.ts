// The JSON that a webhook answers, in the words of Kubernetes' reader where it is none.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";

const GO_VERSION_AND_KIND =
  'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** The answer as an object. Throws an Error for a text that is none. */
export function readAnswer(text: string): JsonObject {
  if (text === "") throw new Error("0-length response with status code: 200 and content type: ");
  let answer: JsonValue;
  try {
    answer = JSON.parse(text) as JsonValue;
  } catch {
    // Kubernetes takes it for YAML then, in which all is text.
    answer = text;
  }
  if (isObject(answer)) return answer;
  const type = Array.isArray(answer) ? "array" : answer === null ? "null" : typeof answer;
  throw new Error(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${type === "boolean" ? "bool" : type} into ${GO_VERSION_AND_KIND}`,
  );
}
