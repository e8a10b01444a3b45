// The options of a list or watch, as its query gives them.
import { badRequest, type FieldError, invalid } from "../api-errors.ts";
import { type FieldTerm, parseFieldSelector, translateFields } from "../field-selectors.ts";
import type { LabelRequirement } from "../label-selector-text.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { labelRequirements } from "../selectors.ts";
import { forbidden, notSupported } from "../validation/field-errors.ts";
import { isTrue } from "./request-info.ts";

export interface ListOptions {
  readonly labels: readonly LabelRequirement[];
  /** In the words of the kind as it is kept. */
  readonly fields: readonly FieldTerm[];
  /** As it came: who reads it says what is wrong with it. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  /** 0 or less: all. */
  readonly limit: number;
  readonly continue: string;
  /** 0: the server's own choice. */
  readonly timeoutSeconds: number;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

const MATCH = "resourceVersionMatch";

/** Throws 400 for what cannot be read, 422 for options that do not go together. */
export function readListOptions(kind: ResourceKind, verb: string, query: URLSearchParams): ListOptions {
  const timeoutSeconds = integer(query.get("timeoutSeconds"));
  const limit = integer(query.get("limit"));
  const labels = labelRequirements(query.get("labelSelector") ?? "");
  const fields = parseFieldSelector(query.get("fieldSelector") ?? "");
  const options = {
    labels,
    fields,
    resourceVersion: query.get("resourceVersion") ?? "",
    resourceVersionMatch: query.get(MATCH) ?? "",
    limit,
    continue: query.get("continue") ?? "",
    timeoutSeconds,
    allowWatchBookmarks: isTrue(query.get("allowWatchBookmarks")),
    sendInitialEvents: query.has("sendInitialEvents") ? isTrue(query.get("sendInitialEvents")) : undefined,
  };
  const errors = verb === "watch" ? watchErrors(options) : listErrors(options);
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  return { ...options, ...initialByDefault(verb, options), fields: translateFields(kind, fields) };
}

/** A watch that names no version asks for what there is and for being told where that ends. */
function initialByDefault(verb: string, options: ListOptions): { readonly sendInitialEvents?: boolean } {
  const { sendInitialEvents, resourceVersionMatch, resourceVersion } = options;
  const anyVersion = resourceVersion === "" || resourceVersion === "0";
  const open = verb === "watch" && sendInitialEvents === undefined && resourceVersionMatch === "" && anyVersion;
  return open ? { sendInitialEvents: true } : {};
}

const LARGEST = 2n ** 63n;

function integer(text: string | null): number {
  if (text === null) return 0;
  const fault = (why: string) => badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^[+-]?\d+$/.test(text)) throw fault("invalid syntax");
  const value = BigInt(text.replace("+", ""));
  if (value >= LARGEST || value < -LARGEST) throw fault("value out of range");
  return Number(value);
}

/** Undefined: none was asked for. Else what is wrong with it, in the words of the sentences that hold it. */
export function resourceVersionFault(version: string): string | undefined {
  const inRange = /^\d+$/.test(version) && BigInt(version) < 2n ** 64n;
  if (version === "" || inRange) return undefined;
  const text = JSON.stringify(version);
  const why = /^\d+$/.test(version) ? "value out of range" : "invalid syntax";
  return `resourceVersion: Invalid value: ${text}: strconv.ParseUint: parsing ${text}: ${why}`;
}

function listErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match, resourceVersion } = options;
  const errors: FieldError[] = [];
  if (match !== "") {
    if (resourceVersion === "")
      errors.push(forbidden(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`));
    if (options.continue !== "") errors.push(forbidden(MATCH, WITH_CONTINUE));
    if (match !== "Exact" && match !== "NotOlderThan")
      errors.push(notSupported(MATCH, match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && resourceVersion === "0")
      errors.push(forbidden(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`));
  }
  if (options.sendInitialEvents !== undefined)
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  return errors;
}

const WITH_CONTINUE = `${MATCH} is forbidden when continue is provided`;

function watchErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match, sendInitialEvents } = options;
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== "NotOlderThan")
    errors.push(forbidden(MATCH, `sendInitialEvents requires setting ${MATCH} to NotOlderThan`));
  if (match === "") return errors;
  if (sendInitialEvents === undefined)
    errors.push(forbidden(MATCH, `${MATCH} is forbidden for watch unless sendInitialEvents is provided`));
  if (match !== "NotOlderThan") errors.push(notSupported(MATCH, match, ["NotOlderThan"]));
  if (options.continue !== "") errors.push(forbidden(MATCH, WITH_CONTINUE));
  return errors;
}
