import { describe, expect, it } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "#api/kubernetes/gen/types";
import { volumeEnd } from "./volume-end.ts";
import { Annotations, defaultClass, findVolume, isReachedFrom, whyNotSatisfied } from "./volume-rules.ts";

const volume = (name: string, storage: string, spec: object = {}, metadata: object = {}): PersistentVolume => ({
  metadata: { name, ...metadata },
  spec: { capacity: { storage }, accessModes: ["ReadWriteOnce"], ...spec },
  status: { phase: "Available" },
});

const claim = (spec: object = {}): PersistentVolumeClaim => ({
  metadata: { namespace: "ns", name: "data", uid: "u1" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
});

const reserved = { claimRef: { namespace: "ns", name: "data" } };
const onNode = (name: string) => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "host", operator: "In", values: [name] }] }] },
  },
});

describe("findVolume", () => {
  it.each<[string, PersistentVolumeClaim, PersistentVolume[], string | undefined]>([
    ["the smallest that suffices", claim(), [volume("a", "5Gi"), volume("b", "2Gi"), volume("c", "500Mi")], "b"],
    [
      "as few access modes as can be",
      claim(),
      [volume("a", "1Gi", { accessModes: ["ReadWriteOnce", "ReadOnlyMany"] }), volume("b", "9Gi")],
      "b",
    ],
    [
      "one of its class",
      claim({ storageClassName: "fast" }),
      [volume("a", "1Gi"), volume("b", "1Gi", { storageClassName: "fast" })],
      "b",
    ],
    [
      "one that its selector takes",
      claim({ selector: { matchLabels: { disk: "ssd" } } }),
      [volume("a", "1Gi"), volume("b", "1Gi", {}, { labels: { disk: "ssd" } })],
      "b",
    ],
    [
      "the one reserved for it, of whatever class",
      claim(),
      [volume("a", "1Gi"), volume("b", "9Gi", { ...reserved, storageClassName: "fast" })],
      "b",
    ],
    [
      "none that is reserved for another",
      claim(),
      [volume("a", "1Gi", { claimRef: { namespace: "ns", name: "other" } })],
      undefined,
    ],
    [
      "none that was bound to a claim of its name",
      claim(),
      [volume("a", "1Gi", { claimRef: { ...reserved.claimRef, uid: "u0" } })],
      undefined,
    ],
    ["none that is a block device", claim(), [volume("a", "1Gi", { volumeMode: "Block" })], undefined],
    ["none that goes", claim(), [volume("a", "1Gi", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" })], undefined],
    ["none that lacks a mode", claim({ accessModes: ["ReadWriteMany"] }), [volume("a", "1Gi")], undefined],
    ["none that is not free yet", claim(), [{ ...volume("a", "1Gi"), status: { phase: "Pending" } }], undefined],
  ])("takes %s", (_what, wanted, volumes, expected) => {
    expect(findVolume(wanted, volumes, { delayed: false })?.metadata?.name).toBe(expected);
  });

  it("leaves the choice to the scheduler, which looks at its node", () => {
    const volumes = [volume("a", "1Gi", onNode("n1")), volume("b", "2Gi", onNode("n2")), volume("c", "3Gi")];
    expect(findVolume(claim(), volumes, { delayed: true })).toBeUndefined();
    const on = (nodeLabels: Record<string, string>, taken: string[] = []) =>
      findVolume(claim(), volumes, { delayed: true, nodeLabels, taken: new Set(taken) })?.metadata?.name;
    expect([on({ host: "n1" }), on({ host: "n2" }), on({ host: "n2" }, ["b"]), on({})]).toEqual(["a", "b", "c", "c"]);
    // One that is reserved elsewhere keeps the claim from this node.
    const elsewhere = [volume("r", "1Gi", { ...reserved, ...onNode("n1") }), volume("c", "3Gi")];
    expect(findVolume(claim(), elsewhere, { delayed: true, nodeLabels: { host: "n2" } })).toBeUndefined();
  });
});

it("knows why a volume that a claim names is not for it", () => {
  const why = (spec: object, wanted = claim()) => whyNotSatisfied(volume("v", "2Gi", spec), wanted);
  expect(why({})).toBeUndefined();
  expect(why({}, claim({ resources: { requests: { storage: "3Gi" } } }))).toBe("requested PV is too small");
  expect(why({ storageClassName: "x" })).toBe("storageClassName does not match");
  expect(why({ volumeAttributesClassName: "x" })).toBe("volumeAttributesClassName does not match");
  expect(why({ volumeMode: "Block" })).toBe("incompatible volumeMode");
  expect(why({ accessModes: ["ReadOnlyMany"] })).toBe("incompatible accessMode");
});

it("takes the newest default class, and of equals the first by name", () => {
  const isDefault = { "storageclass.kubernetes.io/is-default-class": "true" };
  const made = (name: string, creationTimestamp: string, annotations = {}): StorageClass => ({
    metadata: { name, creationTimestamp, annotations },
    provisioner: "p",
  });
  const classes = [made("b", "2026-01-02", isDefault), made("a", "2026-01-02", isDefault), made("c", "2026-01-03")];
  expect(defaultClass(classes)?.metadata?.name).toBe("a");
  expect(defaultClass([made("c", "2026-01-03")])).toBeUndefined();
});

it("an empty term reaches no node", () => {
  const nodeAffinity = { required: { nodeSelectorTerms: [{}] } };
  expect(isReachedFrom(volume("v", "1Gi", { nodeAffinity }), { host: "n1" })).toBe(false);
});

it("leaves a volume to its provisioner, and fails what nobody here can delete", () => {
  const end = (persistentVolumeReclaimPolicy: string, spec: object, annotations = {}) =>
    volumeEnd(volume("v", "1Gi", { persistentVolumeReclaimPolicy, ...spec }, { annotations }));
  expect(end("Retain", { hostPath: { path: "/x" } })).toBe("leave");
  expect(end("Delete", { hostPath: { path: "/x" } }, { [Annotations.provisionedBy]: "example.com/p" })).toBe("leave");
  expect(end("Delete", { hostPath: { path: "/tmp/x" } })).toBe("delete");
  const message = "host_path deleter only supports /tmp/.+ but received provided /x";
  expect(end("Delete", { hostPath: { path: "/x" } })).toEqual({ reason: "VolumeFailedDelete", message });
  expect(end("Recycle", {})).toHaveProperty("reason", "VolumeFailedRecycle");
});
