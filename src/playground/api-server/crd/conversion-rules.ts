import { webhookPathErrors, webhookUrlErrors } from "../admission/webhook-address-rules.ts";
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, isObject, numberAt, stringAt, valueAt } from "../json.ts";
import { forbidden, invalid, invalids, notSupported, required } from "../validation/field-errors.ts";
import { dns1035Label } from "../validation/formats.ts";

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

function clientErrors(config: JsonValue | undefined): FieldError[] {
  const field = `${FIELD}.webhookClientConfig`;
  if (!isObject(config)) return [required(field, "required when strategy is set to Webhook")];
  const { url, service } = config;
  if ((url !== undefined) === isObject(service)) return [required(field, "exactly one of url or service is required")];
  if (isObject(service)) return serviceErrors(service, `${field}.service`);
  return webhookUrlErrors(stringAt(config, "url"), `${field}.url`);
}

/** The rule calls name and namespace by each other's names. */
function serviceErrors(service: JsonObject, field: string): FieldError[] {
  const missing = [
    stringAt(service, "namespace") === "" ? [required(`${field}.name`)] : [],
    stringAt(service, "name") === "" ? [required(`${field}.namespace`)] : [],
  ];
  const port = numberAt(service, "port") ?? 443;
  const outside = port < 1 || port > 65_535;
  const path = service["path"];
  return [
    ...missing.flat(),
    ...(outside ? [invalid(`${field}.port`, port, "port is not valid: must be between 1 and 65535, inclusive")] : []),
    ...(typeof path === "string" ? webhookPathErrors(path, `${field}.path`) : []),
  ];
}

function reviewErrors(versions: readonly string[]): FieldError[] {
  const field = `${FIELD}.conversionReviewVersions`;
  if (versions.length === 0) return [required(field)];
  const errors = versions.flatMap((version, index) => {
    const twice = versions.indexOf(version) < index;
    return invalids(`${field}[${index}]`, version, twice ? ["duplicate version"] : dns1035Label(version));
  });
  if (versions.some((version) => REVIEWS.includes(version))) return errors;
  return [...errors, invalid(field, versions, "must include at least one of v1, v1beta1")];
}
