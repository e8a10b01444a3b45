// How plug-ins refuse a request.
import { forbidden } from "../api-errors.ts";
import type { AdmissionAttributes, ApiStatusError } from "../contract.ts";
import { stringAt } from "../json.ts";

const SUFFIX_LENGTH = 5;

/** 403 Forbidden for the object of the request. */
export function refuse(attributes: AdmissionAttributes, why: string): ApiStatusError {
  const resource = { group: attributes.group, plural: attributes.resource };
  return forbidden(resource, shownName(attributes), why);
}

/** A name that the server makes up is not there yet for whoever changes objects: they show what it begins with. */
function shownName({ name, object, operation }: AdmissionAttributes): string {
  const base = stringAt(object, "metadata", "generateName");
  if (name === "") return base === "" ? "Unknown" : base;
  const generated = operation === "CREATE" && base !== "" && name.length === base.slice(0, 58).length + SUFFIX_LENGTH;
  return generated && name.startsWith(base.slice(0, 58)) ? base : name;
}

/** Several reasons as Kubernetes joins them: each once, in brackets when there are more. */
export function joined(reasons: readonly string[]): string {
  const each = [...new Set(reasons)];
  return each.length === 1 ? (each[0] ?? "") : `[${each.join(", ")}]`;
}
