// The kernel keeps a UDP caller at the endpoint that it was brought to for as long as it calls: rules are asked only for
// the first packet. When that endpoint is gone, what the kernel remembers must go too.
import type { EndpointSlice, Service } from "#api/kubernetes/gen/types";
import type { Logger } from "#base/logger";
import { type IpFamily, type ProxyNode, servicePorts } from "./service-ports.ts";

/** Where callers of an address and port are brought to. */
export interface UdpFlow {
  readonly family: IpFamily;
  readonly address: string;
  readonly port: number;
  /** Without its port. */
  readonly endpoint: string;
}

/** All that the rules of UDP Services may bring about. Pure. */
export function udpFlows(services: readonly Service[], slices: readonly EndpointSlice[], on: ProxyNode): UdpFlow[] {
  const spoken = services.filter(({ spec }) => spec?.ports?.some(({ protocol }) => protocol === "UDP"));
  if (spoken.length === 0) return [];
  const { family = "IPv4" } = on;
  return servicePorts(spoken, slices, on).flatMap((facts): UdpFlow[] => {
    if (facts.protocol !== "udp") return [];
    const addresses = [...facts.clusterIPs, ...facts.loadBalancerIPs, ...facts.externalIPs];
    const endpoints = new Set([...facts.endpoints, ...facts.externalEndpoints].map(hostOf));
    return addresses.flatMap((address) =>
      [...endpoints].map((endpoint) => ({ family, address, port: facts.port, endpoint })),
    );
  });
}

const hostOf = (endpoint: string) => endpoint.slice(0, endpoint.lastIndexOf(":")).replace(/^\[|\]$/g, "");
const keyOf = ({ address, port, endpoint }: UdpFlow) => `${address} ${port} ${endpoint}`;

/** The arguments with which conntrack(8) forgets a flow. */
export function forgetArguments({ family, address, port, endpoint }: UdpFlow): string[] {
  const name = family === "IPv6" ? "ipv6" : "ipv4";
  return ["-D", "-f", name, "-p", "udp", "--orig-dst", address, "--dport", String(port), "--dst-nat", endpoint];
}

export interface FlowCleaner {
  /** Forgets what leads to endpoints that were there at the last call and are no more. Never throws. */
  apply(flows: readonly UdpFlow[]): Promise<void>;
}

/** `forget` runs conntrack(8); undefined where the machine has none: then flows end by the kernel's own time. */
export function createFlowCleaner(
  forget: ((args: readonly string[]) => Promise<unknown>) | undefined,
  logger: Logger,
): FlowCleaner {
  let before = new Map<string, UdpFlow>();
  let told = false;
  return {
    async apply(flows) {
      const now = new Map(flows.map((flow) => [keyOf(flow), flow]));
      const gone = [...before].filter(([key]) => !now.has(key)).map(([, flow]) => flow);
      before = now;
      if (gone.length === 0) return;
      if (forget === undefined) {
        if (!told)
          logger.info({ flows: gone.length }, "no conntrack here: UDP callers may stay with ended endpoints a while");
        told = true;
        return;
      }
      // It fails when there was nothing to forget.
      for (const flow of gone) await forget(forgetArguments(flow)).catch(() => undefined);
    },
  };
}
