import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, stringAt } from "../json.ts";
import { invalid, invalids, required } from "../validation/field-errors.ts";
import { dns1035Label } from "./label-form.ts";

const NEEDED = ["plural", "singular", "kind", "listKind"];
const MIXED = "may have mixed case, but should otherwise match: ";

/** Names that a definition cannot do without. */
export function neededNames(names: JsonObject): FieldError[] {
  return NEEDED.filter((field) => stringAt(names, field) === "").map((field) => required(`spec.names.${field}`));
}

/** The form of names, wanted or accepted. */
export function namesErrors(names: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of NEEDED) {
    const name = stringAt(names, field);
    if (name === "") continue;
    const mixed = field.toLowerCase().endsWith("kind");
    const wrong = dns1035Label(mixed ? name.toLowerCase() : name);
    if (wrong.length > 0) errors.push(invalid(`${path}.${field}`, name, (mixed ? MIXED : "") + wrong.join(",")));
  }
  errors.push(...listErrors(names, path, "shortNames"));
  const kind = stringAt(names, "kind");
  if (kind !== "" && kind === stringAt(names, "listKind")) {
    errors.push(invalid(`${path}.listKind`, kind, "kind and listKind may not be the same"));
  }
  return [...errors, ...listErrors(names, path, "categories")];
}

const listErrors = (names: JsonObject, path: string, field: string) =>
  arrayAt(names, field).flatMap((name, index) => {
    const wrong = dns1035Label(String(name));
    return wrong.length === 0 ? [] : invalids(`${path}.${field}[${index}]`, name, [wrong.join(",")]);
  });
