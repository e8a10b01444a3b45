// What the control plane knows of a connected proxy: all from the node of its first request.
import { MeshError } from "#base/mesh-error";
import { type ClusterId, clusterId, type NetworkId, networkId } from "./ids.ts";

export type ProxyType = "sidecar" | "router";

export interface MeshProxy {
  /** `sidecar~10.244.0.5~sleep-7d.sample~sample.svc.cluster.local`. */
  readonly id: string;
  readonly type: ProxyType;
  /** All addresses of the pod, the primary first. */
  readonly ips: readonly string[];
  readonly cluster: ClusterId;
  readonly network: NetworkId;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Networks whose endpoints it wants to see; empty means all. */
  readonly requestedNetworkView: readonly NetworkId[];
  readonly nodeName: string;
  /** `region/zone/subzone`, "" when unknown. */
  readonly locality: string;
  /** Container ports by name, to resolve named target ports. */
  readonly podPorts: Readonly<Record<string, number>>;
  readonly istioVersion: string;
}

export interface NodeLocality {
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
  readonly subZone?: string | undefined;
}

const TYPES: ReadonlySet<string> = new Set<ProxyType>(["sidecar", "router"]);
const ADDRESS = /^[0-9a-fA-F.:]+$/;

/**
 * Reads node id, metadata (plain JSON) and locality. Throws MeshError INVALID_NODE with a sentence when the id has not
 * exactly four parts, or names an unknown type or no address.
 */
export function proxyFromNode(
  id: string,
  metadata: Readonly<Record<string, unknown>> = {},
  locality: NodeLocality = {},
): MeshProxy {
  const [type = "", ip = "", podAndNamespace = ""] = splitId(id);
  if (!isProxyType(type)) {
    throw invalidNode(id, `its type "${type}" is not one of ${[...TYPES].join(", ")}`);
  }
  const ips = list(text(metadata["INSTANCE_IPS"]) || ip);
  if (ips.length === 0 || !ips.every((address) => ADDRESS.test(address))) {
    throw invalidNode(id, `"${ips.join(",")}" is not a list of IP addresses`);
  }
  const dot = podAndNamespace.lastIndexOf(".");
  return Object.freeze({
    id,
    type,
    ips,
    cluster: clusterId(text(metadata["CLUSTER_ID"])),
    network: networkId(text(metadata["NETWORK"])),
    name: text(metadata["NAME"]) || podAndNamespace.slice(0, Math.max(0, dot)),
    namespace: text(metadata["NAMESPACE"]) || podAndNamespace.slice(dot + 1),
    labels: textRecord(metadata["LABELS"]),
    serviceAccount: text(metadata["SERVICE_ACCOUNT"]) || "default",
    requestedNetworkView: list(text(metadata["REQUESTED_NETWORK_VIEW"])).map(networkId),
    nodeName: text(metadata["NODE_NAME"]),
    locality: localityText(locality),
    podPorts: podPorts(metadata["POD_PORTS"]),
    istioVersion: text(metadata["ISTIO_VERSION"]),
  });
}

/** `region/zone/subzone` without empty tails. */
export function localityText({ region = "", zone = "", subZone = "" }: NodeLocality): string {
  return [region, zone, subZone].join("/").replace(/\/+$/, "");
}

function splitId(id: string): readonly string[] {
  const parts = id.split("~");
  if (parts.length === 4) return parts;
  throw invalidNode(id, `it has ${parts.length} parts instead of four (type~ip~pod.namespace~domain)`);
}

function isProxyType(type: string): type is ProxyType {
  return TYPES.has(type);
}

function invalidNode(id: string, why: string): MeshError {
  return new MeshError("INVALID_NODE", `node id "${id}" is refused: ${why}`, {
    hint: "node ids are made by the agent; check the --nodeId or bootstrap of this Envoy",
  });
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function list(value: string): string[] {
  return value.split(",").flatMap((part) => part.trim() || []);
}

function textRecord(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** POD_PORTS is JSON text: `[{"name": "http", "containerPort": 5000}]`; anything else counts as no ports. */
function podPorts(value: unknown): Readonly<Record<string, number>> {
  let parsed: unknown = value;
  if (typeof value === "string") {
    try {
      parsed = JSON.parse(value);
    } catch {
      return {}; // a proxy with unreadable port names still gets everything that does not need them
    }
  }
  if (!Array.isArray(parsed)) return {};
  return Object.fromEntries(
    parsed.flatMap((port: unknown) => {
      if (typeof port !== "object" || port === null) return [];
      const { name, containerPort } = port as { name?: unknown; containerPort?: unknown };
      return typeof name === "string" && typeof containerPort === "number" ? [[name, containerPort]] : [];
    }),
  );
}
