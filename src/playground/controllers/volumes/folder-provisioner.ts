// Makes the volumes of class `standard`: a folder of the node each, as the provisioners of other clusters of one machine
// do. A client of the API like any other, so it works beside every control plane.
import { apiVersionOf, Kinds } from "#api/kinds";
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { errorMessage } from "#base/mesh-error";
import { KubeError } from "#kube/kube-client";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import type { EventText } from "../objects/event-recorder.ts";
import { annotationsOf, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import type { VolumeFolders } from "./volume-folders.ts";
import { Annotations, classNameOf, waitsForConsumer } from "./volume-rules.ts";
import { versionOf } from "./volume-writes.ts";

const PROVISIONER = "playground.isthmus/folder";
/** Keeps a volume until its folder is gone. */
const FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer";
const HOSTNAME = "kubernetes.io/hostname";

const STANDARD: StorageClass = {
  metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: PROVISIONER,
  reclaimPolicy: "Delete",
  volumeBindingMode: "WaitForFirstConsumer",
};

export function createFolderProvisioner(context: ControllerContext, folders: VolumeFolders): Component {
  const { caches, clock, logger } = context;
  const { persistentVolumes: volumes, persistentVolumeClaims: claims, storageClasses, nodes } = caches;
  const makeVolume = createMaker(context, folders);
  const queue = new WorkQueue({
    name: "volume-provisioner",
    clock,
    logger,
    reconcile: async (key) => {
      const [kind, ...rest] = key.split("/");
      const claim = kind === "claims" ? claims.getByKey(rest.join("/")) : undefined;
      const volume = kind === "volumes" ? volumes.get("", rest.join("/")) : undefined;
      if (claim !== undefined) await makeVolume(claim);
      if (volume !== undefined) await dropVolume(volume);
    },
  });

  /** With its folder, when nobody needs it any more. */
  const dropVolume = async (volume: PersistentVolume): Promise<void> => {
    if (annotationsOf(volume)[Annotations.provisionedBy] !== PROVISIONER) return;
    const keeps = volume.spec?.persistentVolumeReclaimPolicy !== "Delete";
    if (!keeps && !isUnneeded(volume)) return;
    if (!keeps) await folders.remove(identityOf(volume).name);
    const finalizers = volume.metadata?.finalizers ?? [];
    const kept = finalizers.filter((finalizer) => finalizer !== FINALIZER);
    if (!keeps && !isBeingDeleted(volume)) await volumes.delete(volume);
    if (kept.length === finalizers.length) return;
    const current = keeps ? volume : await volumes.fetch("", identityOf(volume).name);
    if (current === undefined) return;
    await volumes.patch(current, { metadata: { ...versionOf(current), finalizers: kept.length === 0 ? null : kept } });
  };

  claims.onChange(({ object, deleted }) => {
    if (!deleted && !object.spec?.volumeName) queue.add(`claims/${objectKey(object)}`);
  });
  volumes.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(`volumes/${identityOf(object).name}`);
  });
  const controller = controllerComponent(queue, [volumes, claims, storageClasses, nodes]);
  return {
    name: controller.name,
    async run(signal) {
      await Promise.all([makeStandardClass(context), controller.run(signal)]);
    },
  };
}

function isUnneeded(volume: PersistentVolume): boolean {
  const { phase } = volume.status ?? {};
  return phase === "Released" || phase === "Failed" || (isBeingDeleted(volume) && phase !== "Bound");
}

/** One that is there is left as it is; whoever deleted it has it back with the next start. */
async function makeStandardClass({ client, logger }: ControllerContext): Promise<void> {
  try {
    await client.create(Kinds.StorageClass, STANDARD);
  } catch (thrown) {
    if (thrown instanceof KubeError && thrown.status === 409) return;
    logger.warn({ error: errorMessage(thrown) }, "default StorageClass not made");
  }
}

function createMaker({ caches, events }: ControllerContext, folders: VolumeFolders) {
  const { persistentVolumes: volumes, storageClasses, nodes } = caches;
  const tell = (object: PersistentVolumeClaim, type: EventText["type"], reason: string, message: string) =>
    events.record(PROVISIONER, { type: Kinds.PersistentVolumeClaim, object }, { type, reason, message });

  const nodeFor = (claim: PersistentVolumeClaim): Node | undefined => {
    const selected = annotationsOf(claim)[Annotations.selectedNode];
    return selected === undefined ? [...nodes.all()][0] : nodes.get("", selected);
  };

  return async (claim: PersistentVolumeClaim): Promise<void> => {
    const wanted = storageClasses.get("", classNameOf(claim));
    const name = `pvc-${identityOf(claim).uid}`;
    if (wanted === undefined || !isAsked(claim, wanted) || volumes.get("", name) !== undefined) return;
    const node = nodeFor(claim);
    const why = node === undefined ? "its node is unknown" : whyNotMade(claim, wanted);
    if (node === undefined || why !== undefined) {
      const message = `failed to provision volume with StorageClass ${JSON.stringify(classNameOf(claim))}: ${why}`;
      tell(claim, "Warning", "ProvisioningFailed", message);
      // It may come yet.
      if (node === undefined) throw new Error(message);
      return;
    }
    const key = objectKey(claim);
    tell(
      claim,
      "Normal",
      "Provisioning",
      `External provisioner is provisioning volume for claim ${JSON.stringify(key)}`,
    );
    const path = await folders.make(name);
    const hostname = labelsOf(node)[HOSTNAME] ?? identityOf(node).name;
    try {
      await volumes.create(volumeFor(claim, { name, path, hostname, storageClass: wanted }));
    } catch (thrown) {
      if (!(thrown instanceof KubeError && thrown.status === 409)) throw thrown;
    }
    tell(claim, "Normal", "ProvisioningSucceeded", `Successfully provisioned volume ${name}`);
  };
}

function isAsked(claim: PersistentVolumeClaim, storageClass: StorageClass): boolean {
  const annotations = annotationsOf(claim);
  if (storageClass.provisioner !== PROVISIONER || claim.spec?.volumeName || isBeingDeleted(claim)) return false;
  if (annotations[Annotations.provisioner] !== PROVISIONER) return false;
  return !waitsForConsumer(storageClass) || annotations[Annotations.selectedNode] !== undefined;
}

function whyNotMade({ spec }: PersistentVolumeClaim, { mountOptions = [] }: StorageClass): string | undefined {
  if (spec?.volumeMode === "Block") return "a folder is no block device: ask for volumeMode Filesystem";
  if (spec?.selector !== undefined) return "claim.Spec.Selector is not supported";
  if (spec?.dataSource !== undefined || spec?.dataSourceRef !== undefined)
    return "a folder is not made from a data source";
  return mountOptions.length > 0 ? "a folder is not mounted with options" : undefined;
}

interface NewVolume {
  readonly name: string;
  /** Of the node. */
  readonly path: string;
  readonly hostname: string;
  readonly storageClass: StorageClass;
}

function volumeFor(claim: PersistentVolumeClaim, { name, path, hostname, storageClass }: NewVolume): PersistentVolume {
  const { resourceVersion = "" } = claim.metadata ?? {};
  const { uid, ...at } = identityOf(claim);
  const { kind } = Kinds.PersistentVolumeClaim;
  const storage = claim.spec?.resources?.requests?.["storage"] ?? "0";
  const policy = storageClass.reclaimPolicy ?? "Delete";
  return {
    metadata: {
      name,
      annotations: { [Annotations.provisionedBy]: PROVISIONER },
      ...(policy === "Delete" ? { finalizers: [FINALIZER] } : {}),
    },
    spec: {
      capacity: { storage },
      accessModes: claim.spec?.accessModes ?? [],
      claimRef: { apiVersion: apiVersionOf(Kinds.PersistentVolumeClaim), kind, ...at, uid, resourceVersion },
      hostPath: { path, type: "DirectoryOrCreate" },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: "In", values: [hostname] }] }],
        },
      },
      persistentVolumeReclaimPolicy: policy,
      storageClassName: classNameOf(claim),
      volumeMode: "Filesystem",
    },
  };
}
