// ServiceCIDRs: each is told to be ready, and one that is deleted stays while an address of a Service lies in it alone.
import { apiVersionOf, Kinds } from "#api/kinds";
import { type KubeObject, objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { metadataOnly, ObjectCache } from "../objects/object-cache.ts";
import { identityOf, isBeingDeleted, kubeTime, labelsOf } from "../objects/object-meta.ts";
import { prefixContains, prefixesOverlap, prefixHolds } from "./address-prefixes.ts";

export interface ServiceCIDR extends KubeObject {
  spec?: { cidrs?: readonly string[] };
  status?: { conditions?: readonly Condition[] };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

const FINALIZER = "networking.k8s.io/service-cidr-finalizer";
const FIELD_MANAGER = "service-cidr-controller";
/** Only addresses that the API server gave to Services count. */
const MANAGED_BY = { label: "ipaddress.kubernetes.io/managed-by", value: "ipallocator.k8s.io" };
/** The allocators of all API servers have heard of a deletion after so long. */
const GRACE_MS = 10_000;

const READY: Condition = { type: "Ready", status: "True", reason: "", message: "Kubernetes Service CIDR is ready" };
const BLOCKED: Condition = {
  type: "Ready",
  status: "False",
  reason: "Terminating",
  message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
};

export function createServiceCidrController(context: ControllerContext): Component {
  const { client, clock, logger } = context;
  const ranges = new ObjectCache<ServiceCIDR>(Kinds.ServiceCIDR, context);
  const addresses = new ObjectCache<KubeObject>(Kinds.IPAddress, context, metadataOnly);
  const tell = async (range: ServiceCIDR, condition: Condition) => {
    const now = range.status?.conditions?.find(({ type }) => type === condition.type);
    const { status, reason, message } = condition;
    if (now?.status === status && (now.reason ?? "") === reason && now.message === message) return;
    const { name } = identityOf(range);
    const said = { ...condition, lastTransitionTime: kubeTime(clock.now()) };
    const { kind } = Kinds.ServiceCIDR;
    const body = {
      apiVersion: apiVersionOf(Kinds.ServiceCIDR),
      kind,
      metadata: { name },
      status: { conditions: [said] },
    };
    const how = { type: "apply", fieldManager: FIELD_MANAGER, force: true } as const;
    await client.patch(Kinds.ServiceCIDR, { name, subresource: "status" }, body, how);
  };
  const end = async (range: ServiceCIDR) => {
    const held = [...addresses.all()].filter(isAllocated).map((address) => identityOf(address).name);
    if (!mayGo(range, [...ranges.all()], held)) return tell(range, BLOCKED);
    const left = Date.parse(range.metadata?.deletionTimestamp ?? "") + GRACE_MS - clock.now();
    if (left > 0) return queue.addAfter(objectKey(range), left);
    if (!hasFinalizer(range)) return;
    await ranges.patch(range, { metadata: { "$deleteFromPrimitiveList/finalizers": [FINALIZER] } }, STRATEGIC);
  };
  const reconcile = async (key: string) => {
    const range = ranges.getByKey(key);
    if (range === undefined) return;
    if (isBeingDeleted(range)) return end(range);
    if (!hasFinalizer(range)) await ranges.patch(range, { metadata: { finalizers: [FINALIZER] } }, STRATEGIC);
    await tell(range, READY);
  };
  const queue = new WorkQueue({ name: "service-cidr", clock, logger, reconcile });
  ranges.onChange(({ object, old }) => {
    queue.add(objectKey(object));
    if (old !== undefined) return;
    for (const other of ranges.all())
      if (cidrsOf(other).some((cidr) => cidrsOf(object).some((own) => prefixesOverlap(cidr, own))))
        queue.add(objectKey(other));
  });
  addresses.onChange(({ object, old, deleted }) => {
    if ((old !== undefined && !deleted) || !isAllocated(object)) return;
    for (const range of rangesWith(identityOf(object).name, ranges.all())) queue.add(objectKey(range));
  });
  const component = controllerComponent(queue, [ranges, addresses]);
  return {
    ...component,
    async run(signal) {
      ranges.start(signal);
      addresses.start(signal);
      await component.run(signal);
    },
  };
}

const STRATEGIC = { type: "strategic" } as const;

const cidrsOf = ({ spec }: ServiceCIDR) => spec?.cidrs ?? [];
const hasFinalizer = ({ metadata }: KubeObject) => metadata?.finalizers?.includes(FINALIZER) === true;
const isAllocated = (address: KubeObject) => labelsOf(address)[MANAGED_BY.label] === MANAGED_BY.value;

function rangesWith(address: string, ranges: Iterable<ServiceCIDR>): ServiceCIDR[] {
  return [...ranges].filter((range) => cidrsOf(range).some((cidr) => prefixHolds(cidr, address)));
}

/** Whether others hold all of it, or every one of the addresses in it. */
export function mayGo(range: ServiceCIDR, all: readonly ServiceCIDR[], addresses: readonly string[]): boolean {
  const others = all.filter((other) => identityOf(other).name !== identityOf(range).name);
  const isHeld = (cidr: string) => others.some((other) => cidrsOf(other).some((outer) => prefixContains(outer, cidr)));
  if (cidrsOf(range).every(isHeld)) return true;
  return addresses.every(
    (address) => rangesWith(address, [range]).length === 0 || rangesWith(address, others).length > 0,
  );
}
