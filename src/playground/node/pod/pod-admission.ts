// Whether this node can take a pod at all, as a kubelet decides before it starts anything: pure.
import type { Pod, Quantity } from "#api/kubernetes/gen/types";
import { parseQuantity } from "../container/quantity.ts";

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

export interface Admitting {
  readonly allocatable: Readonly<Record<string, Quantity>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Those that run here already. */
  readonly others: readonly Pod[];
}

/** Sysctls that belong to the pod alone; a kubelet allows no others unless its operator does. */
const SAFE_SYSCTLS = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
]);

/** Units in which kubelets count: CPU in thousandths. */
export const RESOURCE_SCALES: Readonly<Record<string, number>> = { cpu: 1000, memory: 1 };

/**
 * Undefined when the pod may start. A pod that a scheduler bound was weighed by it already; one that names its node
 * itself is weighed here.
 */
export function whyNotAdmitted(pod: Pod, admitting: Admitting): Refusal | undefined {
  return (
    forbiddenSysctl(pod) ?? (isScheduled(pod) ? undefined : (nodeMismatch(pod, admitting) ?? shortage(pod, admitting)))
  );
}

/** What the containers of a pod need together: mains and sidecars at once, or the greatest init container. */
export function podRequests(pod: Pod, resource: string): number {
  const need = (container: {
    resources?: { requests?: Record<string, Quantity>; limits?: Record<string, Quantity> };
  }) => parseQuantity(container.resources?.requests?.[resource] ?? container.resources?.limits?.[resource] ?? 0);
  let sidecars = 0;
  let greatest = 0;
  for (const init of pod.spec?.initContainers ?? []) {
    if (init.restartPolicy === "Always") sidecars += need(init);
    greatest = Math.max(greatest, sidecars + (init.restartPolicy === "Always" ? 0 : need(init)));
  }
  const mains = (pod.spec?.containers ?? []).reduce((sum, container) => sum + need(container), sidecars);
  return Math.max(mains, greatest) + parseQuantity(pod.spec?.overhead?.[resource] ?? 0);
}

function forbiddenSysctl(pod: Pod): Refusal | undefined {
  const forbidden = (pod.spec?.securityContext?.sysctls ?? []).find(
    ({ name }) => !SAFE_SYSCTLS.has(name.replaceAll("/", ".")),
  );
  return forbidden && { reason: "SysctlForbidden", message: `forbidden sysctl: "${forbidden.name}" not allowlisted` };
}

function isScheduled({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === "PodScheduled" && value === "True") === true;
}

function nodeMismatch(pod: Pod, { labels }: Admitting): Refusal | undefined {
  const wanted = Object.entries(pod.spec?.nodeSelector ?? {});
  if (wanted.every(([name, value]) => labels[name] === value)) return undefined;
  const what = "node(s) didn't match Pod's node affinity/selector";
  return { reason: "NodeAffinity", message: `Predicate NodeAffinity failed: ${what}` };
}

/** What the others leave too little of. */
export function shortage(
  pod: Pod,
  { allocatable, others }: Pick<Admitting, "allocatable" | "others">,
): Refusal | undefined {
  const lack = (resource: string, [requested, used, capacity]: readonly [number, number, number]) => ({
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  });
  const most = parseQuantity(allocatable.pods ?? Number.MAX_SAFE_INTEGER);
  if (others.length + 1 > most) return lack("pods", [1, others.length, most]);
  for (const [resource, scale] of Object.entries(RESOURCE_SCALES)) {
    const units = (amount: number) => Math.ceil(amount * scale);
    const requested = units(podRequests(pod, resource));
    const used = others.reduce((sum, other) => sum + units(podRequests(other, resource)), 0);
    const capacity = units(parseQuantity(allocatable[resource] ?? 0));
    if (requested > 0 && requested + used > capacity) return lack(resource, [requested, used, capacity]);
  }
  return undefined;
}
