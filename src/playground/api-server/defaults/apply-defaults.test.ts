import { expect, test } from "vitest";
import { definition } from "../schema/schema.ts";
import { applyDefaults } from "./apply-defaults.ts";
import { completeObject } from "./object-defaults.ts";

const CORE = "io.k8s.api.core.v1.";

test.each([
  ["Volume", { iscsi: {} }, { iscsi: { iscsiInterface: "default" } }],
  ["Volume", { rbd: { pool: "" } }, { rbd: { pool: "rbd", user: "admin", keyring: "/etc/ceph/keyring" } }],
  [
    "PersistentVolumeSpec",
    { azureDisk: { kind: "Managed" } },
    { azureDisk: { kind: "Managed", cachingMode: "ReadWrite", fsType: "ext4", readOnly: false } },
  ],
  ["PersistentVolumeSpec", { scaleIO: {} }, { scaleIO: { storageMode: "ThinProvisioned", fsType: "xfs" } }],
])("%s %j", (name, given, complete) => {
  const object = structuredClone(given);
  applyDefaults(definition(`${CORE}${name}`), object);
  expect(object).toEqual(complete);
});

test("a pattern of a pod's conditions asks for one that is true", () => {
  const name = "io.k8s.api.batch.v1.PodFailurePolicyRule";
  const rule = { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] };
  applyDefaults(definition(name), rule, name);
  expect(rule.onPodConditions).toEqual([{ type: "DisruptionTarget", status: "True" }]);
});

test.each([
  ["RollingUpdate", { maxUnavailable: 1, maxSurge: 0 }],
  ["OnDelete", { maxUnavailable: 0, maxSurge: 0 }],
])("a DaemonSet with the strategy %s", (type, rollingUpdate) => {
  const set = { spec: { updateStrategy: { type, rollingUpdate: {} } } };
  completeObject(set, "io.k8s.api.apps.v1.DaemonSet");
  expect(set.spec.updateStrategy).toEqual({ type, rollingUpdate });
});
