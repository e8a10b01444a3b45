import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, isObject, stringAt, valueAt } from "../json.ts";
import { forbidden, invalid, notSupported, required } from "../validation/field-errors.ts";

const FIELD = "spec.conversion";
const STRATEGIES = ["None", "Webhook"];
const REVIEWS = ["v1", "v1beta1"];
const ONLY_WEBHOOK = "should not be set when strategy is not set to Webhook";

/** Kubernetes reports the fields of the webhook under the names of its internal form. */
export function conversionErrors(conversion: JsonObject): FieldError[] {
  const strategy = stringAt(conversion, "strategy");
  const webhook = valueAt(conversion, "webhook");
  const reviews = arrayAt(webhook, "conversionReviewVersions").map(String);
  const errors: FieldError[] = [];
  if (strategy === "") errors.push(required(`${FIELD}.strategy`));
  else if (!STRATEGIES.includes(strategy)) errors.push(notSupported(`${FIELD}.strategy`, strategy, STRATEGIES));
  const config = valueAt(webhook, "clientConfig");
  if (strategy !== "Webhook") {
    if (isObject(config)) errors.push(forbidden(`${FIELD}.webhookClientConfig`, ONLY_WEBHOOK));
    if (reviews.length > 0) errors.push(forbidden(`${FIELD}.conversionReviewVersions`, ONLY_WEBHOOK));
    return errors;
  }
  return [...errors, ...clientErrors(config), ...reviewErrors(reviews)];
}

function clientErrors(config: unknown): FieldError[] {
  const field = `${FIELD}.webhookClientConfig`;
  if (!isObject(config as never)) return [required(field, "required when strategy is set to Webhook")];
  const given = config as JsonObject;
  const [url, service] = [given["url"] !== undefined, isObject(given["service"])];
  if (url === service) return [required(field, "exactly one of url or service is required")];
  const scheme = /^([a-zA-Z][\w+.-]*):/.exec(stringAt(given, "url"))?.[1] ?? "";
  if (!url || scheme === "https") return [];
  const detail = "'https' is the only allowed URL scheme; desired format: https://host[/path]";
  return [invalid(`${field}.url`, scheme, detail)];
}

function reviewErrors(versions: readonly string[]): FieldError[] {
  const field = `${FIELD}.conversionReviewVersions`;
  if (versions.length === 0) return [required(field)];
  if (versions.some((version) => REVIEWS.includes(version))) return [];
  return [invalid(field, versions, "must include at least one of v1, v1beta1")];
}
