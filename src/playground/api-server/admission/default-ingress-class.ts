import type { AdmissionPlugin, ObjectAccess } from "../contract.ts";
import { objectAt } from "../json.ts";
import { newestDefault } from "./newest-default.ts";

const GROUP = "networking.k8s.io";

/** Plug-in `DefaultIngressClass`. */
export function defaultIngressClass(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "DefaultIngressClass",
    async admit({ group, resource, subresource, operation, object }) {
      const isNew = group === GROUP && resource === "ingresses" && subresource === "" && operation === "CREATE";
      if (!isNew || object === undefined) return object;
      const spec = objectAt(object, "spec");
      const annotated = objectAt(object, "metadata", "annotations")["kubernetes.io/ingress.class"] !== undefined;
      if (annotated || spec["ingressClassName"] !== undefined) return object;
      const name = newestDefault(objects.list(GROUP, "ingressclasses"), [
        "ingressclass.kubernetes.io/is-default-class",
      ]);
      return name === undefined ? object : { ...object, spec: { ...spec, ingressClassName: name } };
    },
  };
}
