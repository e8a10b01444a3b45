// Devices that others use already may be had in namespaces that are made for it.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { objectAt, objectsAt } from "../json.ts";
import { forbidden } from "./field-errors.ts";

const LABEL = "resource.kubernetes.io/admin-access";
const SPECS: Readonly<Record<string, readonly string[]>> = {
  "resource.k8s.io/resourceclaims": ["spec"],
  "resource.k8s.io/resourceclaimtemplates": ["spec", "spec"],
};

/** Of a new object; `labels` are those of its namespace. The path is that of a claim in templates too. */
export function checkAdminAccess(resource: string, object: JsonObject, labels: () => JsonObject): FieldError[] {
  const spec = SPECS[resource];
  if (spec === undefined) return [];
  const requests = objectsAt(object, ...spec, "devices", "requests");
  const index = requests.findIndex((request) => objectAt(request, "exactly")["adminAccess"] === true);
  if (index < 0 || labels()[LABEL] === "true") return [];
  const why = `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`;
  return [forbidden(`spec.devices.requests[${index}].adminAccess`, why)];
}
