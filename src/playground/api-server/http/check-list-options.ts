// The options of a list or watch, as its query gives them.
import { badRequest, type FieldError, invalid } from "../api-errors.ts";
import { forbidden, notSupported } from "../validation/field-errors.ts";

const NUMBERS = ["limit", "timeoutSeconds"];

/** Throws 400 for what is no number, 422 for options that do not go together. */
export function checkListOptions(verb: string, query: URLSearchParams): void {
  for (const name of NUMBERS) {
    const text = query.get(name);
    if (text !== null && text !== "" && !/^[+-]?\d+$/.test(text))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const errors = verb === "watch" ? watchErrors(query) : listErrors(query);
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  const version = query.get("resourceVersion") ?? "";
  if (/^\d*$/.test(version)) return;
  const why = `strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`;
  throw badRequest(`invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(version)}: ${why}`);
}

const MATCH = "resourceVersionMatch";

function listErrors(query: URLSearchParams): FieldError[] {
  const [match, version] = [query.get(MATCH) ?? "", query.get("resourceVersion") ?? ""];
  const errors: FieldError[] = [];
  if (match !== "") {
    if (version === "") errors.push(forbidden(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`));
    if ((query.get("continue") ?? "") !== "")
      errors.push(forbidden(MATCH, `${MATCH} is forbidden when continue is provided`));
    if (match !== "Exact" && match !== "NotOlderThan")
      errors.push(notSupported(MATCH, match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && version === "0")
      errors.push(forbidden(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`));
  }
  if (query.has("sendInitialEvents"))
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  return errors;
}

function watchErrors(query: URLSearchParams): FieldError[] {
  const match = query.get(MATCH) ?? "";
  if (!query.has("sendInitialEvents")) {
    if (match === "") return [];
    return [forbidden(MATCH, `${MATCH} is forbidden for watch unless sendInitialEvents is provided`)];
  }
  if (match === "") return [forbidden(MATCH, `sendInitialEvents requires setting ${MATCH} to NotOlderThan`)];
  return match === "NotOlderThan" ? [] : [notSupported(MATCH, match, ["NotOlderThan"])];
}
