import type { EndpointSlice, Pod, Service } from "#api/kubernetes/gen/types";
import { matchesLabels } from "#api/kubernetes/label-selector";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import {
  type EndpointGroup,
  endpointGroups,
  type FamilyGroups,
  familiesOf,
  MANAGED_BY,
  MANAGER,
  planSlices,
  SERVICE_NAME,
} from "./endpoint-slices.ts";
import { buildEndpoints, isManagedEndpoints, OVER_CAPACITY, sameEndpoints } from "./endpoints-object.ts";

/** Writes the EndpointSlices and the Endpoints of every Service that selects pods; others are left to their makers. */
export function createEndpointSliceController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const write = createEndpointWriter(context);

  const reconcile = async (key: string) => {
    const service = caches.services.getByKey(key);
    if (service === undefined) return write.dropEndpoints(key);
    if (isBeingDeleted(service) || !selectsPods(service)) return;
    const pods = caches.pods.inNamespace(identityOf(service).namespace).filter((pod) => selects(service, pod));
    const sources = { pods, nodeOf: (name: string) => caches.nodes.get("", name) };
    const groups = new Map(familiesOf(service).map((family) => [family, endpointGroups(service, sources, family)]));
    // The older kind knows the first family alone.
    const [first = []] = groups.values();
    await Promise.all([write.slices(service, groups), write.endpoints(service, first)]);
  };

  const queue = new WorkQueue({ name: "endpoint-slice", clock, logger, reconcile });
  const addServicesOf = (pod: Pod) => {
    for (const service of caches.services.inNamespace(identityOf(pod).namespace)) {
      if (selectsPods(service) && selects(service, pod)) queue.add(objectKey(service));
    }
  };
  caches.pods.onChange(({ object, old, deleted }) => {
    if (!deleted && old !== undefined && endpointView(object) === endpointView(old)) return;
    addServicesOf(object);
    if (old !== undefined) addServicesOf(old);
  });
  caches.services.onChange(({ object }) => queue.add(objectKey(object)));
  caches.endpointSlices.onChange(({ object, deleted }) => {
    const labels = labelsOf(object);
    if (labels[MANAGED_BY] !== MANAGER) return;
    // Our own writes come back here too, and then change nothing.
    if (deleted || !isBeingDeleted(object)) queue.add(`${identityOf(object).namespace}/${labels[SERVICE_NAME] ?? ""}`);
  });
  caches.endpoints.onChange(({ object }) => queue.add(objectKey(object)));
  return controllerComponent(queue, [
    caches.services,
    caches.pods,
    caches.nodes,
    caches.endpointSlices,
    caches.endpoints,
  ]);
}

function createEndpointWriter({ caches }: ControllerContext) {
  const slices = async (service: Service, groups: FamilyGroups) => {
    const { create, update, remove } = planSlices(service, groups, ownSlices(service));
    await Promise.all([
      ...create.map((slice) => caches.endpointSlices.create(slice)),
      ...update.map((slice) => caches.endpointSlices.replace(slice)),
      ...remove.map((slice) => caches.endpointSlices.delete(slice)),
    ]);
  };

  const ownSlices = (service: Service): EndpointSlice[] => {
    const { namespace, name } = identityOf(service);
    return caches.endpointSlices.inNamespace(namespace).filter((slice) => {
      const labels = labelsOf(slice);
      return labels[SERVICE_NAME] === name && labels[MANAGED_BY] === MANAGER;
    });
  };

  const endpoints = async (service: Service, groups: readonly EndpointGroup[]) => {
    const wanted = buildEndpoints(service, groups);
    const before = caches.endpoints.getByKey(objectKey(service));
    if (before === undefined) await caches.endpoints.create(wanted);
    else if (!sameEndpoints(before, wanted)) {
      const { [OVER_CAPACITY]: _before, ...kept } = before.metadata?.annotations ?? {};
      const annotations = { ...kept, ...wanted.metadata?.annotations };
      const metadata = { ...before.metadata, annotations, labels: wanted.metadata?.labels ?? {} };
      await caches.endpoints.replace({ ...wanted, metadata });
    }
  };

  /** A Service's slices go with their owner; its Endpoints object has none, only the name. */
  const dropEndpoints = async (key: string) => {
    const left = caches.endpoints.getByKey(key);
    if (left !== undefined && isManagedEndpoints(left)) await caches.endpoints.delete(left);
  };

  return { slices, endpoints, dropEndpoints };
}

function selectsPods({ spec }: Service): boolean {
  return spec?.type !== "ExternalName" && Object.keys(spec?.selector ?? {}).length > 0;
}

function selects(service: Service, pod: Pod): boolean {
  return matchesLabels(service.spec?.selector ?? {}, labelsOf(pod));
}

/** What of a pod can change an endpoint: most status updates of a starting pod change nothing here. */
function endpointView({ metadata, spec, status }: Pod): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status;
  const deleting = metadata?.deletionTimestamp !== undefined;
  return JSON.stringify([
    metadata?.labels,
    deleting,
    spec?.nodeName,
    status?.podIPs ?? status?.podIP,
    status?.phase,
    ready,
  ]);
}
