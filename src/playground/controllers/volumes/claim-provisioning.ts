// A claim that no volume suits: gets the default class if it named none, and asks the provisioner of its class.
import { Kinds } from "#api/kinds";
import type { PersistentVolumeClaim, Pod } from "#api/kubernetes/gen/types";
import type { ControllerContext } from "../controller.ts";
import type { EventText } from "../objects/event-recorder.ts";
import { annotationsOf, identityOf } from "../objects/object-meta.ts";
import { isFinished } from "../workloads/pod-state.ts";
import { claimNames } from "./pod-claims.ts";
import { Annotations, classNameOf, defaultClass, namesClass } from "./volume-rules.ts";
import { VOLUME_EVENTS, versionOf } from "./volume-writes.ts";

const IN_TREE = "kubernetes.io/";

export interface Provisioning {
  /** Tells what the claim waits for. True when its status is to say so; false when it was changed or asked for. */
  wants(claim: PersistentVolumeClaim, delayed: boolean): Promise<boolean>;
}

export function createProvisioning({ caches, events }: ControllerContext): Provisioning {
  const { persistentVolumeClaims: claims, storageClasses, pods } = caches;
  const tell = (object: PersistentVolumeClaim, text: EventText) =>
    events.record(VOLUME_EVENTS, { type: Kinds.PersistentVolumeClaim, object }, text);

  const takeDefaultClass = async (claim: PersistentVolumeClaim): Promise<boolean> => {
    const found = namesClass(claim) ? undefined : defaultClass([...storageClasses.all()]);
    if (found === undefined) return false;
    await claims.patch(claim, { metadata: versionOf(claim), spec: { storageClassName: identityOf(found).name } });
    return true;
  };

  const askProvisioner = async (claim: PersistentVolumeClaim, className: string): Promise<void> => {
    const failed = (message: string) => tell(claim, { type: "Warning", reason: "ProvisioningFailed", message });
    const found = storageClasses.get("", className);
    if (found === undefined) return failed(`storageclass.storage.k8s.io ${JSON.stringify(className)} not found`);
    const { provisioner } = found;
    if (provisioner.startsWith(IN_TREE)) return failed(`no volume plugin matched name: ${provisioner}`);
    const asked = await nameProvisioner(claim, provisioner);
    const wait = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually`;
    const hint =
      "If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
    const message = `${wait} by the system administrator. ${hint}`;
    tell(asked, { type: "Normal", reason: "ExternalProvisioning", message });
  };

  const nameProvisioner = async (claim: PersistentVolumeClaim, name: string): Promise<PersistentVolumeClaim> => {
    if (annotationsOf(claim)[Annotations.provisioner] === name) return claim;
    const annotations = { [Annotations.provisioner]: name, [Annotations.oldProvisioner]: name };
    return claims.patch(claim, { metadata: { ...versionOf(claim), annotations } });
  };

  return {
    async wants(claim, delayed) {
      if (await takeDefaultClass(claim)) return false;
      const className = classNameOf(claim);
      if (delayed && annotationsOf(claim)[Annotations.selectedNode] === undefined) {
        tell(claim, waitingFor(waitingPods(claim, pods.inNamespace(identityOf(claim).namespace))));
        return true;
      }
      if (className !== "") {
        await askProvisioner(claim, className);
        return false;
      }
      const message = "no persistent volumes available for this claim and no storage class is set";
      tell(claim, { type: "Normal", reason: "FailedBinding", message });
      return true;
    },
  };
}

function waitingPods(claim: PersistentVolumeClaim, pods: readonly Pod[]): string[] {
  const { name } = identityOf(claim);
  return pods
    .filter((pod) => !pod.spec?.nodeName && !isFinished(pod) && claimNames(pod).includes(name))
    .map((pod) => identityOf(pod).name);
}

function waitingFor(pods: readonly string[]): EventText {
  if (pods.length === 0) {
    const message = "waiting for first consumer to be created before binding";
    return { type: "Normal", reason: "WaitForFirstConsumer", message };
  }
  const message = `waiting for ${pods.length > 1 ? "pods" : "pod"} ${pods.join(",")} to be scheduled`;
  return { type: "Normal", reason: "WaitForPodScheduled", message };
}
