import { Kinds } from "#api/kinds";
import type { Service } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import type { ClusterProcessConfig } from "../../process-config.ts";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { familiesOf, type IpFamily } from "../endpoints/endpoint-slices.ts";
import { isBeingDeleted } from "../objects/object-meta.ts";
import { type AddressRange, firstFree, isInRange } from "./load-balancer-range.ts";

const SOURCE = "service-controller";

/** A cluster without IPv6 has one. */
export type AddressRanges = Readonly<Partial<Record<IpFamily, AddressRange>>>;

/**
 * Gives every Service of type LoadBalancer an address of each of its families that there is a range of. The status is the only memory: what is written
 * there is kept over restarts. A Service with a loadBalancerClass belongs to another implementation.
 */
export function createLoadBalancerController(context: ControllerContext, ranges: AddressRanges): Component {
  const { caches, clock, logger } = context;

  const reconcile = async (key: string) => {
    const service = caches.services.getByKey(key);
    if (service === undefined || isBeingDeleted(service)) return;
    const before = addressesOf(service);
    if (!isOurs(service)) {
      if (before.length > 0 && service.spec?.type !== "LoadBalancer") await write(service, []);
      return;
    }
    const taken = takenBy(caches.services.all(), service);
    const choices = familiesOf(service).flatMap((family) => {
      const range = ranges[family];
      return range === undefined ? [] : [chooseAddress(service, range, taken)];
    });
    const choice = choices.find((one) => "problem" in one);
    if (choice !== undefined) {
      const event = { type: "Warning", reason: "SyncLoadBalancerFailed", message: choice.problem } as const;
      context.events.record(SOURCE, { type: Kinds.Service, object: service }, event);
      if (before.length > 0) await write(service, []);
      return;
    }
    const addresses = choices.flatMap((one) => ("address" in one ? [one.address] : []));
    if (before.join() !== addresses.join()) await write(service, addresses);
  };

  const write = async (service: Service, addresses: readonly string[]) => {
    const ingress = addresses.map((ip) => ({ ip, ipMode: "VIP" }));
    const loadBalancer = { ingress: ingress.length === 0 ? null : ingress };
    await caches.services.patch(service, { status: { loadBalancer } }, { subresource: "status" });
    logger.info({ service: objectKey(service), addresses }, "load balancer address");
  };

  // One at a time: two Services never choose the same address.
  const queue = new WorkQueue({ name: "load-balancer", clock, logger, workers: 1, reconcile });
  caches.services.onChange(({ object, old, deleted }) => {
    if (!deleted) queue.add(objectKey(object));
    const released = old !== undefined && addressesOf(old).some((ip) => deleted || !addressesOf(object).includes(ip));
    if (!released) return;
    for (const service of caches.services.all()) {
      if (isOurs(service) && addressesOf(service).length === 0) queue.add(objectKey(service));
    }
  });
  return controllerComponent(queue, [caches.services]);
}

export function loadBalancerRanges(config: Pick<ClusterProcessConfig, "loadBalancerRange" | "ipv6">): AddressRanges {
  return { IPv4: config.loadBalancerRange, ...(config.ipv6 ? { IPv6: config.ipv6.loadBalancerRange } : {}) };
}

function isOurs({ spec }: Service): boolean {
  return spec?.type === "LoadBalancer" && spec.loadBalancerClass === undefined;
}

function addressesOf(service: Service): string[] {
  return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}

function takenBy(services: Iterable<Service>, except: Service): Set<string> {
  const taken = new Set<string>();
  for (const service of services) {
    if (objectKey(service) !== objectKey(except)) for (const ip of addressesOf(service)) taken.add(ip);
  }
  return taken;
}

/** The address the Service asks for, else the one it has, else the first free one; or a sentence why there is none. */
export function chooseAddress(
  service: Service,
  range: AddressRange,
  taken: ReadonlySet<string>,
): { readonly address: string } | { readonly problem: string } {
  const extent = `${range.first}-${range.last}`;
  const wanted = service.spec?.loadBalancerIP;
  // Of a Service with two families it is for one of them.
  const other = familiesOf(service).length > 1 && wanted?.includes(":") !== range.first.includes(":");
  if (wanted && !other) {
    if (!isInRange(range, wanted)) {
      return { problem: `spec.loadBalancerIP ${wanted} is outside this cluster's range ${extent}; choose one inside` };
    }
    if (taken.has(wanted)) return { problem: `spec.loadBalancerIP ${wanted} belongs to another Service` };
    return { address: wanted };
  }
  const kept = addressesOf(service).find((ip) => isInRange(range, ip) && !taken.has(ip));
  const address = kept ?? firstFree(range, taken);
  if (address !== undefined) return { address };
  return { problem: `every address of ${extent} is in use; delete a Service of type LoadBalancer or widen the range` };
}
