import { Kinds } from "#api/kinds";
import type { EndpointSlice, Service } from "#api/kubernetes/gen/types";
import { untilAborted } from "#base/component";
import type { Logger } from "#base/logger";
import { startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";
import { answerQuery } from "./answer-query.ts";
import { startDnsServer } from "./dns-server.ts";
import { buildDnsView, type DnsView } from "./dns-view.ts";

export interface ServedDns {
  readonly client: KubeClient;
  /** Where UDP and TCP are listened on. */
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly clusterDomain: string;
  readonly logger: Logger;
  /** Called once, with the port, when queries are answered. */
  readonly onReady?: (port: number) => void;
}

/**
 * Serves a cluster's DNS until the signal aborts. It answers once Services and EndpointSlices are known, and never asks
 * another server. Throws when the address is not there or the port is taken.
 */
export async function serveClusterDns(options: ServedDns, signal: AbortSignal): Promise<void> {
  const { client, address, port, clusterDomain, logger } = options;
  const view = watchView(client, logger, signal);
  await Promise.race([view.synced, untilAborted(signal)]);
  if (signal.aborted) return;
  let rotation = 0;
  const server = await startDnsServer({
    address,
    port,
    answer: (query, udp) =>
      answerQuery(query, { view: view.current(), domain: clusterDomain, logger, rotation: rotation++ }, udp),
  });
  options.onReady?.(server.port);
  await untilAborted(signal);
  await server.close();
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
