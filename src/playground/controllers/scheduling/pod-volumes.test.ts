import { expect, it } from "vitest";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "#api/kubernetes/gen/types";
import { Annotations } from "../volumes/volume-rules.ts";
import { claimsFor, planFor, type StorageView } from "./pod-volumes.ts";

interface Things {
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly volumes?: readonly PersistentVolume[];
  readonly provisioner?: string;
}

function view({ claims = [], volumes = [], provisioner = "p" }: Things): StorageView {
  const waits: StorageClass = { metadata: { name: "waits" }, provisioner, volumeBindingMode: "WaitForFirstConsumer" };
  return {
    claim: (_namespace, name) => claims.find(({ metadata }) => metadata?.name === name),
    volume: (name) => volumes.find(({ metadata }) => metadata?.name === name),
    volumes: () => volumes,
    storageClass: (name) => (name === "waits" ? waits : undefined),
  };
}

const claim = (spec: object = {}, metadata: object = {}, phase = "Pending"): PersistentVolumeClaim => ({
  metadata: { namespace: "ns", name: "c", uid: "u", ...metadata },
  spec: { storageClassName: "waits", accessModes: ["ReadWriteOnce"], ...spec },
  status: { phase },
});
const bound = claim({ volumeName: "v" }, { annotations: { [Annotations.bindCompleted]: "yes" } }, "Bound");
const volume = (name: string, host: string): PersistentVolume => ({
  metadata: { name },
  spec: {
    storageClassName: "waits",
    accessModes: ["ReadWriteOnce"],
    nodeAffinity: {
      required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "host", operator: "In", values: [host] }] }] },
    },
  },
  status: { phase: "Available" },
});
const node = (name: string): Node => ({ metadata: { name, labels: { host: name } } });
const pod = (volumes: object): Pod => ({
  metadata: { namespace: "ns", name: "p", uid: "p1" },
  spec: { containers: [], volumes: [{ name: "v", ...volumes }] },
});
const named = pod({ persistentVolumeClaim: { claimName: "c" } });
const own = pod({ ephemeral: {} });

it.each<[string, Pod, PersistentVolumeClaim[], string]>([
  ["is not there", named, [], 'persistentvolumeclaim "c" not found'],
  ["is not made yet", own, [], 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"'],
  ["is another's", own, [claim({}, { name: "p-v" })], "PVC ns/p-v was not created for pod ns/p (pod is not owner)"],
  [
    "goes",
    named,
    [claim({}, { deletionTimestamp: "2026-01-01T00:00:00Z" })],
    'persistentvolumeclaim "c" is being deleted',
  ],
  [
    "is lost",
    named,
    [claim({ volumeName: "v" }, {}, "Lost")],
    'persistentvolumeclaim "c" bound to non-existent persistentvolume "v"',
  ],
  [
    "is to be bound first",
    named,
    [claim({ storageClassName: "" })],
    "pod has unbound immediate PersistentVolumeClaims",
  ],
  ["names its volume", named, [claim({ volumeName: "v" })], "pod has unbound immediate PersistentVolumeClaims"],
])("waits for a claim that %s", (_what, wanted, claims, why) => {
  expect(claimsFor(wanted, view({ claims }))).toEqual({ why });
});

it("lets a claim that waits for its first pod, and a bound one, decide by node", () => {
  expect(claimsFor(named, view({ claims: [claim()] }))).toEqual({ claims: [claim()] });
  expect(claimsFor(named, view({ claims: [bound] }))).toEqual({ claims: [bound] });
});

it("plans what a node takes: the volume there is, else one to be made", () => {
  const here = view({ volumes: [volume("v", "n1")] });
  expect(planFor([bound], node("n1"), here)).toEqual({ bindings: [], provisions: [] });
  expect(planFor([bound], node("n2"), here)).toHaveProperty(
    "why",
    "node(s) didn't match PersistentVolume's node affinity",
  );
  expect(planFor([bound], node("n1"), view({}))).toHaveProperty("why", expect.stringContaining("non-existent pv(s)"));
  const found = { bindings: [{ volume: volume("v", "n1"), claim: claim() }], provisions: [] };
  expect(planFor([claim()], node("n1"), here)).toEqual(found);
  expect(planFor([claim()], node("n2"), here)).toEqual({ bindings: [], provisions: [claim()] });
});

it("knows a node where a claim can have no volume", () => {
  const why = "node(s) didn't find available persistent volumes to bind";
  expect(planFor([claim()], node("n1"), view({ provisioner: "kubernetes.io/no-provisioner" }))).toEqual({ why });
  const elsewhere = claim({}, { annotations: { [Annotations.selectedNode]: "n2" } });
  expect(planFor([elsewhere], node("n1"), view({}))).toEqual({ why });
  // Two claims never share a volume.
  const two = planFor([claim(), claim({}, { name: "d" })], node("n1"), view({ volumes: [volume("v", "n1")] }));
  expect(two).toMatchObject({ bindings: [{ volume: { metadata: { name: "v" } } }], provisions: [{}] });
});
