import { describe, expect, test } from "vitest";
import { parseOptions, renderOptions } from "./options.ts";

describe("options", () => {
  test("keep native sidecars off unless they are asked for plainly, and let endpoints leave at once", () => {
    const native = (value?: string) =>
      parseOptions([], value === undefined ? {} : { ENABLE_NATIVE_SIDECARS: value }).nativeSidecars;
    expect([native(), native("auto"), native("true")]).toEqual([false, false, true]);
    const { debounceEndpoints, resolveGatewayHosts } = parseOptions([], {});
    expect([debounceEndpoints, resolveGatewayHosts]).toEqual([false, true]);
  });

  test("take istiod's Deployment as it is", () => {
    const args = [
      "--monitoringAddr=:15014",
      "--log_output_level=default:info",
      "--domain",
      "cluster.local",
      "--keepaliveMaxServerConnectionAge",
      "30m",
    ];
    const options = parseOptions(args, {
      CLUSTER_ID: "cluster1",
      POD_NAMESPACE: "mesh",
      REVISION: "canary",
      PILOT_REMOTE_CLUSTER_TIMEOUT: "1m30s",
    });
    expect(options).toMatchObject({
      clusterId: "cluster1",
      namespace: "mesh",
      revision: "canary",
      remoteTimeoutMs: 90_000,
      maxConnectionAgeMs: 1_800_000,
      monitoringAddr: { port: 15_014 },
      logLevel: "info",
    });
  });

  test.each([
    ["--clusterID", "c2", { CLUSTER_ID: "c1" }, "clusterId", "c2"],
    ["--httpAddr", "127.0.0.1:0", {}, "httpAddr", { host: "127.0.0.1", port: 0 }],
    ["--httpAddr", "[::1]:80", {}, "httpAddr", { host: "::1", port: 80 }],
    ["--log_output_level", "ads:debug,default:warn", {}, "logLevel", "warn"],
    ["--log_output_level", "none", {}, "logLevel", "silent"],
    ["--log_output_level", "", {}, "logLevel", "info"],
  ] as const)("%s %s", (...[flag, value, environment, key, expected]) => {
    expect(parseOptions([flag, value], environment)[key]).toEqual(expected);
  });

  test.each([
    [["--nonsense"], {}, /nonsense/],
    [["--httpAddr", "8080"], {}, /--httpAddr is "8080"; write an address/],
    [[], { PILOT_DEBOUNCE_AFTER: "soon" }, /PILOT_DEBOUNCE_AFTER is "soon"; write a duration/],
    [[], { ISTIO_MULTIROOT_MESH: "yes" }, /ISTIO_MULTIROOT_MESH is "yes"; write true or false/],
  ])("refuses %j %j", (args, environment, message) => {
    expect(() => parseOptions(args, environment)).toThrow(message);
  });

  test("every setting is told with its default", () => {
    expect(renderOptions()).toMatch(/\$PILOT_DEBOUNCE_AFTER {2}\(default 100ms\)/);
  });
});
