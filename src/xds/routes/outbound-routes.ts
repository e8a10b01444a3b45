import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { packAny } from "#envoy/any";
import { RetryPolicySchema, type VirtualHostSchema } from "#envoy/gen/envoy/config/route/v3/route_components_pb";
import { type RouteConfiguration, RouteConfigurationSchema } from "#envoy/gen/envoy/config/route/v3/route_pb";
import { PreviousHostsPredicateSchema } from "#envoy/gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb";
import { buildClusterName, FIXED_NAMES } from "#envoy/names";
import { hostname } from "#model/ids";
import { isHttp } from "#model/protocol";
import { type Service, type ServicePort, serviceVips } from "#model/service";
import { duration } from "../config-source.ts";
import { sniffedRouteName } from "../listeners/outbound-slots.ts";
import type { ProxyView } from "../proxy-view.ts";

type VirtualHost = MessageInitShape<typeof VirtualHostSchema>;

/** Names of all route configurations that the listeners of this proxy ask for. */
export function routeNames(view: ProxyView): readonly string[] {
  if (view.proxy.type === "router") return [];
  const names = new Set<string>();
  for (const service of view.services.sorted) {
    for (const port of service.ports) {
      if (isHttp(port.protocol)) names.add(String(port.port));
      if (port.protocol === "auto") names.add(sniffedRouteName(service, port));
    }
  }
  return [...names];
}

/** The route configuration of that name; undefined when nothing of the view asks for it. */
export function buildOutboundRoute(view: ProxyView, name: string): RouteConfiguration | undefined {
  const virtualHosts = name.includes(":") ? sniffedHosts(view, name) : portHosts(view, name);
  if (virtualHosts.length === 0) return undefined;
  return create(RouteConfigurationSchema, {
    name,
    virtualHosts,
    validateClusters: false,
    ignorePortInHostMatching: true,
    maxDirectResponseBodySizeBytes: 1024 * 1024,
  });
}

/** All HTTP services of one port number, then what is for none of them. */
function portHosts(view: ProxyView, name: string): VirtualHost[] {
  const taken = new Set<string>();
  const hosts = view.services.sorted.flatMap((service) =>
    service.ports
      .filter((port) => isHttp(port.protocol) && String(port.port) === name)
      .flatMap((port) => {
        // A domain may stand once in a configuration: the older service keeps it.
        const domains = domainsOf(view, service).filter((domain) => !taken.has(domain));
        for (const domain of domains) taken.add(domain);
        return domains.length === 0 ? [] : [virtualHost(service, port, domains)];
      }),
  );
  return hosts.length === 0 ? [] : [...hosts, unclaimed(view)];
}

/** The listener has told the service already, by address. */
function sniffedHosts(view: ProxyView, name: string): VirtualHost[] {
  const colon = name.lastIndexOf(":");
  const service = view.services.byHostname.get(hostname(name.slice(0, colon)));
  const port = service?.ports.find((each) => String(each.port) === name.slice(colon + 1) && each.protocol === "auto");
  return service === undefined || port === undefined ? [] : [virtualHost(service, port, ["*"])];
}

/** All the names that an application may use for a service: shorter ones reach as far as Kubernetes DNS lets them. */
function domainsOf(view: ProxyView, service: Service): string[] {
  const { hostname: full, name, namespace } = service;
  const { domain } = view.snapshot.mesh;
  const short =
    full === `${name}.${namespace}.svc.${domain}` ? [`${name}.${namespace}`, `${name}.${namespace}.svc`] : [];
  const own = short.length > 0 && view.proxy.namespace === namespace ? [name] : [];
  const headless = service.resolution === "passthrough" ? [`*.${full}`] : [];
  const vips = serviceVips(service, view.proxy.cluster).map((vip) => (vip.includes(":") ? `[${vip}]` : vip));
  return [full, `${full}.`, ...own, ...short, ...headless, ...vips];
}

function virtualHost(service: Service, port: ServicePort, domains: string[]): VirtualHost {
  const cluster = buildClusterName({ direction: "outbound", port: port.port, subset: "", hostname: service.hostname });
  return {
    name: `${service.hostname}:${port.port}`,
    domains,
    includeRequestAttemptCount: true,
    routes: [
      {
        name: "default",
        match: ANY_PATH,
        decorator: { operation: `${service.hostname}:${port.port}/*` },
        action: {
          case: "route",
          value: {
            clusterSpecifier: { case: "cluster", value: cluster },
            timeout: duration(0),
            maxStreamDuration: { maxStreamDuration: duration(0), grpcTimeoutHeaderMax: duration(0) },
            retryPolicy: DEFAULT_RETRIES,
          },
        },
      },
    ],
  };
}

const ANY_PATH = { pathSpecifier: { case: "prefix", value: "/" } } as const;

/** Only failures before the application saw the request, and another host each time. */
const DEFAULT_RETRIES = create(RetryPolicySchema, {
  retryOn: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
  numRetries: 2,
  hostSelectionRetryMaxAttempts: 5n,
  retryHostPredicate: [
    {
      name: "envoy.retry_host_predicates.previous_hosts",
      configType: {
        case: "typedConfig",
        value: packAny(PreviousHostsPredicateSchema, create(PreviousHostsPredicateSchema)),
      },
    },
  ],
});

function unclaimed(view: ProxyView): VirtualHost {
  const allow = view.snapshot.mesh.config.outboundTrafficPolicy === "ALLOW_ANY";
  const passthrough = {
    clusterSpecifier: { case: "cluster", value: FIXED_NAMES.passthrough },
    timeout: duration(0),
  } as const;
  return {
    name: allow ? "allow_any" : "block_all",
    domains: ["*"],
    includeRequestAttemptCount: true,
    routes: [
      {
        name: allow ? "allow_any" : "block_all",
        match: ANY_PATH,
        action: allow ? { case: "route", value: passthrough } : { case: "directResponse", value: { status: 502 } },
      },
    ],
  };
}
