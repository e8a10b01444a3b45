// The script that prints the east-west gateway's IstioOperator: inputs by environment and by flag, what it refuses.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseOperators } from "#api/install/istio-operator/parse-operator";

const SCRIPT = join(import.meta.dirname, "..", "..", "..", "samples", "multicluster", "gen-eastwest-gateway.sh");
const ENVIRONMENT = { MESH: "mesh1", CLUSTER: "cluster1", NETWORK: "network1" };

function run(flags: readonly string[], environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(SCRIPT, flags, {
    env: { PATH: process.env["PATH"], ...environment },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

/** What the script says about cluster, mesh, network, revision. */
function facts(flags: readonly string[], environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = run(flags, environment);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const operators = parseOperators(stdout, "script");
  expect(operators).toHaveLength(1);
  const { spec, metadata } = operators[0]?.operator ?? {};
  expect(metadata?.name).toBe("eastwest");
  const [gateway] = spec?.components?.ingressGateways ?? [];
  const network = gateway?.label?.["topology.istio.io/network"];
  const view = gateway?.k8s?.env?.find((variable) => variable["name"] === "ISTIO_META_REQUESTED_NETWORK_VIEW")?.[
    "value"
  ];
  return { network, view, global: spec?.values?.["global"], revision: spec?.revision };
}

const MULTI = { meshID: "mesh1", network: "network1", multiCluster: { clusterName: "cluster1" } };

describe("gen-eastwest-gateway.sh", () => {
  test.each([
    ["environment", [], ENVIRONMENT],
    ["flags", ["--mesh", "mesh1", "--cluster", "cluster1", "--network", "network1"], {}],
    ["flags with =", ["--mesh=mesh1", "--cluster=cluster1", "--network=network1"], {}],
    ["flags over environment", ["--network", "network1"], { ...ENVIRONMENT, NETWORK: "other" }],
  ])("inputs by %s", (_, flags, environment) => {
    const expected = { network: "network1", view: "network1", global: MULTI, revision: undefined };
    expect(facts(flags, environment)).toEqual(expected);
  });

  test("a network alone is enough, as in newer releases", () => {
    expect(facts(["--network", "n2"])).toMatchObject({ network: "n2", view: "n2", global: { network: "n2" } });
  });

  test("--single-cluster needs nothing and names no network", () => {
    const expected = { network: undefined, view: undefined, global: undefined, revision: undefined };
    expect(facts(["--single-cluster"])).toEqual(expected);
    expect(facts(["--single-cluster"], ENVIRONMENT)).toMatchObject({ network: undefined, view: undefined });
  });

  test("--revision", () => {
    expect(facts(["--revision", "canary"], ENVIRONMENT).revision).toBe("canary");
  });

  test.each([
    ["nothing", [], "Must specify either --single-cluster or --mesh, --cluster, and --network.\n"],
    ["no network", ["--mesh", "m", "--cluster", "c"], "Must specify either --single-cluster"],
    ["an unknown flag", ["--netwrok", "n"], "unknown flag: --netwrok\n"],
    ["a flag without its value", ["--network"], "--network needs a value\n"],
  ])("refuses %s", (_, flags, message) => {
    const { status, stdout, stderr } = run(flags);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr.startsWith(message)).toBe(true);
  });

  test("--help", () => {
    expect(run(["--help"])).toMatchObject({ status: 0, stdout: expect.stringContaining("\nExample:\n") });
  });
});
