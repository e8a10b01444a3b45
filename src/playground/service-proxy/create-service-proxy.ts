import { existsSync } from "node:fs";
import { Kinds } from "#api/kinds";
import type { EndpointSlice, Service } from "#api/kubernetes/gen/types";
import { type Clock, systemClock } from "#base/clock";
import { type Component, untilAborted } from "#base/component";
import { type Debouncer, debounceMerge } from "#base/debounce-merge";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";
import type { NodeProcessConfig } from "../process-config.ts";
import { runTool } from "../run-tool.ts";
import { createHealthCheckPorts, healthChecks } from "./health-check-ports.ts";
import { type InstalledRules, installedAfter, parseSave, renderRestore } from "./iptables-rules.ts";
import { createOuterAddresses } from "./outer-addresses.ts";
import { buildServiceRules, CHAIN_PREFIX, type ServiceRulesConfig } from "./render-service-rules.ts";
import { loadBalancerAddresses } from "./service-ports.ts";
import { createFlowCleaner, udpFlows } from "./udp-flows.ts";

const QUIET_MS = 4;
const MAX_MS = 40;
const RETRY_MS = 500;

export interface ServiceProxyOptions {
  readonly client: KubeClient;
  readonly config: Pick<NodeProcessConfig, "address" | "outerInterface" | "serviceCIDR" | "dnsAddress" | "ipv6"> &
    Partial<Pick<NodeProcessConfig, "nodeName">>;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/**
 * Makes ClusterIPs, load balancer addresses, external addresses and node ports work in the network namespace it runs
 * in, where it must be root. When the kernel refuses a rule set, the last good one stays and it tries again.
 */
export function createServiceProxy(options: ServiceProxyOptions): Component {
  const { config, client, logger, clock = systemClock } = options;
  return {
    name: "service-proxy",
    async run(signal) {
      await routeServices(config);
      const applier = createApplier(options);
      const changes = applyChanges({ clock, logger }, () => applier.apply(services.list(), slices.list()));
      const onChange = () => {
        if (services.hasSynced() && slices.hasSynced()) changes.add();
      };
      const services = startInformer<Service>({ client, type: Kinds.Service, logger, signal, onChange });
      const slices = startInformer<EndpointSlice>({ client, type: Kinds.EndpointSlice, logger, signal, onChange });
      await Promise.race([Promise.all([services.synced, slices.synced]), untilAborted(signal)]);
      if (!signal.aborted) changes.add();
      await untilAborted(signal);
      changes.close();
      applier.close();
    },
  };
}

/** Runs `apply` a little after changes, never twice at once, and again after a failure. */
function applyChanges(
  { clock, logger }: { clock: Clock; logger: Logger },
  apply: () => Promise<void>,
): Pick<Debouncer<void>, "add" | "close"> {
  let running = false;
  let again = false;
  let closed = false;
  const run = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await apply();
    } catch (thrown) {
      logger.error({ error: errorMessage(thrown), retryMs: RETRY_MS }, "service rules not applied");
      clock.schedule(RETRY_MS, () => add());
    }
    running = false;
    if (again) add();
    again = false;
  };
  const debounced = debounceMerge<void>({
    clock,
    quietMs: QUIET_MS,
    maxMs: MAX_MS,
    merge: () => {},
    emit: () => void run(),
  });
  const add = () => {
    if (!closed) debounced.add();
  };
  return {
    add,
    close() {
      closed = true;
      debounced.close();
    },
  };
}

/** The node itself finds a way to Services only if a route leads there; the rules rewrite or refuse it before it goes. */
async function routeServices({
  serviceCIDR,
  outerInterface,
  address,
  ipv6,
}: ServiceProxyOptions["config"]): Promise<void> {
  await runTool("ip", ["route", "replace", serviceCIDR, "dev", outerInterface, "src", address]);
  if (ipv6)
    await runTool("ip", ["-6", "route", "replace", ipv6.serviceCIDR, "dev", outerInterface, "src", ipv6.address]);
}

function createApplier({ config, logger, clock = systemClock }: ServiceProxyOptions) {
  const { outerInterface } = config;
  const addresses = createOuterAddresses(outerInterface);
  const ports = createHealthCheckPorts(config.address, logger);
  const { ipv6 } = config;
  const addresses6 = ipv6 && createOuterAddresses(outerInterface, "IPv6");
  const families = [
    createRules("iptables", config),
    ...(ipv6 ? [createRules("ip6tables", { ...config, ...ipv6, dnsAddress: "", family: "IPv6" })] : []),
  ];
  const flows = createFlowCleaner(hasConntrack() ? (args) => runTool("conntrack", args) : undefined, logger);
  return {
    async apply(services: readonly Service[], slices: readonly EndpointSlice[]): Promise<void> {
      const begin = clock.now();
      let rules = 0;
      for (const family of families) rules += await family.apply(services, slices);
      if (rules > 0) logger.debug({ rules, ms: clock.now() - begin }, "service rules applied");
      const looked = (["IPv4", ...(ipv6 ? (["IPv6"] as const) : [])] as const).map((family) =>
        udpFlows(services, slices, { ...config, family }),
      );
      await flows.apply(looked.flat());
      // Rules first: an address that answers ARP must not refuse what it should pass on.
      await addresses.apply(loadBalancerAddresses(services));
      await addresses6?.apply(loadBalancerAddresses(services, "IPv6"));
      ports.apply(healthChecks(services, slices, config));
    },
    close: () => ports.close(),
  };
}

function hasConntrack(): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(`${folder}/conntrack`));
}

/** The rules of one family; `apply` gives how many lines it handed to the kernel. */
function createRules(tool: "iptables" | "ip6tables", config: ServiceRulesConfig) {
  let installed: InstalledRules | undefined;
  let lastText = "";
  return {
    async apply(services: readonly Service[], slices: readonly EndpointSlice[]): Promise<number> {
      const tables = buildServiceRules(services, slices, config);
      installed ??= parseSave(await runTool(`${tool}-save`, []), CHAIN_PREFIX);
      const text = renderRestore(tables, installed);
      if (text === lastText) return 0;
      // Forgotten first: after a failure the truth is read again.
      installed = undefined;
      lastText = "";
      await runTool(`${tool}-restore`, ["-w", "--noflush"], { input: text });
      installed = installedAfter(tables);
      lastText = renderRestore(tables, installed);
      return text.split("\n").length;
    },
  };
}
