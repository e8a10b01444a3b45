// Clusters of services depend on no proxy, so all of them share the same bytes. The cache hangs on the service.
import { toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "#envoy/gen/envoy/config/cluster/v3/cluster_pb";
import { XDS_TYPES } from "#envoy/types";
import { shardsOf } from "#model/endpoint";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import type { Service } from "#model/service";
import { type ClusterSpec, usesEds } from "./cluster-spec.ts";
import { buildServiceCluster } from "./clusters.ts";
import { identityOf } from "./frozen-identity.ts";
import { type GeneratedResource, generatedResource } from "./generated-resource.ts";

const cache = new WeakMap<Service, Map<string, { readonly key: string; readonly resource: GeneratedResource }>>();

export function cachedCluster(snapshot: MeshSnapshot, spec: ClusterSpec): GeneratedResource {
  const byName = cache.get(spec.service) ?? new Map<string, { key: string; resource: GeneratedResource }>();
  cache.set(spec.service, byName);
  const key = clusterKey(snapshot, spec);
  const known = byName.get(spec.name);
  if (known?.key === key) return known.resource;
  const resource = generatedResource(
    spec.name,
    XDS_TYPES.CDS,
    toBinary(ClusterSchema, buildServiceCluster(snapshot, spec)),
  );
  byName.set(spec.name, { key, resource });
  return resource;
}

/** All that buildServiceCluster reads beside the service: mesh, rule, identities, and for headless services mTLS modes. */
function clusterKey(snapshot: MeshSnapshot, spec: ClusterSpec): string {
  const parts: readonly (object | undefined)[] = [
    snapshot.mesh.config,
    spec.rule,
    spec.subset,
    spec.form === "passthrough" ? undefined : shardsOf(snapshot.endpoints, spec.service.key),
    usesEds(spec) ? undefined : snapshot.policies.PeerAuthentication,
  ];
  return parts.map((part) => (part === undefined ? "" : identityOf(part))).join(" ");
}
