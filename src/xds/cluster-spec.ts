// The clusters that lead to services, as names and what they stand for, before anything is built.
import type { DestinationRule, Subset } from "#api/networking/destination-rule/types";
import { buildClusterName, buildSniClusterName, parseClusterName, parseSniClusterName } from "#envoy/names";
import { hostname } from "#model/ids";
import type { Service, ServicePort } from "#model/service";
import { destinationRuleFor } from "./destination-rules.ts";
import type { ProxyView } from "./proxy-view.ts";

export interface ClusterSpec {
  readonly name: string;
  /** `passthrough`: bytes of a gateway, never opened; `outbound`: a client's own connections. */
  readonly form: "outbound" | "passthrough";
  readonly service: Service;
  readonly port: ServicePort;
  readonly subset: Subset | undefined;
  readonly rule: DestinationRule | undefined;
}

/** All of them: services oldest first, ports in order, the whole service before its subsets. */
export function clusterSpecs(view: ProxyView): readonly ClusterSpec[] {
  return view.services.sorted.flatMap((service) => specsOf(view, service));
}

/** The clusters of one service; none when the view does not hold it. */
export function specsOf(view: ProxyView, service: Service): readonly ClusterSpec[] {
  const rule = destinationRuleFor(view.snapshot, view.proxy.namespace, service)?.spec;
  const form = formOf(view);
  return service.ports
    .filter(({ protocol }) => protocol !== "udp")
    .flatMap((port) =>
      [undefined, ...(rule?.subsets ?? [])].map((subset) => {
        const name = clusterName(form, service, port.port, subset?.name ?? "");
        return { name, form, service, port, subset, rule };
      }),
    );
}

/** The one of that name, without building the others. */
export function findSpec(view: ProxyView, name: string): ClusterSpec | undefined {
  const parsed = formOf(view) === "passthrough" ? parseSniClusterName(name) : parseClusterName(name);
  if (parsed === undefined || parsed.direction !== "outbound") return undefined;
  const service = view.services.byHostname.get(hostname(parsed.hostname));
  return service === undefined ? undefined : specsOf(view, service).find((each) => each.name === name);
}

function formOf(view: ProxyView): ClusterSpec["form"] {
  return view.proxy.type === "router" ? "passthrough" : "outbound";
}

function clusterName(form: ClusterSpec["form"], service: Service, port: number, subset: string): string {
  const parts = { direction: "outbound", port, subset, hostname: service.hostname } as const;
  return form === "passthrough" ? buildSniClusterName(parts) : buildClusterName(parts);
}

/** Gateways have no original destination to follow: to them a headless service is a set of endpoints. */
export function usesEds({ service, form }: ClusterSpec): boolean {
  return service.resolution === "client-side" || form === "passthrough";
}
