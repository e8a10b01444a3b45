import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "#envoy/gen/envoy/config/cluster/v3/cluster_pb";
import { ListenerSchema } from "#envoy/gen/envoy/config/listener/v3/listener_pb";
import { RouteConfigurationSchema } from "#envoy/gen/envoy/config/route/v3/route_pb";
import { XDS_TYPES, type XdsType } from "#envoy/types";
import { cachedCluster } from "./cluster-cache.ts";
import { clusterSpecs, findSpec, usesEds } from "./cluster-spec.ts";
import { buildFixedClusters, buildInboundCluster } from "./clusters.ts";
import { encodeAssignment } from "./encode-endpoints.ts";
import { cachedEndpoints } from "./endpoint-cache.ts";
import { endpointInput } from "./endpoint-input.ts";
import { type GeneratedResource, generatedResource } from "./generated-resource.ts";
import { buildOutboundListeners } from "./listeners/outbound-listeners.ts";
import { buildPassthroughListeners } from "./listeners/passthrough-listeners.ts";
import { buildVirtualInbound, inboundTargets } from "./listeners/virtual-inbound.ts";
import { buildVirtualOutbound } from "./listeners/virtual-outbound.ts";
import type { ProxyView } from "./proxy-view.ts";
import { buildOutboundRoute, routeNames } from "./routes/outbound-routes.ts";

type Names = ReadonlySet<string> | undefined;
type Generator = (view: ProxyView, names: Names) => readonly GeneratedResource[];

/** Secrets are the agent's: the control plane holds no key of a workload. */
const GENERATORS: Readonly<Record<XdsType, Generator>> = {
  CDS: clusters,
  EDS: endpoints,
  LDS: listeners,
  RDS: routes,
  SDS: () => [],
};

/**
 * Resources of one type for one proxy: all of them, or those of the given names. An EDS name that leads to nothing is
 * answered by an empty assignment, so that nobody waits for it; for other types it is left out.
 */
export function generate(view: ProxyView, type: XdsType, names?: ReadonlySet<string>): readonly GeneratedResource[] {
  return GENERATORS[type](view, names);
}

function clusters(view: ProxyView, names: Names): readonly GeneratedResource[] {
  const { snapshot, proxy } = view;
  const specs = names === undefined ? clusterSpecs(view) : [...names].flatMap((name) => findSpec(view, name) ?? []);
  const own =
    proxy.type === "sidecar" ? inboundTargets(view).map((target) => buildInboundCluster(snapshot, target)) : [];
  return [
    ...specs.map((spec) => cachedCluster(snapshot, spec)),
    ...pack(
      ClusterSchema,
      [...own, ...buildFixedClusters(snapshot, proxy.type)].filter(({ name }) => wanted(name, names)),
    ),
  ];
}

function endpoints(view: ProxyView, names: Names): readonly GeneratedResource[] {
  if (names === undefined) {
    return clusterSpecs(view)
      .filter(usesEds)
      .map((spec) => cachedEndpoints(endpointInput(view, spec)));
  }
  return [...names].map((name) => {
    const spec = findSpec(view, name);
    if (spec !== undefined) return cachedEndpoints(endpointInput(view, spec));
    return generatedResource(name, XDS_TYPES.EDS, encodeAssignment(name, []));
  });
}

function listeners(view: ProxyView, names: Names): readonly GeneratedResource[] {
  const built =
    view.proxy.type === "router"
      ? buildPassthroughListeners(view)
      : [buildVirtualOutbound(view.snapshot.mesh.config), ...buildOutboundListeners(view), buildVirtualInbound(view)];
  return pack(
    ListenerSchema,
    built.filter(({ name = "" }) => wanted(name, names)).map((init) => create(ListenerSchema, init)),
  );
}

function routes(view: ProxyView, names: Names): readonly GeneratedResource[] {
  return pack(
    RouteConfigurationSchema,
    [...(names ?? routeNames(view))].flatMap((name) => buildOutboundRoute(view, name) ?? []),
  );
}

function wanted(name: string, names: Names): boolean {
  return names === undefined || names.has(name);
}

function pack<Desc extends DescMessage>(
  schema: Desc,
  messages: readonly (MessageShape<Desc> & { readonly name: string })[],
): readonly GeneratedResource[] {
  const typeUrl = `type.googleapis.com/${schema.typeName}`;
  return messages.map((message) => generatedResource(message.name, typeUrl, toBinary(schema, message)));
}
