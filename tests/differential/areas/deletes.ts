// Deletion: finalizers, propagation, preconditions, grace, collections, what happens to objects that are going.
import { builtin, type SequenceBuilder, type TemplateKind } from "../generate/builder.ts";
import type { JsonMap } from "../step.ts";
import type { Area } from "./area.ts";

const DELETED = [
  builtin("", "ConfigMap"),
  builtin("", "Pod"),
  builtin("apps", "Deployment"),
  builtin("", "Service"),
  builtin("batch", "Job"),
  builtin("", "Secret"),
  builtin("rbac.authorization.k8s.io", "ClusterRole"),
  builtin("apps", "StatefulSet"),
  builtin("", "PersistentVolumeClaim"),
  builtin("", "ReplicationController"),
];

const OPTIONS = (object: number): readonly JsonMap[] => [
  {},
  { propagationPolicy: "Foreground" },
  { propagationPolicy: "Background" },
  { propagationPolicy: "Orphan" },
  { propagationPolicy: "Own" },
  { gracePeriodSeconds: 0 },
  { gracePeriodSeconds: 5 },
  { gracePeriodSeconds: -1 },
  { preconditions: { uid: `{{${object}:metadata.uid}}` } },
  { preconditions: { uid: "22222222-2222-2222-2222-222222222222" } },
  { preconditions: { resourceVersion: `{{${object}:metadata.resourceVersion}}` } },
  { preconditions: { resourceVersion: "1" } },
  { dryRun: ["All"] },
  { dryRun: ["Some"] },
  { orphanDependents: true },
  { orphanDependents: true, propagationPolicy: "Orphan" },
  { kind: "DeleteOptions", apiVersion: "v1" },
  { kind: "DeleteOptions", apiVersion: "v2" },
  { unknownField: true },
];

export const deletes: Area = {
  name: "delete",
  weight: 8,
  held: true,
  make(builder) {
    const { random } = builder;
    builder.namespace();
    const kind = random.pick(DELETED);
    const name = builder.name(kind);
    const finalizers = random.pick<string[]>([
      [],
      [],
      ["example.com/one"],
      ["example.com/one", "example.com/two"],
      ["foregroundDeletion"],
      ["orphan"],
    ]);
    const more = finalizers.length > 0 ? { metadata: { finalizers: [...finalizers] } } : {};
    let last = builder.create(kind, name, { more });
    const turns = 3 + random.int(6);
    for (let i = 0; i < turns; i++) {
      const roll = random.int(10);
      if (roll < 4) remove(builder, kind, name, last);
      else if (roll < 6) last = builder.get(kind, name);
      else if (roll < 9) last = builder.patch(kind, name, { type: "merge", body: random.pick(AFTERWARDS) });
      else last = builder.create(kind, name, { more });
    }
    builder.list(kind);
  },
};

const AFTERWARDS: readonly JsonMap[] = [
  { metadata: { finalizers: null } },
  { metadata: { finalizers: ["example.com/one"] } },
  { metadata: { finalizers: ["example.com/new", "example.com/one"] } },
  { metadata: { labels: { app: "late" } } },
  { metadata: { deletionTimestamp: null } },
  { metadata: { deletionGracePeriodSeconds: 9 } },
];

function remove(builder: SequenceBuilder, kind: TemplateKind, name: string, last: number): void {
  const { random } = builder;
  const roll = random.int(20);
  if (roll < 3) {
    const query = random.pick<Record<string, string>>([
      { propagationPolicy: "Foreground" },
      { gracePeriodSeconds: "0" },
      { dryRun: "All" },
      { gracePeriodSeconds: "x" },
      { orphanDependents: "true" },
    ]);
    builder.delete(kind, name, { query });
  } else if (roll < 6) {
    const labelSelector = kind.namespaced ? random.pick(["app=a", undefined]) : "differential={{seq}}";
    builder.send("DELETE", builder.collection(kind), {
      verb: "deletecollection",
      kindName: kind.kind,
      query: { labelSelector },
      body: { json: random.pick(OPTIONS(last).slice(0, 6)) },
    });
  } else builder.delete(kind, name, { body: { json: random.pick(OPTIONS(last)) } });
}
