// Endpoints written by hand for a Service without selector show as EndpointSlices too: readers know only those.

import { Kinds } from "#api/kinds";
import type { Endpoint, EndpointAddress, EndpointSlice, EndpointSubset, Endpoints } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { annotationsOf, controllerReference, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { canonicalJson } from "../workloads/pod-template-hash.ts";
import { MANAGED_BY, MIRRORING_MANAGER, SERVICE_NAME } from "./endpoint-slices.ts";

const SKIP = "endpointslice.kubernetes.io/skip-mirror";
const LEADER = "control-plane.alpha.kubernetes.io/leader";
/** Annotations that speak of the Endpoints object alone. */
const NOT_COPIED = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "endpoints.kubernetes.io/last-change-trigger-time",
]);
const MAX_ADDRESSES = 1000;

export function createMirroringController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;

  const reconcile = async (key: string) => {
    const slash = key.indexOf("/");
    const [namespace, name] = [key.slice(0, slash), key.slice(slash + 1)];
    const endpoints = caches.endpoints.getByKey(key);
    const service = caches.services.getByKey(key);
    const own = caches.endpointSlices.inNamespace(namespace).filter((slice) => {
      return (
        labelsOf(slice)[SERVICE_NAME] === name &&
        labelsOf(slice)[MANAGED_BY] === MIRRORING_MANAGER &&
        !isBeingDeleted(slice)
      );
    });
    const byHand = service !== undefined && Object.keys(service.spec?.selector ?? {}).length === 0;
    const mirrored = endpoints !== undefined && byHand && !isExcluded(endpoints);
    const wanted = mirrored ? mirroredSlices(endpoints) : [];
    await writeMirrors(context, own, wanted);
  };

  const queue = new WorkQueue({ name: "endpoint-slice-mirroring", clock, logger, reconcile });
  caches.endpoints.onChange(({ object }) => queue.add(objectKey(object)));
  caches.services.onChange(({ object }) => queue.add(objectKey(object)));
  caches.endpointSlices.onChange(({ object }) => {
    const labels = labelsOf(object);
    if (labels[MANAGED_BY] === MIRRORING_MANAGER)
      queue.add(`${identityOf(object).namespace}/${labels[SERVICE_NAME] ?? ""}`);
  });
  return controllerComponent(queue, [caches.endpoints, caches.services, caches.endpointSlices]);
}

async function writeMirrors(
  { caches }: ControllerContext,
  own: readonly EndpointSlice[],
  wanted: readonly EndpointSlice[],
): Promise<void> {
  const free = [...own];
  for (const slice of wanted) {
    const at = free.findIndex((each) => each.addressType === slice.addressType && samePorts(each, slice));
    const [before] = at < 0 ? [] : free.splice(at, 1);
    if (before === undefined) await caches.endpointSlices.create(slice);
    else if (contentOf(before) !== contentOf(slice)) {
      const { labels, annotations = {} } = slice.metadata ?? {};
      const metadata = { ...before.metadata, ...(labels === undefined ? {} : { labels }), annotations };
      await caches.endpointSlices.replace({
        ...before,
        endpoints: slice.endpoints,
        ports: slice.ports ?? [],
        metadata,
      });
    }
  }
  await Promise.all(free.map((slice) => caches.endpointSlices.delete(slice)));
}

function isExcluded(endpoints: Endpoints): boolean {
  return labelsOf(endpoints)[SKIP] === "true" || LEADER in annotationsOf(endpoints);
}

/** One slice for each set of ports and address family. */
export function mirroredSlices(endpoints: Endpoints): EndpointSlice[] {
  return (endpoints.subsets ?? []).flatMap((subset) =>
    (["IPv4", "IPv6"] as const).flatMap((family) => {
      const list = familyEndpoints(subset, family).slice(0, MAX_ADDRESSES);
      return list.length === 0 ? [] : [sliceOf(endpoints, subset, family, list)];
    }),
  );
}

function familyEndpoints(subset: EndpointSubset, family: "IPv4" | "IPv6"): Endpoint[] {
  const ofFamily = (addresses: readonly EndpointAddress[] | undefined, ready: boolean) =>
    (addresses ?? []).filter(({ ip }) => ip.includes(":") === (family === "IPv6")).map((each) => mirrored(each, ready));
  return [...ofFamily(subset.addresses, true), ...ofFamily(subset.notReadyAddresses, false)];
}

function mirrored({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}

function sliceOf(
  endpoints: Endpoints,
  subset: EndpointSubset,
  ...[addressType, list]: ["IPv4" | "IPv6", Endpoint[]]
): EndpointSlice {
  const { namespace, name } = identityOf(endpoints);
  const annotations = Object.fromEntries(
    Object.entries(annotationsOf(endpoints)).filter(([key]) => !NOT_COPIED.has(key)),
  );
  return {
    addressType,
    metadata: {
      namespace,
      generateName: `${name}-`,
      labels: { ...labelsOf(endpoints), [SERVICE_NAME]: name, [MANAGED_BY]: MIRRORING_MANAGER },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [controllerReference(Kinds.Endpoints, endpoints)],
    },
    endpoints: list,
    ports: (subset.ports ?? []).map(({ name: port = "", ...rest }) => ({ name: port, ...rest })),
  };
}

function samePorts(a: EndpointSlice, b: EndpointSlice): boolean {
  return canonicalJson(a.ports ?? []) === canonicalJson(b.ports ?? []);
}

function contentOf({ metadata, endpoints, ports }: EndpointSlice): string {
  return canonicalJson([metadata?.labels, metadata?.annotations ?? {}, endpoints, ports]);
}
