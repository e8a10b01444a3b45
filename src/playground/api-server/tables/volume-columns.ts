import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, isObject, objectAt, stringAt } from "../json.ts";
import { ageColumn, type Column, nameColumn, textColumn } from "./column.ts";

const text =
  (...path: string[]) =>
  (object: JsonObject): JsonValue =>
    stringAt(object, ...path);

const orElse =
  (other: string, ...path: string[]) =>
  (object: JsonObject): JsonValue =>
    stringAt(object, ...path) || other;

const ACCESS: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

/** Always in the same order. */
function accessModes(of: JsonObject, ...path: string[]): string {
  const given = arrayAt(of, ...path);
  const known = Object.entries(ACCESS).filter(([mode]) => given.includes(mode));
  return known.map(([, short]) => short).join(",");
}

const terminating = (object: JsonObject, phase: string) =>
  stringAt(object, "metadata", "deletionTimestamp") === "" ? phase : "Terminating";

function claimOf(volume: JsonObject): string {
  const claim = objectAt(volume, "spec")["claimRef"];
  return isObject(claim) ? `${stringAt(claim, "namespace")}/${stringAt(claim, "name")}` : "";
}

/** Quantities that are not there are none. */
const size =
  (...path: string[]) =>
  (object: JsonObject): JsonValue =>
    stringAt(object, ...path) || "0";

const CLASS = "volume.beta.kubernetes.io/storage-class";

/** An old annotation goes before the field. */
function storageClass(object: JsonObject): string {
  const annotations = objectAt(object, "metadata", "annotations");
  return CLASS in annotations ? String(annotations[CLASS]) : stringAt(object, "spec", "storageClassName");
}

const isBound = (claim: JsonObject) => stringAt(claim, "spec", "volumeName") !== "";

/** By `group/plural`. */
export const volumeColumns: Readonly<Record<string, readonly Column[]>> = {
  "/persistentvolumeclaims": [
    nameColumn,
    textColumn("Status", (claim) => terminating(claim, stringAt(claim, "status", "phase"))),
    textColumn("Volume", text("spec", "volumeName")),
    textColumn("Capacity", (claim) => (isBound(claim) ? size("status", "capacity", "storage")(claim) : "")),
    textColumn("Access Modes", (claim) => (isBound(claim) ? accessModes(claim, "status", "accessModes") : "")),
    textColumn("StorageClass", storageClass),
    textColumn("VolumeAttributesClass", orElse("<unset>", "spec", "volumeAttributesClassName")),
    ageColumn,
    textColumn("VolumeMode", orElse("<unset>", "spec", "volumeMode"), 1),
  ],
  "/persistentvolumes": [
    nameColumn,
    textColumn("Capacity", size("spec", "capacity", "storage")),
    textColumn("Access Modes", (volume) => accessModes(volume, "spec", "accessModes")),
    textColumn("Reclaim Policy", text("spec", "persistentVolumeReclaimPolicy")),
    textColumn("Status", (volume) => terminating(volume, stringAt(volume, "status", "phase"))),
    textColumn("Claim", claimOf),
    textColumn("StorageClass", storageClass),
    textColumn("VolumeAttributesClass", orElse("<unset>", "spec", "volumeAttributesClassName")),
    textColumn("Reason", text("status", "reason")),
    ageColumn,
    textColumn("VolumeMode", orElse("<unset>", "spec", "volumeMode"), 1),
  ],
};
