// An xDS client as small as a test can use: it subscribes, acknowledges, and tells what it holds.
import { fromBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { until } from "#base/until";
import { DELTA_ADS_METHOD, decodeDeltaResponse, encodeDeltaRequest, type XdsNode } from "#envoy/discovery";
import { ClusterLoadAssignmentSchema } from "#envoy/gen/envoy/config/endpoint/v3/endpoint_pb";
import { XDS_TYPES, type XdsType } from "#envoy/types";
import { type ClientTls, createGrpcChannel } from "#grpc/channel";
import { frameMessage } from "#grpc/frames";

export interface AdsClientOptions {
  readonly port: number;
  readonly node: { readonly id: string; readonly metadata: XdsNode["metadata"] };
  /** Absent: plain text. */
  readonly tls?: ClientTls;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface AdsClient {
  /** Names held now. */
  names(type: XdsType): string[];
  bytes(type: XdsType, name: string): Uint8Array | undefined;
  subscribe(type: XdsType, ...names: string[]): void;
  /** Responses taken so far of a type. */
  responses(type: XdsType): number;
  /** `address:port*weight` of a cluster's endpoints, sorted; undefined while it is not held. */
  endpoints(cluster: string): string[] | undefined;
  expectEndpoints(cluster: string, expected: readonly string[]): Promise<void>;
  /** Resolves with the error that ended the stream, undefined for a good end. */
  readonly ended: Promise<unknown>;
  close(): void;
}

export function connectAds(options: AdsClientOptions): AdsClient {
  const { tls, metadata } = options;
  const channel = createGrpcChannel({
    target: `127.0.0.1:${options.port}`,
    ...(tls === undefined ? {} : { tls: () => tls }),
    ...(metadata === undefined ? {} : { metadata: () => metadata }),
  });
  const stream = channel.bidi(DELTA_ADS_METHOD);
  const held = new Map<string, Map<string, Uint8Array>>();
  const counts = new Map<string, number>();
  const node: XdsNode = { ...options.node, cluster: "", locality: undefined };
  let first = true;
  const send = (request: Parameters<typeof encodeDeltaRequest>[0]) => {
    stream.write(frameMessage(encodeDeltaRequest(first ? { ...request, node } : request)));
    first = false;
  };
  const read = async () => {
    for await (const message of stream.messages) {
      const response = decodeDeltaResponse(message);
      const ofType = held.get(response.typeUrl) ?? new Map<string, Uint8Array>();
      held.set(response.typeUrl, ofType);
      for (const { name, any } of response.resources) ofType.set(name, any);
      for (const name of response.removed) ofType.delete(name);
      counts.set(response.typeUrl, (counts.get(response.typeUrl) ?? 0) + 1);
      send({ typeUrl: response.typeUrl, responseNonce: response.nonce });
    }
  };
  const ended = read().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const client: AdsClient = {
    names: (type) => [...(held.get(XDS_TYPES[type])?.keys() ?? [])],
    bytes: (type, name) => held.get(XDS_TYPES[type])?.get(name),
    subscribe: (type, ...names) => send({ typeUrl: XDS_TYPES[type], subscribe: names }),
    responses: (type) => counts.get(XDS_TYPES[type]) ?? 0,
    endpoints(cluster) {
      const bytes = client.bytes("EDS", cluster);
      if (bytes === undefined) return undefined;
      const { endpoints } = fromBinary(ClusterLoadAssignmentSchema, fromBinary(AnySchema, bytes).value);
      const texts = endpoints.flatMap(({ lbEndpoints }) =>
        lbEndpoints.map(({ hostIdentifier, loadBalancingWeight }) => {
          const address = hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address : undefined;
          if (address?.case !== "socketAddress") return "?";
          const { address: host, portSpecifier } = address.value;
          return `${host}:${portSpecifier.value}*${loadBalancingWeight ?? 1}`;
        }),
      );
      return texts.sort();
    },
    async expectEndpoints(cluster, expected) {
      let seen: string[] | undefined;
      await until(
        () => {
          seen = client.endpoints(cluster);
          return seen?.join() === [...expected].sort().join();
        },
        { reason: `endpoints of ${cluster} are ${expected.join(", ")}`, timeoutMs: 8000, intervalMs: 5 },
      ).catch((thrown: unknown) => {
        throw new Error(`${String(thrown)}; they are ${seen?.join(", ") ?? "unknown"}`);
      });
    },
    ended,
    close() {
      stream.cancel();
      channel.close();
    },
  };
  return client;
}
