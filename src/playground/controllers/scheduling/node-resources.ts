// What a node has left for a pod: resources that are counted, the number of pods, ports of the node itself. Pure.
import type { Node, Pod } from "#api/kubernetes/gen/types";
import { podResourcesWithOverhead } from "../../api-server/amounts/pod-resources.ts";
import { addResources, NOTHING, type ResourceList, readResources } from "../../api-server/amounts/resource-list.ts";
import type { JsonObject } from "../../api-server/contract.ts";
import { isFinished } from "../workloads/pod-state.ts";

interface Shortage {
  /** Each worded to follow "1 ". */
  readonly reasons: readonly string[];
  /** The node could take the pod if others left it. */
  readonly byOthers: boolean;
}

const NANO = 1_000_000_000n;

/** undefined: there is enough. A node that has not told yet what it offers is not asked. */
export function shortageOn(node: Node, pod: Pod, podsThere: readonly Pod[]): Shortage | undefined {
  const others = podsThere.filter((one) => !isFinished(one));
  return takenPorts(pod, others) ?? lackingResources(node, pod, others);
}

function lackingResources({ status }: Node, pod: Pod, others: readonly Pod[]): Shortage | undefined {
  if (status?.allocatable === undefined) return undefined;
  const offered = readResources({ ...status.allocatable });
  const used = others.map(requestsOf).reduce<ResourceList>(addResources, new Map());
  const amount = (list: ResourceList, name: string) => (list.get(name) ?? NOTHING).value;
  const wanted = [...requestsOf(pod)].filter(([name, { value }]) => value > 0n && name !== "pods");
  const tooMany = (BigInt(others.length) + 1n) * NANO > amount(offered, "pods");
  const lacking = wanted.filter(([name, { value }]) => value + amount(used, name) > amount(offered, name));
  if (!tooMany && lacking.length === 0) return undefined;
  const names = lacking.map(([name]) => name).sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return {
    reasons: [...(tooMany ? ["Too many pods"] : []), ...names.map((name) => `Insufficient ${name}`)],
    byOthers: lacking.every(([name, { value }]) => value <= amount(offered, name)),
  };
}

const FIRST = ["cpu", "memory", "ephemeral-storage"];
const rank = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);

/** Objects of the cache are replaced, never changed. */
const known = new WeakMap<Pod, ResourceList>();

function requestsOf(pod: Pod): ResourceList {
  const before = known.get(pod);
  if (before !== undefined) return before;
  const requests = podResourcesWithOverhead(pod.spec as unknown as JsonObject, "requests");
  known.set(pod, requests);
  return requests;
}

function takenPorts(pod: Pod, others: readonly Pod[]): Shortage | undefined {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return undefined;
  const taken = others.flatMap(hostPorts);
  if (!wanted.some((one) => taken.some((other) => collide(one, other)))) return undefined;
  return { reasons: ["node(s) didn't have free ports for the requested pod ports"], byOthers: true };
}

interface HostPort {
  readonly port: number;
  readonly protocol: string;
  readonly address: string;
}

const EVERY_ADDRESS = "0.0.0.0";

function hostPorts({ spec }: Pod): HostPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = "TCP", hostIP }) =>
      hostPort ? [{ port: hostPort, protocol, address: hostIP || EVERY_ADDRESS }] : [],
    ),
  );
}

function collide(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.address === b.address || a.address === EVERY_ADDRESS || b.address === EVERY_ADDRESS;
}
