import { Kinds } from "#api/kinds";
import type { Service } from "#api/kubernetes/gen/types";
import { systemClock } from "#base/clock";
import { type Component, untilAborted } from "#base/component";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";
import { createOuterAddresses } from "../service-proxy/outer-addresses.ts";
import { type IpFamily, loadBalancerAddresses } from "../service-proxy/service-ports.ts";

const RETRY_MS = 500;

export interface LoadBalancerAddressOptions {
  readonly client: KubeClient;
  readonly outerInterface: string;
  readonly families: readonly IpFamily[];
  readonly logger: Logger;
}

/**
 * Gives the node's outer interface the load balancer addresses of all Services, so that the segment finds them. What is
 * done with a packet for them is kube-proxy's business.
 */
export function serveLoadBalancerAddresses({
  client,
  outerInterface,
  families,
  logger,
}: LoadBalancerAddressOptions): Component {
  const addresses = families.map((family) => ({ family, on: createOuterAddresses(outerInterface, family) }));
  return {
    name: "load-balancer-addresses",
    async run(signal) {
      let wake = () => {};
      let changed = false;
      const onChange = () => {
        changed = true;
        wake();
      };
      const services = startInformer<Service>({ client, type: Kinds.Service, logger, signal, onChange });
      await Promise.race([services.synced, untilAborted(signal)]);
      while (!signal.aborted) {
        changed = false;
        try {
          for (const { family, on } of addresses) await on.apply(loadBalancerAddresses(services.list(), family));
        } catch (thrown) {
          logger.error({ error: errorMessage(thrown), retryMs: RETRY_MS }, "load balancer addresses not applied");
          await systemClock.sleep(RETRY_MS, signal).catch(() => {});
          continue;
        }
        if (changed) continue;
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), untilAborted(signal)]);
      }
    },
  };
}
