// A control plane of one page for the agent's tests: a CA, delta ADS over resources told on standard input, and an
// application that echoes. Runs inside the test's network namespace; says one JSON line per event.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { createRegistry, type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { createAdsService } from "#ads/ads-service";
import type { ResourceSource, Touched } from "#ads/resource-source";
import { systemClock } from "#base/clock";
import { contentHash } from "#base/content-hash";
import { silentLogger } from "#base/logger";
import { anyBytes } from "#envoy/any";
import { ClusterSchema } from "#envoy/gen/envoy/config/cluster/v3/cluster_pb";
import { ClusterLoadAssignmentSchema } from "#envoy/gen/envoy/config/endpoint/v3/endpoint_pb";
import { ListenerSchema } from "#envoy/gen/envoy/config/listener/v3/listener_pb";
import { RouterSchema } from "#envoy/gen/envoy/extensions/filters/http/router/v3/router_pb";
import { HttpConnectionManagerSchema } from "#envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb";
import { DownstreamTlsContextSchema } from "#envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb";
import { CREATE_CERTIFICATE_METHOD, decodeCertificateRequest, encodeCertificateResponse } from "#envoy/istio-ca";
import { XDS_TYPES } from "#envoy/types";
import { GrpcError } from "#grpc/grpc-error";
import { createGrpcServer } from "#grpc/server";
import { type CaMaterial, createCertificateAuthority } from "#pki/certificate-authority";

interface Start {
  readonly ca: CaMaterial;
  readonly serving: { readonly cert: string; readonly key: string };
  readonly token: string;
  readonly resources: readonly {
    readonly type: keyof typeof SCHEMAS;
    readonly name: string;
    readonly json: JsonValue;
  }[];
}

const SCHEMAS = { CDS: ClusterSchema, EDS: ClusterLoadAssignmentSchema, LDS: ListenerSchema } satisfies Record<
  string,
  DescMessage
>;
const registry = createRegistry(HttpConnectionManagerSchema, RouterSchema, DownstreamTlsContextSchema);
const store = new Map<string, Map<string, { name: string; version: string; any: Uint8Array }>>();
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);

function set(type: keyof typeof SCHEMAS, name: string, json: JsonValue): void {
  const schema: DescMessage = SCHEMAS[type];
  const any = anyBytes(schema, fromJson(schema, json, { registry }));
  const ofType = store.get(XDS_TYPES[type]) ?? new Map();
  store.set(XDS_TYPES[type], ofType.set(name, { name, version: contentHash(any), any }));
}

const source: ResourceSource<object, string> = {
  open(node, peer) {
    say({ event: "open", node, authorization: peer.metadata["authorization"], clusterid: peer.metadata["clusterid"] });
    return {};
  },
  read(_, typeUrl, names) {
    const ofType = store.get(typeUrl);
    return (names ?? [...(ofType?.keys() ?? [])]).flatMap((name) => ofType?.get(name) ?? []);
  },
  impact: (): ReadonlyMap<string, Touched> => new Map(Object.values(XDS_TYPES).map((typeUrl) => [typeUrl, "all"])),
  merge: (a) => a,
  close: () => say({ event: "close" }),
};

async function start({ ca, serving, token, resources }: Start): Promise<void> {
  const authority = createCertificateAuthority(ca);
  for (const { type, name, json } of resources) set(type, name, json);
  const ads = createAdsService({
    source,
    clock: systemClock,
    logger: silentLogger(),
    observe: (_, action) => {
      if (action.kind === "respond") {
        say({
          event: "sent",
          typeUrl: action.response.typeUrl,
          names: action.response.resources.map(({ name }) => name),
        });
      } else if (action.kind === "rejected") say({ event: "rejected", message: action.message });
    },
  });
  const server = createGrpcServer({
    tls: serving,
    logger: silentLogger(),
    services: [
      ads.method,
      {
        kind: "unary",
        path: CREATE_CERTIFICATE_METHOD,
        async handle(bytes, call) {
          if (call.metadata["authorization"] !== `Bearer ${token}`) throw new GrpcError("unauthenticated", "bad token");
          const { csr, validitySeconds } = decodeCertificateRequest(bytes);
          const identity = "spiffe://cluster.local/ns/sample/sa/sleep";
          const signed = await authority.sign(csr, identity, validitySeconds);
          say({ event: "signed" });
          return encodeCertificateResponse(signed.answer);
        },
      },
    ],
  });
  await server.listen({ port: 15012, host: "127.0.0.1" });
  const app = createServer((request, response) => response.end(`app ${request.url}\n`));
  await new Promise<void>((resolve) => app.listen(8080, "127.0.0.1", resolve));
  say({ event: "ready" });
}

for await (const line of createInterface({ input: process.stdin })) await start(JSON.parse(line) as Start);
