// Endpoints are the bulk of what travels, so each is encoded once for all clients and spliced into every assignment that
// holds it: in protobuf a message is the sequence of its fields, and the weight, which depends on the client, is the last.
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { LABELS, TLS_MODE_ISTIO } from "#api/constants/labels";
import { HealthStatus } from "#envoy/gen/envoy/config/core/v3/health_check_pb";
import { LbEndpointSchema } from "#envoy/gen/envoy/config/endpoint/v3/endpoint_components_pb";
import type { Endpoint, Health } from "#model/endpoint";
import type { NetworkGateway } from "#model/network";

export interface LocalityGroup {
  /** `region/zone/subzone`. */
  readonly locality: string;
  /** Serialized LbEndpoints. */
  readonly endpoints: Uint8Array[];
  weight: number;
}

/** How a client dials an endpoint. */
export interface DirectPlacement {
  readonly address: string;
  readonly port: number;
  readonly mtls: boolean;
}

/** Field numbers of ClusterLoadAssignment, LocalityLbEndpoints, Locality and LbEndpoint (envoy.config.endpoint.v3). */
const ASSIGNMENT = { clusterName: 1, endpoints: 2 } as const;
const GROUP = { locality: 1, endpoints: 2, weight: 3 } as const;
const LOCALITY = { region: 1, zone: 2, subZone: 3 } as const;
const LB_ENDPOINT = { weight: 4 } as const;
const UINT32_VALUE = { value: 1 } as const;

const HEALTH: Readonly<Record<Health, HealthStatus>> = {
  healthy: HealthStatus.HEALTHY,
  unhealthy: HealthStatus.UNHEALTHY,
  draining: HealthStatus.DRAINING,
};

const encoded = new WeakMap<Endpoint, Map<string, Uint8Array>>();

/** The serialized LbEndpoint, weight included. */
export function weightedEndpoint(endpoint: Endpoint, placement: DirectPlacement, weight: number): Uint8Array {
  const forms = encoded.get(endpoint) ?? new Map<string, Uint8Array>();
  encoded.set(endpoint, forms);
  const key = `${placement.address} ${placement.port} ${placement.mtls}`;
  const bytes = forms.get(key) ?? encodeEndpoint(endpoint, placement);
  forms.set(key, bytes);
  return withWeight(bytes, weight);
}

/**
 * One LbEndpoint that stands for pods of another network. Gateways are always healthy: Envoy finds out otherwise.
 * The epoch stands in the host name, which nothing else reads: an endpoint with another one takes the place of the old
 * endpoint of the same address, whose connections end as soon as they are idle (Envoy's update of dynamic hosts).
 */
export function encodeGatewayEndpoint(gateway: NetworkGateway, weight: number): Uint8Array {
  const bytes = lbEndpoint(gateway, HealthStatus.HEALTHY, true, `;;;;${gateway.cluster}`);
  return withWeight(bytes, weight);
}

/** The serialized ClusterLoadAssignment. */
export function encodeAssignment(clusterName: string, groups: readonly LocalityGroup[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(ASSIGNMENT.clusterName, WireType.LengthDelimited).string(clusterName);
  for (const group of groups) {
    writer.tag(ASSIGNMENT.endpoints, WireType.LengthDelimited).fork();
    writer.tag(GROUP.locality, WireType.LengthDelimited).fork();
    writeLocality(writer, group.locality);
    writer.join();
    for (const endpoint of group.endpoints) writer.tag(GROUP.endpoints, WireType.LengthDelimited).bytes(endpoint);
    writeWeight(writer, GROUP.weight, Math.min(group.weight, 0xffff_ffff));
    writer.join();
  }
  return writer.finish();
}

function encodeEndpoint(endpoint: Endpoint, { address, port, mtls }: DirectPlacement): Uint8Array {
  const { labels, workload, namespace, cluster } = endpoint;
  const canonical = [labels[LABELS.canonicalName] ?? workload, labels[LABELS.canonicalRevision] ?? "latest"];
  const identity = [workload, namespace, ...canonical, cluster].join(";");
  return lbEndpoint({ address, port }, HEALTH[endpoint.health], mtls, identity);
}

function lbEndpoint(
  at: { readonly address: string; readonly port: number; readonly epoch?: string },
  healthStatus: HealthStatus,
  mtls: boolean,
  workload: string,
): Uint8Array {
  const socketAddress = {
    case: "socketAddress",
    value: { address: at.address, portSpecifier: { case: "portValue", value: at.port } },
  } as const;
  return toBinary(
    LbEndpointSchema,
    create(LbEndpointSchema, {
      hostIdentifier: {
        case: "endpoint",
        value: {
          address: { address: socketAddress },
          hostname: at.epoch === undefined ? "" : `epoch-${at.epoch}`,
        },
      },
      healthStatus,
      metadata: {
        filterMetadata: {
          ...(mtls ? { "envoy.transport_socket_match": { tlsMode: TLS_MODE_ISTIO } } : {}),
          istio: { workload },
        },
      },
    }),
  );
}

function withWeight(endpoint: Uint8Array, weight: number): Uint8Array {
  const writer = new BinaryWriter();
  writeWeight(writer, LB_ENDPOINT.weight, weight);
  const tail = writer.finish();
  const joined = new Uint8Array(endpoint.length + tail.length);
  joined.set(endpoint);
  joined.set(tail, endpoint.length);
  return joined;
}

function writeWeight(writer: BinaryWriter, field: number, weight: number): void {
  writer.tag(field, WireType.LengthDelimited).fork().tag(UINT32_VALUE.value, WireType.Varint).uint32(weight).join();
}

function writeLocality(writer: BinaryWriter, locality: string): void {
  const [region = "", zone = "", subZone = ""] = locality.split("/");
  const fields = [
    [LOCALITY.region, region],
    [LOCALITY.zone, zone],
    [LOCALITY.subZone, subZone],
  ] as const;
  for (const [field, value] of fields) if (value !== "") writer.tag(field, WireType.LengthDelimited).string(value);
}
