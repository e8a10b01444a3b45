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

const isBound = (claim: JsonObject) => stringAt(claim, "spec", "volumeName") !== "";

/** By `group/plural`. */
export const volumeColumns: Readonly<Record<string, readonly Column[]>> = {
  "/persistentvolumeclaims": [
    nameColumn,
    textColumn("Status", (claim) => terminating(claim, stringAt(claim, "status", "phase"))),
    textColumn("Volume", text("spec", "volumeName")),
    textColumn("Capacity", (claim) => (isBound(claim) ? stringAt(claim, "status", "capacity", "storage") : "")),
    textColumn("Access Modes", (claim) => (isBound(claim) ? accessModes(claim, "status", "accessModes") : "")),
    textColumn("StorageClass", text("spec", "storageClassName")),
    textColumn("VolumeAttributesClass", orElse("<unset>", "spec", "volumeAttributesClassName")),
    ageColumn,
    textColumn("VolumeMode", orElse("<unset>", "spec", "volumeMode"), 1),
  ],
  "/persistentvolumes": [
    nameColumn,
    textColumn("Capacity", text("spec", "capacity", "storage")),
    textColumn("Access Modes", (volume) => accessModes(volume, "spec", "accessModes")),
    textColumn("Reclaim Policy", text("spec", "persistentVolumeReclaimPolicy")),
    textColumn("Status", (volume) => terminating(volume, stringAt(volume, "status", "phase"))),
    textColumn("Claim", claimOf),
    textColumn("StorageClass", text("spec", "storageClassName")),
    textColumn("VolumeAttributesClass", orElse("<unset>", "spec", "volumeAttributesClassName")),
    textColumn("Reason", text("status", "reason")),
    ageColumn,
    textColumn("VolumeMode", orElse("<unset>", "spec", "volumeMode"), 1),
  ],
};
