// Configuration as JSON, for people who compare. Loaded only when asked: the descriptors of all these messages cost
// more memory than the rest of the control plane.
import { type DescMessage, fromBinary, toJson } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { errorMessage } from "#base/mesh-error";
import { RESOURCE_SCHEMAS, resourceRegistry } from "#envoy/resource-registry";
import { generate } from "#xds/generate";
import type { GeneratedResource } from "#xds/generated-resource";
import type { ProxyView } from "#xds/proxy-view";

type Dumped = keyof typeof RESOURCE_SCHEMAS;

/** Form of Envoy's own /config_dump: where each type stands and under which key its resources lie. */
const SECTIONS: Readonly<Record<Dumped, { readonly type: string; readonly list: string; readonly item: string }>> = {
  CDS: { type: "ClustersConfigDump", list: "dynamic_active_clusters", item: "cluster" },
  LDS: { type: "ListenersConfigDump", list: "dynamic_listeners", item: "listener" },
  RDS: { type: "RoutesConfigDump", list: "dynamic_route_configs", item: "route_config" },
  EDS: { type: "EndpointsConfigDump", list: "dynamic_endpoint_configs", item: "endpoint_config" },
};

/** What the control plane makes for one proxy, in the form of Envoy's /config_dump. */
export function dumpConfiguration(view: ProxyView): unknown {
  return { configs: (Object.keys(SECTIONS) as Dumped[]).map((type) => section(view, type)) };
}

export function dumpEndpoints(view: ProxyView): unknown {
  return generate(view, "EDS").map((resource) => messageOf("EDS", resource));
}

function section(view: ProxyView, type: Dumped): unknown {
  const { type: name, list, item } = SECTIONS[type];
  const resources = generate(view, type).map((resource) => {
    const entry = { version_info: resource.version, [item]: messageOf(type, resource) };
    return type === "LDS" ? { name: resource.name, active_state: entry } : entry;
  });
  return { "@type": `type.googleapis.com/envoy.admin.v3.${name}`, [list]: resources };
}

/** A message that holds something we do not know is still named, with the reason it cannot be shown. */
function messageOf(type: Dumped, resource: GeneratedResource): unknown {
  const { typeUrl, value } = fromBinary(AnySchema, resource.any);
  try {
    const schema: DescMessage = RESOURCE_SCHEMAS[type];
    const json = toJson(schema, fromBinary(schema, value), { registry: resourceRegistry, useProtoFieldName: true });
    return { "@type": typeUrl, ...(json as object) };
  } catch (thrown) {
    return { "@type": typeUrl, name: resource.name, unreadable: errorMessage(thrown) };
  }
}
