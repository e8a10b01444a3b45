import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import {
  decodeDeltaRequest,
  decodeDeltaResponse,
  encodeDeltaRequest,
  encodeDeltaResponse,
  typeUrlOfRequest,
  typeUrlOfResponse,
} from "./discovery.ts";
import { SecretSchema } from "./gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from "./gen/envoy/service/discovery/v3/discovery_pb.ts";
import {
  decodeCertificateRequest,
  decodeCertificateResponse,
  encodeCertificateRequest,
  encodeCertificateResponse,
} from "./istio-ca.ts";
import { tlsCertificateSecret, trustedCaSecret } from "./secret.ts";
import { XDS_TYPES } from "./types.ts";

const metadata = { A: null, B: true, C: 1.5, D: "x", E: ["a", { F: false }], G: { H: "", I: [] } };
const node = { id: "n", cluster: "c", metadata, locality: { region: "r", zone: "z", subZone: "s" } };
const request = {
  node,
  typeUrl: XDS_TYPES.EDS,
  subscribe: ["a", "b"],
  unsubscribe: ["c"],
  initialVersions: new Map([["a", "1"]]),
  responseNonce: "7",
  error: { code: 13, message: "no" },
};

test("what we write is what Envoy's own descriptors read", () => {
  const bytes = encodeDeltaRequest(request);
  const seen = fromBinary(DeltaDiscoveryRequestSchema, bytes);
  expect(seen).toMatchObject({
    node: { id: "n", cluster: "c", metadata, locality: { region: "r", zone: "z", subZone: "s" } },
    typeUrl: XDS_TYPES.EDS,
    resourceNamesSubscribe: ["a", "b"],
    resourceNamesUnsubscribe: ["c"],
    initialResourceVersions: { a: "1" },
    responseNonce: "7",
    errorDetail: { code: 13, message: "no" },
  });
  expect(decodeDeltaRequest(toBinary(DeltaDiscoveryRequestSchema, seen))).toEqual(request);
  expect(typeUrlOfRequest(bytes)).toBe(XDS_TYPES.EDS);
});

test("a response carries its resources byte for byte", () => {
  const any = toBinary(AnySchema, create(AnySchema, { typeUrl: XDS_TYPES.CDS, value: new Uint8Array([10, 1, 97]) }));
  const response = {
    typeUrl: XDS_TYPES.CDS,
    nonce: "5",
    systemVersion: "v",
    resources: [{ name: "a", version: "1", any }],
    removed: ["b"],
  };
  const bytes = encodeDeltaResponse(response);
  const seen = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  expect(seen).toMatchObject({ nonce: "5", systemVersionInfo: "v", removedResources: ["b"], typeUrl: XDS_TYPES.CDS });
  expect(seen.resources[0]).toMatchObject({ name: "a", version: "1", resource: { typeUrl: XDS_TYPES.CDS } });
  expect(decodeDeltaResponse(toBinary(DeltaDiscoveryResponseSchema, seen))).toEqual(response);
  expect(typeUrlOfResponse(bytes)).toBe(XDS_TYPES.CDS);
});

test("fields of a later Envoy are skipped", () => {
  const bytes = Buffer.concat([Buffer.from([0x9a, 0x06, 1, 97]), encodeDeltaRequest({ typeUrl: "t" })]);
  expect(decodeDeltaRequest(bytes).typeUrl).toBe("t");
});

test("secrets are Secrets", () => {
  const open = (bytes: Uint8Array) => fromBinary(SecretSchema, fromBinary(AnySchema, bytes).value);
  const inline = (text: string) => ({ specifier: { case: "inlineBytes", value: new TextEncoder().encode(text) } });
  expect(open(tlsCertificateSecret("default", { chain: "C", privateKey: "K" }))).toMatchObject({
    name: "default",
    type: { case: "tlsCertificate", value: { certificateChain: inline("C"), privateKey: inline("K") } },
  });
  expect(open(trustedCaSecret("ROOTCA", "R"))).toMatchObject({
    name: "ROOTCA",
    type: { case: "validationContext", value: { trustedCa: inline("R") } },
  });
});

test("certificate requests and responses come back", () => {
  const wanted = { csr: "CSR", validitySeconds: 86_400, metadata: { CertSigner: "x" } };
  expect(decodeCertificateRequest(encodeCertificateRequest(wanted))).toEqual(wanted);
  expect(decodeCertificateResponse(encodeCertificateResponse(["leaf", "mid", "root"]))).toEqual([
    "leaf",
    "mid",
    "root",
  ]);
});
