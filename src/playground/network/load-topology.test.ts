import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MeshError } from "#base/mesh-error";
import { loadTopology, parseTopology } from "./load-topology.ts";

const SAMPLES = join(import.meta.dirname, "../../../samples/playground");

const messageOf = (text: string): string => {
  try {
    parseTopology(text, "my.yaml");
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(MeshError);
    return thrown instanceof Error ? thrown.message : "";
  }
  return "(accepted)";
};

describe("topology", () => {
  it.each(readdirSync(SAMPLES).filter((file) => file !== "images.yaml"))("accepts the sample %s", async (file) => {
    expect((await loadTopology(join(SAMPLES, file))).clusters.length).toBeGreaterThan(1);
  });

  it("fills in what a cluster leaves out", () => {
    expect(parseTopology("clusters: [{name: a, network: n}]", "my.yaml")).toEqual({
      clusters: [
        {
          name: "a",
          network: "n",
          podCIDR: "10.244.0.0/16",
          serviceCIDR: "10.96.0.0/16",
          region: "region1",
          zone: "region1-zone1",
        },
      ],
    });
  });

  it.each([
    ["clusters: [", /^my\.yaml:1:\d+: not YAML/],
    ["[]", /my\.yaml: \(top\): expected a mapping/],
    ["clusters: []", /my\.yaml: clusters: expected a list of 1 to 6/],
    ["clusters: [{name: A_, network: n}]", /clusters\[0\]\.name: "A_": expected lower-case/],
    ["clusters: [{name: a}]", /clusters\[0\]\.network: missing: expected/],
    ["clusters: [{name: a, network: n}, {name: a, network: m}]", /clusters\[1\]\.name: a is used twice/],
    ["clusters: [{name: a, network: n, podCidr: x}]", /clusters\[0\]\.podCidr: unknown field; known are .*podCIDR/],
    ["clusters: [{name: a, network: n, podCIDR: 10.244.0.0}]", /podCIDR: "10\.244\.0\.0": expected an IPv4 range/],
    ["clusters: [{name: a, network: n, podCIDR: 10.0.0.0/30}]", /expected a prefix between \/8 and \/24/],
    [
      "clusters: [{name: a, network: n, serviceCIDR: 10.244.8.0/24}]",
      /serviceCIDR: 10\.244\.8\.0\/24 overlaps podCIDR/,
    ],
    ["outerCIDR: 10.96.3.0/24\nclusters: [{name: a, network: n}]", /serviceCIDR: .* overlaps outerCIDR/],
    [
      "clusters: [{name: a, network: n}, {name: b, network: n}]",
      /clusters\[1\]\.podCIDR: .*a has 10\.244\.0\.0\/16 on the same/,
    ],
  ])("refuses %s", (text, message) => {
    expect(messageOf(text)).toMatch(message);
  });

  it.each([
    ["ipv6: yes please", /clusters\[0\]\.ipv6: "yes please": expected true, or/],
    ["ipv6: {podCidr: x}", /ipv6\.podCidr: unknown field; known are podCIDR, serviceCIDR/],
    ["ipv6: {podCIDR: 10.0.0.0/16}", /ipv6\.podCIDR: "10\.0\.0\.0\/16": expected an IPv6 range such as fd00/],
    ["ipv6: {podCIDR: 'fd00::/48'}", /ipv6\.podCIDR: .*expected a prefix between \/64 and \/112/],
    ["ipv6: {serviceCIDR: 'fd00:10:244::/112'}", /ipv6\.serviceCIDR: .* overlaps podCIDR fd00:10:244::\/64/],
    ["ipv6: {podCIDR: 'fd69:7374::/64'}", /ipv6\.podCIDR: .* overlaps fd69:7374::\/32 of the outer segment/],
    [
      "ipv6: true}, {name: b, network: n, podCIDR: 10.9.0.0/16, ipv6: true",
      /clusters\[1\]\.ipv6\.podCIDR: .*a has fd00:10:244::\/64 on the same/,
    ],
  ])("refuses %s", (text, message) => {
    expect(messageOf(`clusters: [{name: a, network: n, ${text}}]`)).toMatch(message);
  });

  it("gives a cluster with IPv6 the usual ranges, written in the one way", () => {
    const ipv6Of = (text: string) => parseTopology(`clusters: [{name: a, network: n, ipv6: ${text}}]`, "my.yaml");
    expect(ipv6Of("true").clusters[0]?.ipv6).toEqual({ podCIDR: "fd00:10:244::/64", serviceCIDR: "fd00:10:96::/112" });
    expect(ipv6Of("{podCIDR: 'FD00:0:0:1::5/64'}").clusters[0]?.ipv6?.podCIDR).toBe("fd00:0:0:1::/64");
    expect(ipv6Of("false").clusters[0]).not.toHaveProperty("ipv6");
  });

  it("names every violation at once", () => {
    expect(messageOf("clusters: [{name: 1, network: 2}]").split("\n")).toHaveLength(2);
  });

  it("lets clusters of different networks share their ranges", () => {
    expect(messageOf("clusters: [{name: a, network: n}, {name: b, network: m}]")).toBe("(accepted)");
  });
});
