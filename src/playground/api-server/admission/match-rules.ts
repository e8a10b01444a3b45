// What a policy may say of the kind of its parameters, and of names.
import type { FieldError } from "../api-errors.ts";
import type { JsonValue } from "../contract.ts";
import { isObject, stringAt } from "../json.ts";
import { duplicate, forbidden, invalid, invalids, required } from "../validation/field-errors.ts";
import { dns1035Label, dnsSubdomain, pathSegment } from "../validation/formats.ts";
import { checkLabelSelector } from "../validation/label-selectors.ts";
import { oneOf } from "./rule-rules.ts";

export function paramKindErrors(kind: JsonValue | undefined): FieldError[] {
  if (!isObject(kind)) return [];
  const [version, name] = [stringAt(kind, "apiVersion"), stringAt(kind, "kind")];
  const field = "spec.paramKind.kind";
  const wrong = dns1035Label(name.toLowerCase());
  const errors = versionErrors(version, "spec.paramKind.apiVersion");
  if (name === "") errors.push(required(field));
  else if (wrong.length > 0)
    errors.push(invalid(field, name, `may have mixed case, but should otherwise match: ${wrong.join(",")}`));
  return errors;
}

function versionErrors(text: string, field: string): FieldError[] {
  if (text === "") return [required(field)];
  const parts = text === "/" ? ["", ""] : text.split("/");
  if (parts.length > 2) return [invalid(field, text, `unexpected GroupVersion string: ${text}`)];
  const [version = "", group = ""] = parts.reverse();
  const wrongGroup = group === "" ? [] : dnsSubdomain(group);
  const errors = wrongGroup.length > 0 ? [invalid(field, group, wrongGroup.join(","))] : [];
  if (version === "") return [...errors, invalid(field, text, "version must be specified")];
  const wrong = dns1035Label(version);
  return wrong.length > 0 ? [...errors, invalid(field, version, wrong.join(","))] : errors;
}

export const resourceNameErrors = (names: readonly JsonValue[], field: string): FieldError[] =>
  names.flatMap((name, index) => [
    ...invalids(`${field}[${index}]`, name, pathSegment(String(name))),
    ...(names.indexOf(name) < index ? [duplicate(`${field}[${index}]`, name)] : []),
  ]);

/** Which objects hold the parameters. */
export function paramRefErrors(ref: JsonValue | undefined): FieldError[] {
  if (!isObject(ref)) return [];
  const name = stringAt(ref, "name");
  const named = name !== "";
  const selected = ref["selector"] !== undefined;
  const both = "name and selector are mutually exclusive";
  const path = "spec.paramRef";
  const errors = named ? invalids(`${path}.name`, name, pathSegment(name)) : [];
  if (named && selected) errors.push(forbidden(`${path}.name`, both));
  errors.push(...checkLabelSelector(`${path}.selector`, ref["selector"]));
  if (named && selected) errors.push(forbidden(`${path}.selector`, both));
  if (!named && !selected) errors.push(required("spec.paramRef", "one of name or selector must be specified"));
  const action = stringAt(ref, "parameterNotFoundAction");
  const field = "spec.paramRef.parameterNotFoundAction";
  if (action === "") errors.push(required(field));
  else errors.push(...oneOf(ref, field, ["Deny", "Allow"]));
  return errors;
}
