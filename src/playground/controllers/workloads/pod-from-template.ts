import type { ResourceType } from "#api/kinds";
import type { Pod, PodTemplateSpec } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import { controllerReference, identityOf } from "../objects/object-meta.ts";

/** A pod of the template, owned by `owner`, whose name the API server makes from the owner's. */
export function podFromTemplate(type: ResourceType, owner: KubeObject, template: PodTemplateSpec = {}): Pod {
  const { namespace, name } = identityOf(owner);
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: {
      namespace,
      generateName: `${name}-`,
      ownerReferences: [controllerReference(type, owner)],
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  };
}
