import { forbidden, notFound } from "../api-errors.ts";
import type { AdmissionAttributes, AdmissionPlugin, ObjectAccess } from "../contract.ts";
import { stringAt } from "../json.ts";

const IMMORTAL = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Nothing is created in a namespace that is missing or going away, and the cluster's own namespaces stay. */
export function namespaceLifecycle(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "NamespaceLifecycle",
    async admit(attributes) {
      if (isNamespace(attributes)) checkImmortal(attributes);
      else if (attributes.operation === "CREATE" && attributes.namespace !== "" && attributes.subresource === "") {
        checkNamespace(objects, attributes);
      }
      return attributes.object;
    },
  };
}

function isNamespace({ group, resource }: AdmissionAttributes): boolean {
  return group === "" && resource === "namespaces";
}

function checkImmortal({ operation, name, subresource }: AdmissionAttributes): void {
  if (operation !== "DELETE" || subresource !== "" || !IMMORTAL.includes(name)) return;
  throw forbidden({ group: "", plural: "namespaces" }, name, "this namespace may not be deleted");
}

function checkNamespace(objects: ObjectAccess, attributes: AdmissionAttributes): void {
  const { namespace } = attributes;
  const found = objects.get("", "namespaces", "", namespace);
  if (found === undefined) throw notFound({ group: "", plural: "namespaces" }, namespace);
  const terminating =
    stringAt(found, "status", "phase") === "Terminating" || stringAt(found, "metadata", "deletionTimestamp") !== "";
  if (!terminating) return;
  const resource = { group: attributes.group, plural: attributes.resource };
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(resource, attributes.name, why, [
    {
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
      field: "metadata.namespace",
    },
  ]);
}
