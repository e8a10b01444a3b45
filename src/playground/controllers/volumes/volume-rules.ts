// Which volume a claim may have, and what binds the two: pure, as the real binder and scheduler decide it.
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "#api/kubernetes/gen/types";
import { matchesSelector } from "#api/kubernetes/label-selector";
import { nanoUnits } from "../../api-server/quantity.ts";
import { annotationsOf, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { matchesTerm } from "../scheduling/node-affinity.ts";

export const Annotations = {
  bindCompleted: "pv.kubernetes.io/bind-completed",
  boundByController: "pv.kubernetes.io/bound-by-controller",
  provisionedBy: "pv.kubernetes.io/provisioned-by",
  selectedNode: "volume.kubernetes.io/selected-node",
  provisioner: "volume.kubernetes.io/storage-provisioner",
  /** Still written beside it. */
  oldProvisioner: "volume.beta.kubernetes.io/storage-provisioner",
  oldClass: "volume.beta.kubernetes.io/storage-class",
} as const;

const DEFAULT_CLASS = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];
/** The provisioner of a class whose volumes are all made by hand. */
export const NO_PROVISIONER = "kubernetes.io/no-provisioner";

type Classed = PersistentVolume | PersistentVolumeClaim;

/** "" for none. */
export function classNameOf(object: Classed): string {
  return annotationsOf(object)[Annotations.oldClass] ?? object.spec?.storageClassName ?? "";
}

/** Whether somebody chose: even "" is a choice. */
export function namesClass(claim: PersistentVolumeClaim): boolean {
  return annotationsOf(claim)[Annotations.oldClass] !== undefined || claim.spec?.storageClassName !== undefined;
}

/** Of several default classes the newest, then the first by name. */
export function defaultClass(classes: readonly StorageClass[]): StorageClass | undefined {
  const made = ({ metadata }: StorageClass) => metadata?.creationTimestamp ?? "";
  return classes
    .filter((each) => DEFAULT_CLASS.some((name) => annotationsOf(each)[name] === "true"))
    .sort((a, b) => made(b).localeCompare(made(a)) || identityOf(a).name.localeCompare(identityOf(b).name))[0];
}

export function waitsForConsumer(storageClass: StorageClass | undefined): boolean {
  return storageClass?.volumeBindingMode === "WaitForFirstConsumer";
}

/** Has a volume for good. */
export function isFullyBound(claim: PersistentVolumeClaim): boolean {
  return Boolean(claim.spec?.volumeName) && annotationsOf(claim)[Annotations.bindCompleted] !== undefined;
}

/** Bound or reserved: a reference without uid is somebody's wish. */
export function isBoundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reference = volume.spec?.claimRef;
  const { namespace, name, uid } = identityOf(claim);
  if (reference?.name !== name || reference.namespace !== namespace) return false;
  return !reference.uid || reference.uid === uid;
}

export interface VolumeSearch {
  /** The scheduler looks for volumes that this node reaches; the binder for any. */
  readonly nodeLabels?: Readonly<Record<string, string>>;
  /** Names of volumes that other claims of the pod have got. */
  readonly taken?: ReadonlySet<string>;
  /** The class leaves the choice to the scheduler: the binder takes only what is reserved already. */
  readonly delayed: boolean;
}

/** The volume reserved for the claim, else the smallest that satisfies it with as few further access modes as can be. */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  search: VolumeSearch,
): PersistentVolume | undefined {
  const fitting = volumes
    .filter((volume) => search.taken?.has(identityOf(volume).name) !== true)
    .filter((volume) => volume.spec?.claimRef === undefined || isBoundTo(volume, claim))
    .filter((volume) => allows(volume, claim));
  const reaches = (volume: PersistentVolume) =>
    search.nodeLabels === undefined || isReachedFrom(volume, search.nodeLabels);
  const reserved = fitting.find((volume) => isBoundTo(volume, claim));
  if (reserved !== undefined) return reaches(reserved) ? reserved : undefined;
  if (search.delayed && search.nodeLabels === undefined) return undefined;
  const modes = (volume: PersistentVolume) => volume.spec?.accessModes?.length ?? 0;
  return fitting
    .filter((volume) => volume.status?.phase === "Available" && reaches(volume))
    .filter((volume) => matchesSelector(claim.spec?.selector ?? {}, labelsOf(volume)))
    .filter((volume) => classNameOf(volume) === classNameOf(claim))
    .sort((a, b) => modes(a) - modes(b) || Number(sizeOf(a) - sizeOf(b)))[0];
}

/** What even a reserved volume must satisfy. */
function allows(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (
    !isBeingDeleted(volume) &&
    sizeOf(volume) >= requestOf(claim) &&
    !modesDiffer(volume, claim) &&
    attributesOf(volume) === attributesOf(claim) &&
    offersModes(volume, claim)
  );
}

/** Why a claim that names the volume cannot have it; undefined when it can. */
export function whyNotSatisfied(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (isBeingDeleted(volume)) return `the volume is marked for deletion ${JSON.stringify(identityOf(volume).name)}`;
  if (sizeOf(volume) < requestOf(claim)) return "requested PV is too small";
  if (classNameOf(volume) !== classNameOf(claim)) return "storageClassName does not match";
  if (attributesOf(volume) !== attributesOf(claim)) return "volumeAttributesClassName does not match";
  if (modesDiffer(volume, claim)) return "incompatible volumeMode";
  return offersModes(volume, claim) ? undefined : "incompatible accessMode";
}

/** One a file system, the other a block device. */
export function modesDiffer(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (volume.spec?.volumeMode ?? "Filesystem") !== (claim.spec?.volumeMode ?? "Filesystem");
}

/** Whether a node with the labels satisfies the volume's node affinity. */
export function isReachedFrom(volume: PersistentVolume, labels: Readonly<Record<string, string>>): boolean {
  const required = volume.spec?.nodeAffinity?.required;
  return (
    required === undefined ||
    required.nodeSelectorTerms.some((term) => matchesTerm(term, { metadata: { labels: { ...labels } } }))
  );
}

function offersModes(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const offered = volume.spec?.accessModes ?? [];
  return (claim.spec?.accessModes ?? []).every((mode) => offered.includes(mode));
}

const attributesOf = ({ spec }: Classed) => spec?.volumeAttributesClassName ?? "";
const sizeOf = ({ spec }: PersistentVolume) => nanoUnits(spec?.capacity?.["storage"]);
const requestOf = ({ spec }: PersistentVolumeClaim) => nanoUnits(spec?.resources?.requests?.["storage"]);
