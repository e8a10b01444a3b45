import { Kinds } from "#api/kinds";
import type { EndpointSlice, Service } from "#api/kubernetes/gen/types";
import { type Component, untilAborted } from "#base/component";
import type { Logger } from "#base/logger";
import { startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";
import type { NodeProcessConfig } from "../process-config.ts";
import { runTool } from "../run-tool.ts";
import { answerQuery } from "./answer-query.ts";
import { startDnsServer } from "./dns-server.ts";
import { buildDnsView, type DnsView } from "./dns-view.ts";

const PORT = 53;

export interface ClusterDnsOptions {
  readonly client: KubeClient;
  readonly config: Pick<NodeProcessConfig, "dnsAddress" | "clusterDomain">;
  readonly logger: Logger;
}

/**
 * The DNS server of a cluster, on UDP and TCP port 53 of `dnsAddress`, which it puts on the loopback interface of the
 * network namespace it runs in (root there). It answers once Services and EndpointSlices are known, and never asks
 * another server.
 */
export function createClusterDns(options: ClusterDnsOptions): Component {
  const { client, config, logger } = options;
  return {
    name: "cluster-dns",
    async run(signal) {
      const view = watchView(client, logger, signal);
      await runTool("ip", ["address", "replace", `${config.dnsAddress}/32`, "dev", "lo"]);
      await Promise.race([view.synced, untilAborted(signal)]);
      if (signal.aborted) return;
      let rotation = 0;
      const server = await startDnsServer({
        address: config.dnsAddress,
        port: PORT,
        answer: (query, udp) =>
          answerQuery(query, { view: view.current(), domain: config.clusterDomain, logger, rotation: rotation++ }, udp),
      });
      await untilAborted(signal);
      await server.close();
    },
  };
}

/** The view is built at the first question after a change, so a burst of changes costs one building. */
function watchView(client: KubeClient, logger: Logger, signal: AbortSignal) {
  let built: DnsView | undefined;
  const onChange = () => {
    built = undefined;
  };
  const services = startInformer<Service>({ client, type: Kinds.Service, logger, signal, onChange });
  const slices = startInformer<EndpointSlice>({ client, type: Kinds.EndpointSlice, logger, signal, onChange });
  return {
    synced: Promise.all([services.synced, slices.synced]),
    current(): DnsView {
      built ??= buildDnsView(services.list(), slices.list());
      return built;
    },
  };
}
