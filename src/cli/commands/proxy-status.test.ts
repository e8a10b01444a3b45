import { describe, expect, test } from "vitest";
import type { SyncStatusEntry } from "#api/debug/debug-pages";
import { stateOf, summaryOf } from "./proxy-status.ts";

const entry = (more: Partial<SyncStatusEntry>): SyncStatusEntry => ({
  cluster_id: "cluster1",
  proxy: "a.b",
  proxy_type: "sidecar",
  istio_version: "1",
  istiod: "istiod",
  cluster_sent: "",
  cluster_acked: "",
  listener_sent: "",
  listener_acked: "",
  route_sent: "",
  route_acked: "",
  endpoint_sent: "",
  endpoint_acked: "",
  ...more,
});
const CDS = ["CDS", "cluster_sent", "cluster_acked"] as const;

describe("the state of a type", () => {
  test.each([
    ["NOT SENT", {}],
    ["SYNCED", { cluster_sent: "1", cluster_acked: "1" }],
    ["STALE", { cluster_sent: "2", cluster_acked: "1" }],
    ["STALE (Never Acknowledged)", { cluster_sent: "1" }],
    ["ERROR", { cluster_sent: "1", cluster_acked: "1", rejected: { CDS: "no" } }],
    ["SYNCED", { cluster_sent: "1", cluster_acked: "1", rejected: { EDS: "no" } }],
  ])("%s %j", (state, more) => {
    expect(stateOf(entry(more), CDS)).toBe(state);
  });
});

describe("the state of a proxy", () => {
  const synced = { cluster_sent: "1", cluster_acked: "1" };
  test.each([
    ["NOT SENT", {}],
    ["SYNCED", synced],
    ["STALE: EDS,RDS", { ...synced, endpoint_sent: "2", endpoint_acked: "1", route_sent: "2", route_acked: "1" }],
    ["ERROR: CDS; STALE (Never Acknowledged): LDS", { ...synced, listener_sent: "1", rejected: { CDS: "no" } }],
  ])("%s", (state, more) => {
    expect(summaryOf(entry(more))).toBe(state);
  });
});
