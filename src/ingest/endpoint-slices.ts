import { LABELS } from "#api/constants/labels";
import { NAMES } from "#api/constants/names";
import type { EndpointSlice, Endpoint as SliceEndpoint } from "#api/kubernetes/gen/types";
import type { Endpoint, Health } from "#model/endpoint";
import { spiffeId } from "#model/identity";
import { localityText } from "#model/proxy";
import { type NetworkContext, networkOfEndpoint } from "./endpoint-network.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { PodFacts } from "./pod-facts.ts";

export interface EndpointContext extends NetworkContext {
  readonly trustDomain: string;
  /** By namespace and name; undefined when the pod is not known (yet). */
  readonly pod: (namespace: string, name: string) => PodFacts | undefined;
  readonly node: (name: string) => NodeFacts | undefined;
}

/** The name of the Service a slice belongs to; undefined for slices that are not ours to read. */
export function serviceOfSlice(slice: EndpointSlice): string | undefined {
  const labels = slice.metadata?.labels ?? {};
  const derived = labels["multicluster.kubernetes.io/service-name"] !== undefined;
  return derived || slice.addressType === "FQDN" ? undefined : labels[LABELS.serviceName];
}

interface Draft {
  readonly source: SliceEndpoint;
  readonly pod: PodFacts | undefined;
  readonly namespace: string;
  readonly addresses: string[];
  readonly ports: Record<string, number>;
}

/**
 * The endpoints of one service in one cluster, sorted by address. An endpoint whose pod is not known is left out: its
 * identity, network and mTLS mode are the pod's, and without them it would be dialled wrongly.
 */
export function endpointsFromSlices(slices: readonly EndpointSlice[], context: EndpointContext): readonly Endpoint[] {
  const drafts = new Map<string, Draft>();
  const sorted = [...slices].sort((a, b) => familyRank(a) - familyRank(b) || (nameOf(a) < nameOf(b) ? -1 : 1));
  for (const slice of sorted) for (const source of slice.endpoints ?? []) addDraft(drafts, slice, source, context);
  return [...drafts.values()]
    .map((draft) => finish(draft, context))
    .sort((a, b) => ((a.addresses[0] ?? "") < (b.addresses[0] ?? "") ? -1 : 1));
}

/** IPv4 first, so that the primary address does not depend on the names of slices. */
function familyRank(slice: EndpointSlice): number {
  return slice.addressType === "IPv6" ? 1 : 0;
}

function nameOf(slice: EndpointSlice): string {
  return slice.metadata?.name ?? "";
}

function addDraft(
  drafts: Map<string, Draft>,
  slice: EndpointSlice,
  source: SliceEndpoint,
  context: EndpointContext,
): void {
  const address = source.addresses[0];
  if (address === undefined || isGone(source)) return;
  const ref = source.targetRef?.kind === "Pod" ? source.targetRef : undefined;
  const namespace = slice.metadata?.namespace ?? "";
  const pod = ref?.name === undefined ? undefined : context.pod(ref.namespace ?? namespace, ref.name);
  if (ref !== undefined && pod === undefined) return;
  const key = pod === undefined ? address : `${pod.namespace}/${pod.name}`;
  const draft = drafts.get(key) ?? { source, pod, namespace, addresses: [], ports: {} };
  if (!draft.addresses.includes(address)) draft.addresses.push(address);
  for (const port of slice.ports ?? []) if (port.port !== undefined) draft.ports[port.name ?? ""] ??= port.port;
  drafts.set(key, draft);
}

/** A terminating pod takes no new requests and will not come back. */
function isGone({ conditions }: SliceEndpoint): boolean {
  return conditions?.terminating === true && conditions.ready !== true;
}

/** An absent condition means ready: that is the API's rule. */
function healthOf({ conditions }: SliceEndpoint): Health {
  return conditions?.ready === false ? "unhealthy" : "healthy";
}

function finish({ source, pod, namespace, addresses, ports }: Draft, context: EndpointContext): Endpoint {
  const podLabels = pod?.labels ?? {};
  const nodeName = pod?.node || (source.nodeName ?? "");
  const network = networkOfEndpoint(addresses[0] ?? "", podLabels, context);
  const locality = localityOf(podLabels[LABELS.locality], context.node(nodeName));
  return {
    addresses,
    ports,
    cluster: context.cluster,
    network,
    locality,
    identity: pod === undefined ? "" : spiffeId(context.trustDomain, pod.namespace, pod.serviceAccount),
    tlsMode: podLabels[LABELS.tlsMode] === TLS_MODE ? "istio" : "disabled",
    health: healthOf(source),
    weight: 1,
    labels: { ...podLabels, ...topologyLabels(context, network, locality, nodeName) },
    node: nodeName,
    namespace: pod?.namespace ?? namespace,
    workload: pod?.workload ?? "",
    pod: pod?.name ?? "",
  };
}

const TLS_MODE = "istio";

/** The pod's own label (dots stand for slashes, which labels may not hold) wins over its node's labels. */
function localityOf(label: string | undefined, node: NodeFacts | undefined): string {
  if (label) return label.includes("/") ? label : label.replaceAll(".", "/");
  return localityText(node ?? {});
}

function topologyLabels(context: NetworkContext, network: string, locality: string, node: string) {
  const [region = "", zone = "", subzone = ""] = locality.split("/");
  const labels: readonly (readonly [string, string])[] = [
    [LABELS.cluster, context.cluster || NAMES.defaultClusterId],
    [LABELS.network, network],
    [LABELS.region, region],
    [LABELS.zone, zone],
    [LABELS.subzone, subzone],
    [LABELS.hostname, node],
  ];
  return Object.fromEntries(labels.filter(([, value]) => value !== ""));
}
