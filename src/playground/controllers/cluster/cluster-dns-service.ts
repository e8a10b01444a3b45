// Service kube-dns at its promised address, without a selector: the nodes themselves answer there.
import { Kinds } from "#api/kinds";
import type { Service } from "#api/kubernetes/gen/types";
import type { Component } from "#base/component";
import { addressAt, parseCidr } from "#base/ipv4-range";
import { errorMessage } from "#base/mesh-error";
import { KubeError } from "#kube/kube-client";
import type { ControllerContext } from "../controller.ts";

/** Which address of the service range is the DNS server's, by custom. */
const DNS_ADDRESS = 10;

const port = (name: string, protocol: string) => ({ name, port: 53, protocol, targetPort: 53 });

/** Makes the Service once, and again after a pause as long as the API server refuses. */
export function createClusterDnsService({ client, clock, logger }: ControllerContext, serviceCIDR: string): Component {
  const range = parseCidr(serviceCIDR);
  if (range === undefined) throw new Error(`${serviceCIDR} is no range of addresses`);
  const labels = { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" };
  const service: Service = {
    metadata: { namespace: "kube-system", name: "kube-dns", labels },
    spec: { clusterIP: addressAt(range, DNS_ADDRESS), ports: [port("dns", "UDP"), port("dns-tcp", "TCP")] },
  };
  return {
    name: "controllers/cluster-dns-service",
    async run(signal) {
      while (!signal.aborted) {
        try {
          await client.create(Kinds.Service, service, { signal });
          return;
        } catch (thrown) {
          if (thrown instanceof KubeError && thrown.reason === "AlreadyExists") return;
          logger.warn({ error: errorMessage(thrown) }, "Service kube-dns not made yet");
          await clock.sleep(1000, signal).catch(() => {});
        }
      }
    },
  };
}
