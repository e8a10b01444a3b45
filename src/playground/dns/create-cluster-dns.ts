import type { Component } from "#base/component";
import type { Logger } from "#base/logger";
import type { KubeClient } from "#kube/kube-client";
import type { NodeProcessConfig } from "../process-config.ts";
import { runTool } from "../run-tool.ts";
import { serveClusterDns } from "./serve-cluster-dns.ts";

const PORT = 53;

export interface ClusterDnsOptions {
  readonly client: KubeClient;
  readonly config: Pick<NodeProcessConfig, "dnsAddress" | "clusterDomain">;
  readonly logger: Logger;
}

/**
 * The DNS server of a cluster, on UDP and TCP port 53 of `dnsAddress`, which it puts on the loopback interface of the
 * network namespace it runs in (root there).
 */
export function createClusterDns({ client, config, logger }: ClusterDnsOptions): Component {
  return {
    name: "cluster-dns",
    async run(signal) {
      const { dnsAddress: address, clusterDomain } = config;
      await runTool("ip", ["address", "replace", `${address}/32`, "dev", "lo"]);
      await serveClusterDns({ client, address, port: PORT, clusterDomain, logger }, signal);
    },
  };
}
