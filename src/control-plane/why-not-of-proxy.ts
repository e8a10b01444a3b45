import type { WhyNot } from "#model/why-not";
import { clusterSpecs, usesEds } from "#xds/cluster-spec";
import { endpointInput } from "#xds/endpoint-input";
import { explainEndpoints } from "#xds/endpoints";
import type { ProxyView } from "#xds/proxy-view";

/** What configuration for a proxy leaves out, with reasons: servers and listeners first, then endpoints by cluster. */
export function whyNotOfProxy(view: ProxyView): readonly WhyNot[] {
  const endpoints = clusterSpecs(view)
    .filter(usesEds)
    .flatMap((spec) =>
      explainEndpoints(endpointInput(view, spec))
        // An endpoint of another subset is where it belongs.
        .filter((why) => why.reason !== "subset-mismatch")
        .map((why) => ({ ...why, subject: `${why.subject}, cluster ${spec.name}` })),
    );
  return [...view.whyNot, ...endpoints];
}
