// Proxies that see the same share the same encoded bytes. The cache hangs on the shards of the service: when they change,
// it goes with them, and nothing has to be invalidated.
import { XDS_TYPES } from "#envoy/types";
import type { EndpointShards } from "#model/endpoint";
import type { EndpointInput } from "./endpoint-placement.ts";
import { buildEndpoints } from "./endpoints.ts";
import { identityOf } from "./frozen-identity.ts";
import { type GeneratedResource, generatedResource } from "./generated-resource.ts";

const cache = new WeakMap<EndpointShards, Map<string, GeneratedResource>>();

/** More kinds of clients than this for one service mean that old gateways or policies fill the map: start anew. */
const MAX_FORMS = 512;

export function cachedEndpoints(input: EndpointInput): GeneratedResource {
  const forms = cache.get(input.shards) ?? new Map<string, GeneratedResource>();
  cache.set(input.shards, forms);
  const key = inputKey(input);
  const known = forms.get(key);
  if (known !== undefined) return known;
  const built = generatedResource(input.clusterName, XDS_TYPES.EDS, buildEndpoints(input));
  if (forms.size >= MAX_FORMS) forms.clear();
  forms.set(key, built);
  return built;
}

/** Equal keys mean equal assignments, as long as the process lives; frozen parts count by identity. */
export function inputKey(input: EndpointInput): string {
  const { client, mtls } = input;
  return JSON.stringify([
    input.clusterName,
    input.portName,
    identityOf(input.shards),
    input.subset,
    client,
    identityOf(input.gateways),
    mtls.autoMtls,
    mtls.tlsMode,
    identityOf(mtls.peerAuthentications),
    mtls.rootNamespace,
    input.passthrough,
  ]);
}
