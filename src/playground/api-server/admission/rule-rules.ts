// The rules by which webhooks and policies say which requests they want.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt } from "../json.ts";
import { invalid, notSupported, required } from "../validation/field-errors.ts";

/** The last step of the path names the key. */
export function oneOf(of: JsonObject, field: string, allowed: readonly string[]): FieldError[] {
  const value = of[field.slice(field.lastIndexOf(".") + 1)];
  return value === undefined || allowed.includes(String(value)) ? [] : [notSupported(field, value, allowed)];
}

const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

export function ruleErrors(rule: JsonObject, path: string): FieldError[] {
  const operations = arrayAt(rule, "operations");
  return [
    ...listErrors(operations, `${path}.operations`, "operations"),
    ...operations.flatMap((operation, index) =>
      OPERATIONS.includes(String(operation))
        ? []
        : [notSupported(`${path}.operations[${index}]`, operation, OPERATIONS)],
    ),
    ...listErrors(arrayAt(rule, "apiGroups"), `${path}.apiGroups`, "API groups"),
    ...listErrors(arrayAt(rule, "apiVersions"), `${path}.apiVersions`, "API versions"),
    ...arrayAt(rule, "apiVersions").flatMap((version, index) =>
      version === "" ? [required(`${path}.apiVersions[${index}]`)] : [],
    ),
    ...resourceErrors(arrayAt(rule, "resources").map(String), `${path}.resources`),
    ...oneOf(rule, `${path}.scope`, ["*", "Cluster", "Namespaced"]),
  ];
}

function listErrors(list: readonly JsonValue[], field: string, words: string): FieldError[] {
  if (list.length === 0) return [required(field)];
  const mixed = list.length > 1 && list.includes("*");
  return mixed ? [invalid(field, list, `if '*' is present, must not specify other ${words}`)] : [];
}

function resourceErrors(resources: readonly string[], field: string): FieldError[] {
  if (resources.length === 0) return [required(field)];
  const errors = resources.flatMap((resource, index): FieldError[] => {
    if (resource === "") return [required(`${field}[${index}]`)];
    const [of = "", sub] = resource.split("/");
    if (sub === undefined || sub === "*" || of === "*") return [];
    const at = `${field}[${index}]`;
    if (resources.includes(`${of}/*`)) {
      return [invalid(at, resource, `if '${of}/*' is present, must not specify ${resource}`)];
    }
    if (!resources.includes(`*/${sub}`)) return [];
    return [invalid(at, resource, `if '*/${sub}' is present, must not specify ${resource}`)];
  });
  const plain = resources.filter((resource) => !resource.includes("/"));
  if (resources.length > 1 && resources.includes("*/*")) {
    errors.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (plain.length > 1 && plain.includes("*")) {
    errors.push(invalid(field, resources, "if '*' is present, must not specify other resources without subresources"));
  }
  return errors;
}
