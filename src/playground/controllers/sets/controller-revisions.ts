// The history of a StatefulSet or DaemonSet: one ControllerRevision for each template that it has had.

import type { ResourceType } from "#api/kinds";
import type { ControllerRevision, PodTemplateSpec } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import type { ControllerContext } from "../controller.ts";
import { annotationsOf, controllerOf, controllerReference, identityOf } from "../objects/object-meta.ts";
import { canonicalJson, hashOf } from "../workloads/pod-template-hash.ts";

export interface Revisioned extends KubeObject {
  readonly spec?: { readonly template: PodTemplateSpec; readonly revisionHistoryLimit?: number };
}

export interface RevisionStyle {
  readonly type: ResourceType;
  /** The label that carries a revision's hash. */
  readonly label: string;
}

export type RevisionKeeper = ReturnType<typeof createRevisionKeeper>;

export function createRevisionKeeper({ caches }: ControllerContext, style: RevisionStyle) {
  const revisionsOf = (owner: KubeObject): ControllerRevision[] => {
    const { namespace, uid } = identityOf(owner);
    return caches.controllerRevisions
      .inNamespace(namespace)
      .filter((revision) => controllerOf(revision)?.uid === uid)
      .sort((a, b) => a.revision - b.revision);
  };

  return {
    revisionsOf,

    /** The revision of today's template: the newest, an older one that becomes the newest again, or a new one. */
    async sync(owner: Revisioned): Promise<ControllerRevision> {
      const all = revisionsOf(owner);
      const newest = all.at(-1);
      const wanted = newRevision(style, owner, (newest?.revision ?? 0) + 1);
      const same = all.filter((revision) => canonicalJson(revision["data"]) === canonicalJson(wanted["data"])).at(-1);
      if (same === undefined) return caches.controllerRevisions.create(wanted);
      if (same === newest) return same;
      return caches.controllerRevisions.replace({ ...same, revision: wanted.revision });
    },

    /** Drops the oldest revisions that nothing uses, down to the limit. */
    async truncate(owner: Revisioned, inUse: ReadonlySet<string>): Promise<void> {
      const unused = revisionsOf(owner).filter((revision) => !inUse.has(identityOf(revision).name));
      const surplus = unused.length - (owner.spec?.revisionHistoryLimit ?? 10);
      await Promise.all(
        unused.slice(0, Math.max(0, surplus)).map((revision) => caches.controllerRevisions.delete(revision)),
      );
    },
  };
}

function newRevision({ type, label }: RevisionStyle, owner: Revisioned, revision: number): ControllerRevision {
  const { namespace, name } = identityOf(owner);
  const template = owner.spec?.template ?? {};
  const data = { spec: { template: { ...template, $patch: "replace" } } };
  const hash = hashOf(canonicalJson(data));
  const annotations = annotationsOf(owner);
  return {
    metadata: {
      namespace,
      name: `${name}-${hash}`,
      labels: { ...template.metadata?.labels, [label]: hash },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations: { ...annotations } }),
      ownerReferences: [controllerReference(type, owner)],
    },
    data,
    revision,
  };
}

/** The template that a revision keeps. */
export function templateOf(revision: ControllerRevision, fallback: PodTemplateSpec): PodTemplateSpec {
  const data = revision["data"];
  if (typeof data !== "object" || data === null || !("spec" in data)) return fallback;
  const { $patch: _patch, ...template } = (data as { spec: { template: PodTemplateSpec & { $patch?: string } } }).spec
    .template;
  return template;
}
