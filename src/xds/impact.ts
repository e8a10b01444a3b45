// Which resources of one proxy a change may have touched. Too much costs time, too little is a wrong mesh: what is not
// plainly bounded is "all", and a property test holds incremental and full generation together.
import type { XdsType } from "#envoy/types";
import type { MeshChange } from "#model/mesh-change";
import type { PolicyKind } from "#model/policies";
import { type ClusterSpec, specsOf, usesEds } from "./cluster-spec.ts";
import type { ProxyView } from "./proxy-view.ts";
import { needsEndpoints } from "./service-targets.ts";

export type Impact = ReadonlyMap<XdsType, ReadonlySet<string> | "all">;

/** What changes mean for one proxy, seen with the snapshot after them. Unknown means all; nothing means nothing. */
export function impactOf(changes: readonly MeshChange[], view: ProxyView): Impact {
  const impact = new Map<XdsType, Set<string> | "all">();
  for (const change of changes) {
    for (const [type, names] of impactOfOne(change, view)) {
      const before = impact.get(type);
      if (before === "all" || names === "all") impact.set(type, "all");
      else impact.set(type, new Set([...(before ?? []), ...names]));
    }
  }
  return impact;
}

type Touched = readonly (readonly [XdsType, "all" | readonly string[]])[];

const all = (...types: XdsType[]): Touched => types.map((type) => [type, "all"] as const);
const EVERYTHING = all("CDS", "EDS", "LDS", "RDS");
const NOTHING: Touched = [];

function impactOfOne(change: MeshChange, view: ProxyView): Touched {
  if (change.kind === "endpoints") return impactOfEndpoints(change, view);
  if (change.kind === "policy") return impactOfPolicy(change.policy, view);
  // Gateways of networks stand in endpoints only.
  if (change.kind === "networks") return all("EDS");
  // A service may have left the view, and its names with it.
  return EVERYTHING;
}

function impactOfPolicy(policy: PolicyKind, view: ProxyView): Touched {
  const isSidecar = view.proxy.type === "sidecar";
  if (policy === "Gateway") return isSidecar ? NOTHING : EVERYTHING;
  // mTLS modes decide chains, whom to dial how, and the sockets of headless services.
  if (policy === "PeerAuthentication") return isSidecar ? all("CDS", "EDS", "LDS") : all("EDS");
  // Subsets are clusters, and chains of a gateway; TLS modes decide what listeners offer.
  return isSidecar ? all("CDS", "EDS", "LDS") : EVERYTHING;
}

function impactOfEndpoints(change: Extract<MeshChange, { kind: "endpoints" }>, view: ProxyView): Touched {
  const service = view.snapshot.services.get(change.service);
  if (service === undefined) return NOTHING;
  const inbound =
    change.cluster === view.proxy.cluster && needsEndpoints(service, view.proxy) ? all("CDS", "LDS") : NOTHING;
  const isVisible = view.services.byHostname.get(service.hostname) === service;
  const specs = isVisible ? specsOf(view, service) : [];
  const byEds = names(specs.filter(usesEds));
  const byAddress = names(specs.filter((spec) => !usesEds(spec)));
  const touched: (readonly [XdsType, "all" | readonly string[]])[] = [...inbound];
  if (byEds.length > 0) touched.push(["EDS", byEds]);
  // Identities stand in the clusters of clients; a gateway opens nothing and checks none.
  if (byEds.length > 0 && change.identitiesChanged && view.proxy.type === "sidecar") touched.push(["CDS", byEds]);
  // A headless service has its endpoints in its listeners, and their mTLS modes in its clusters.
  if (byAddress.length > 0) touched.push(["CDS", byAddress], ["LDS", "all"]);
  return touched;
}

function names(specs: readonly ClusterSpec[]): readonly string[] {
  return specs.map(({ name }) => name);
}
