// From a Service and its pods to EndpointSlices: pure, so that the rules can be read and tested as a table.

import { Kinds } from "#api/kinds";
import type { Endpoint, EndpointPort, EndpointSlice, Node, Pod, Service, ServicePort } from "#api/kubernetes/gen/types";
import { controllerReference, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { isFinished, isReady } from "../workloads/pod-state.ts";

export const SERVICE_NAME = "kubernetes.io/service-name";
export const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
export const MANAGER = "endpointslice-controller.k8s.io";
export const MIRRORING_MANAGER = "endpointslicemirroring-controller.k8s.io";
/** Whose slices the controllers of a cluster write. */
export const SLICE_MANAGERS: ReadonlySet<string> = new Set([MANAGER, MIRRORING_MANAGER]);
export const HEADLESS = "service.kubernetes.io/headless";
const ZONE = "topology.kubernetes.io/zone";
const MAX_ENDPOINTS = 100;

/** Endpoints of one set of ports: pods that give one port name different numbers come in different groups. */
export interface EndpointGroup {
  readonly ports: EndpointPort[];
  readonly endpoints: Endpoint[];
}

export interface SliceChanges {
  readonly create: EndpointSlice[];
  readonly update: EndpointSlice[];
  readonly remove: EndpointSlice[];
}

export type IpFamily = "IPv4" | "IPv6";

/** Families of the addresses that a Service leads to, its first one first. */
export function familiesOf({ spec }: Service): readonly IpFamily[] {
  const families = (spec?.ipFamilies ?? []).filter((one): one is IpFamily => one === "IPv4" || one === "IPv6");
  return families.length === 0 ? ["IPv4"] : families;
}

export interface EndpointSources {
  readonly pods: readonly Pod[];
  nodeOf(name: string): Node | undefined;
}

/** The Service's endpoints of one family, grouped by ports; empty when it has no pod with such an address. */
export function endpointGroups(
  service: Service,
  { pods, nodeOf }: EndpointSources,
  family: IpFamily = "IPv4",
): EndpointGroup[] {
  const groups = new Map<string, EndpointGroup>();
  const byName = [...pods].sort((a, b) => identityOf(a).name.localeCompare(identityOf(b).name));
  for (const pod of byName) {
    const addresses = addressesOf(pod, family);
    if (addresses.length === 0 || isFinished(pod)) continue;
    const ports = resolvePorts(service, pod);
    // A Service with ports of which the pod has none cannot be served by it.
    if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    const node = nodeOf(pod.spec?.nodeName ?? "");
    group.endpoints.push({ addresses, ...endpointOf(service, pod, node) });
  }
  return [...groups.values()];
}

function addressesOf({ status }: Pod, family: IpFamily): string[] {
  const all = status?.podIPs?.map(({ ip }) => ip) ?? [status?.podIP ?? ""];
  return all.filter((ip) => ip !== "" && ip.includes(":") === (family === "IPv6"));
}

function endpointOf(service: Service, pod: Pod, node: Node | undefined): Omit<Endpoint, "addresses"> {
  const { namespace, name, uid } = identityOf(pod);
  const serving = isReady(pod);
  const terminating = isBeingDeleted(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node === undefined ? undefined : labelsOf(node)[ZONE];
  const hostname = pod.spec?.subdomain === identityOf(service).name ? pod.spec?.hostname : undefined;
  return {
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(zone === undefined ? {} : { zone }),
  };
}

function resolvePorts(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((servicePort) => {
    const port = targetPort(servicePort, pod);
    if (port === undefined) return [];
    const { appProtocol } = servicePort;
    return [
      {
        name: servicePort.name ?? "",
        port,
        protocol: servicePort.protocol ?? "TCP",
        ...(appProtocol === undefined ? {} : { appProtocol }),
      },
    ];
  });
}

/** The number behind a Service's port on this pod; a named one is looked up in its containers, sidecars included. */
function targetPort({ port, targetPort: target = port, protocol = "TCP" }: ServicePort, pod: Pod): number | undefined {
  if (typeof target === "number") return target === 0 ? port : target;
  if (/^\d+$/.test(target)) return Number(target);
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const ports = [...(pod.spec?.containers ?? []), ...sidecars].flatMap((container) => container.ports ?? []);
  return ports.find(({ name, protocol: own = "TCP" }) => name === target && own === protocol)?.containerPort;
}

/** A Service's endpoints by family. */
export type FamilyGroups = ReadonlyMap<IpFamily, readonly EndpointGroup[]>;

/** What to write so that the Service's own slices say exactly `groups`. Slices of other managers are not looked at. */
export function planSlices(service: Service, groups: FamilyGroups, existing: readonly EndpointSlice[]): SliceChanges {
  const foreign = existing.filter(({ addressType }) => ![...groups.keys()].some((family) => family === addressType));
  const changes: SliceChanges = { create: [], update: [], remove: foreign.filter((slice) => !isBeingDeleted(slice)) };
  for (const [family, own] of groups) {
    const slices = existing.filter(({ addressType }) => addressType === family);
    planFamily({ service, family, changes }, own, slices);
  }
  return changes;
}

interface FamilyPlan {
  readonly service: Service;
  readonly family: IpFamily;
  readonly changes: SliceChanges;
}

function planFamily(
  { service, family, changes }: FamilyPlan,
  groups: readonly EndpointGroup[],
  existing: readonly EndpointSlice[],
): void {
  const wanted = (groups.length === 0 ? [{ ports: [], endpoints: [] }] : groups).flatMap(split);
  const free = existing.filter((slice) => !isBeingDeleted(slice));
  for (const group of wanted) {
    const slice = sliceOf(service, family, group);
    const at = bestMatch(free, group);
    if (at < 0) {
      changes.create.push(slice);
      continue;
    }
    const [before] = free.splice(at, 1);
    if (before === undefined || sameSlice(before, slice)) continue;
    const metadata = { ...before.metadata, labels: sliceLabels(service) };
    changes.update.push({ ...before, ...slice, metadata });
  }
  changes.remove.push(...free);
}

function split({ ports, endpoints }: EndpointGroup): EndpointGroup[] {
  if (endpoints.length <= MAX_ENDPOINTS) return [{ ports, endpoints }];
  const groups: EndpointGroup[] = [];
  for (let start = 0; start < endpoints.length; start += MAX_ENDPOINTS) {
    groups.push({ ports, endpoints: endpoints.slice(start, start + MAX_ENDPOINTS) });
  }
  return groups;
}

/** The slice to reuse: same ports and most endpoints in common, else a placeholder without ports. -1: none. */
function bestMatch(slices: readonly EndpointSlice[], group: EndpointGroup): number {
  const ports = JSON.stringify(normalPorts(group.ports));
  const addresses = new Set(group.endpoints.flatMap((endpoint) => endpoint.addresses));
  let best = -1;
  let bestScore = -1;
  for (const [index, slice] of slices.entries()) {
    const own = JSON.stringify(normalPorts(slice.ports ?? []));
    if (own !== ports && (slice.ports ?? []).length > 0 && group.ports.length > 0) continue;
    const common = (slice.endpoints ?? []).filter(({ addresses: [first = ""] }) => addresses.has(first)).length;
    if (common > bestScore) [best, bestScore] = [index, common];
  }
  return best;
}

function sliceOf(service: Service, addressType: IpFamily, group: EndpointGroup): EndpointSlice {
  const { namespace, name } = identityOf(service);
  return {
    addressType,
    metadata: {
      namespace,
      generateName: `${name}-`,
      labels: sliceLabels(service),
      ownerReferences: [controllerReference(Kinds.Service, service)],
    },
    endpoints: group.endpoints,
    ports: group.ports,
  };
}

export function sliceLabels(service: Service): Record<string, string> {
  return {
    ...labelsOf(service),
    [SERVICE_NAME]: identityOf(service).name,
    [MANAGED_BY]: MANAGER,
    ...(service.spec?.clusterIP === "None" ? { [HEADLESS]: "" } : {}),
  };
}

function sameSlice(before: EndpointSlice, wanted: EndpointSlice): boolean {
  return sliceDigest(before) === sliceDigest(wanted);
}

function sliceDigest({ metadata, endpoints, ports }: EndpointSlice): string {
  const labels = Object.entries(metadata?.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const normal = (endpoints ?? []).map(({ addresses, conditions, hostname, nodeName, targetRef, zone }) => {
    const { ready, serving, terminating } = conditions ?? {};
    return [addresses, ready, serving, terminating, hostname, nodeName, targetRef?.uid, zone];
  });
  return JSON.stringify([labels, normal, normalPorts(ports ?? [])]);
}

function normalPorts(ports: readonly EndpointPort[]): unknown[] {
  return ports.map(({ name, port, protocol, appProtocol }) => [name ?? "", port, protocol ?? "TCP", appProtocol]);
}
