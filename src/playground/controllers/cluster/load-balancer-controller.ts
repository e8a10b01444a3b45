import { Kinds } from "#api/kinds";
import type { Service } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { isBeingDeleted } from "../objects/object-meta.ts";
import { firstFree, isInRange } from "./load-balancer-range.ts";

const SOURCE = "service-controller";

export interface AddressRange {
  readonly first: string;
  readonly last: string;
}

/**
 * Gives every Service of type LoadBalancer one address of the range. The status is the only memory: what is written
 * there is kept over restarts. A Service with a loadBalancerClass belongs to another implementation.
 */
export function createLoadBalancerController(context: ControllerContext, range: AddressRange): Component {
  const { caches, clock, logger } = context;

  const reconcile = async (key: string) => {
    const service = caches.services.getByKey(key);
    if (service === undefined || isBeingDeleted(service)) return;
    const before = addressesOf(service);
    if (!isOurs(service)) {
      if (before.length > 0 && service.spec?.type !== "LoadBalancer") await write(service, undefined);
      return;
    }
    const choice = chooseAddress(service, range, takenBy(caches.services.all(), service));
    if ("problem" in choice) {
      const event = { type: "Warning", reason: "SyncLoadBalancerFailed", message: choice.problem } as const;
      context.events.record(SOURCE, { type: Kinds.Service, object: service }, event);
      if (before.length > 0) await write(service, undefined);
      return;
    }
    if (before.length !== 1 || before[0] !== choice.address) await write(service, choice.address);
  };

  const write = async (service: Service, address: string | undefined) => {
    const loadBalancer = { ingress: address === undefined ? null : [{ ip: address, ipMode: "VIP" }] };
    await caches.services.patch(service, { status: { loadBalancer } }, { subresource: "status" });
    logger.info({ service: objectKey(service), address }, "load balancer address");
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
): { address: string } | { problem: string } {
  const extent = `${range.first}-${range.last}`;
  const wanted = service.spec?.loadBalancerIP;
  if (wanted) {
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
