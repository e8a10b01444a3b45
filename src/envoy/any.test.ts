import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { anyBytes, packAny, typeUrlOf, unpackAny } from "./any.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "./gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "./gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { XDS_TYPES } from "./types.ts";

const cluster = () =>
  create(ClusterSchema, {
    name: "outbound|5000||helloworld.sample.svc.cluster.local",
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    connectTimeout: { seconds: 10n, nanos: 0 },
  });

test("a packed message comes back, and as its own type only", () => {
  const any = packAny(ClusterSchema, cluster());
  expect(any.typeUrl).toBe(XDS_TYPES.CDS);
  expect(unpackAny(any, ClusterSchema)).toEqual(cluster());
  expect(unpackAny(any, ClusterLoadAssignmentSchema)).toBeUndefined();
});

test("equal messages give equal bytes", () => {
  expect(anyBytes(ClusterSchema, cluster())).toEqual(anyBytes(ClusterSchema, cluster()));
});

test("the type URLs we write down are those of the messages", () => {
  expect(typeUrlOf(ClusterLoadAssignmentSchema)).toBe(XDS_TYPES.EDS);
});
