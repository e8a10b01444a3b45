// What becomes of a volume whose claim is gone: pure.
import type { PersistentVolume } from "#api/kubernetes/gen/types";
import { annotationsOf, identityOf } from "../objects/object-meta.ts";
import { Annotations } from "./volume-rules.ts";

/** `leave`: nothing, or it is its provisioner's; `delete`: the object goes; else it fails, and why. */
export type VolumeEnd = "leave" | "delete" | { readonly reason: string; readonly message: string };

const IN_TREE = "kubernetes.io/";
const DELETABLE_PATH = /\/tmp\/.+/;

export function volumeEnd(volume: PersistentVolume): VolumeEnd {
  const policy = volume.spec?.persistentVolumeReclaimPolicy ?? "Retain";
  if (policy === "Retain") return "leave";
  if (policy === "Delete") return deleteEnd(volume);
  if (policy === "Recycle") {
    return { reason: "VolumeFailedRecycle", message: "No recycler plugin found for the volume!" };
  }
  return { reason: "VolumeUnknownReclaimPolicy", message: "Volume has unrecognized PersistentVolumeReclaimPolicy" };
}

function deleteEnd(volume: PersistentVolume): VolumeEnd {
  const provisioner = annotationsOf(volume)[Annotations.provisionedBy] ?? "";
  if (provisioner !== "" && !provisioner.startsWith(IN_TREE)) return "leave";
  if (volume.spec?.csi !== undefined) return "leave";
  const path = volume.spec?.hostPath?.path;
  const failed = (message: string): VolumeEnd => ({ reason: "VolumeFailedDelete", message });
  if (path === undefined) {
    const name = JSON.stringify(identityOf(volume).name);
    return failed(`error getting deleter volume plugin for volume ${name}: no deletable volume plugin matched`);
  }
  if (DELETABLE_PATH.test(path)) return "delete";
  return failed(`host_path deleter only supports /tmp/.+ but received provided ${path}`);
}
