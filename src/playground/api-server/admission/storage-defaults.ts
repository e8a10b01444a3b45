// Plug-ins about volumes: the class that a claim gets unasked, the finalizers that keep what is in use, and who may grow.
import type { AdmissionAttributes, AdmissionPlugin, JsonObject, ObjectAccess } from "../contract.ts";
import { arrayAt, objectAt, stringAt } from "../json.ts";
import { nanoUnits } from "../quantity.ts";
import { newestDefault } from "./newest-default.ts";
import { refuse } from "./refuse.ts";

const STORAGE_GROUP = "storage.k8s.io";
const OLD_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
const DEFAULT_ANNOTATIONS = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

const isClaim = ({ group, resource, subresource }: AdmissionAttributes) =>
  group === "" && resource === "persistentvolumeclaims" && subresource === "";

/** Plug-in `DefaultStorageClass`. */
export function defaultStorageClass(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "DefaultStorageClass",
    async admit(attributes) {
      const { object, operation } = attributes;
      if (object === undefined || operation !== "CREATE" || !isClaim(attributes)) return object;
      const spec = objectAt(object, "spec");
      const annotated = objectAt(object, "metadata", "annotations")[OLD_CLASS_ANNOTATION] !== undefined;
      if (annotated || spec["storageClassName"] !== undefined) return object;
      const name = newestDefault(objects.list(STORAGE_GROUP, "storageclasses"), DEFAULT_ANNOTATIONS);
      return name === undefined ? object : { ...object, spec: { ...spec, storageClassName: name } };
    },
  };
}

const FINALIZERS: Readonly<Record<string, string>> = {
  "/persistentvolumes": "kubernetes.io/pv-protection",
  "/persistentvolumeclaims": "kubernetes.io/pvc-protection",
  [`${STORAGE_GROUP}/volumeattributesclasses`]: "kubernetes.io/vac-protection",
};

/** Plug-in `StorageObjectInUseProtection`. */
export function storageProtection(): AdmissionPlugin {
  return {
    name: "StorageObjectInUseProtection",
    async admit({ group, resource, subresource, operation, object }) {
      const finalizer = FINALIZERS[`${group}/${resource}`];
      if (object === undefined || finalizer === undefined || operation !== "CREATE" || subresource !== "")
        return object;
      const metadata = objectAt(object, "metadata");
      const present = arrayAt(metadata, "finalizers");
      if (present.includes(finalizer)) return object;
      return { ...object, metadata: { ...metadata, finalizers: [...present, finalizer] } };
    },
  };
}

/** Plug-in `PersistentVolumeClaimResize`. */
export function claimResize(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "PersistentVolumeClaimResize",
    judges: true,
    async admit(attributes) {
      const { object, oldObject, operation } = attributes;
      if (object === undefined || oldObject === undefined || operation !== "UPDATE" || !isClaim(attributes))
        return object;
      const size = (claim: JsonObject) => nanoUnits(objectAt(claim, "spec", "resources", "requests")["storage"]);
      if (size(object) <= size(oldObject)) return object;
      if (stringAt(oldObject, "status", "phase") !== "Bound") {
        throw refuse(attributes, "Only bound persistent volume claims can be expanded");
      }
      if (!mayGrow(objects, object, oldObject)) {
        const why =
          "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
        throw refuse(attributes, why);
      }
      return object;
    },
  };
}

function mayGrow(objects: ObjectAccess, claim: JsonObject, old: JsonObject): boolean {
  const name = classOf(claim);
  if (name === "" || name !== classOf(old)) return false;
  return objects.get(STORAGE_GROUP, "storageclasses", "", name)?.["allowVolumeExpansion"] === true;
}

function classOf(claim: JsonObject): string {
  const annotated = objectAt(claim, "metadata", "annotations")[OLD_CLASS_ANNOTATION];
  return typeof annotated === "string" ? annotated : stringAt(claim, "spec", "storageClassName");
}
