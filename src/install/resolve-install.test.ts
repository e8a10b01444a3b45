import { describe, expect, test } from "vitest";
import type { IstioOperator, IstioOperatorSpec } from "#api/install/istio-operator/istio-operator";
import { DEFAULT_VALUES } from "./profiles.ts";
import { type InstallInputs, resolveInstall } from "./resolve-install.ts";
import { stringAt, valueAt } from "./tree.ts";

const file = (spec: IstioOperatorSpec, name?: string): IstioOperator => ({
  apiVersion: "install.istio.io/v1alpha1",
  kind: "IstioOperator",
  ...(name === undefined ? {} : { metadata: { name } }),
  spec,
});
const resolve = (files: readonly IstioOperatorSpec[], more: Omit<InstallInputs, "operators"> = {}) =>
  resolveInstall({ operators: files.map((spec) => file(spec)), ...more });
const network = (name: string): IstioOperatorSpec => ({ values: { global: { network: name } } });

describe("profiles", () => {
  test.each([
    ["default", true, true, ["istio-ingressgateway"]],
    ["demo", true, true, ["istio-ingressgateway", "istio-egressgateway"]],
    ["minimal", true, true, []],
    ["empty", false, false, []],
  ])("%s", (profile, base, pilot, gateways) => {
    const install = resolve([{ profile }]);
    expect(install).toMatchObject({ profile, base });
    expect(install.pilot !== undefined).toBe(pilot);
    expect(install.gateways.map((gateway) => gateway.name)).toEqual(gateways);
  });

  test("without one it is default; an unknown one is refused with the known ones", () => {
    expect(resolve([]).profile).toBe("default");
    expect(() => resolve([{ profile: "remote" }])).toThrow('profile "remote" does not exist');
  });

  test("--set profile wins over a file's, and the last file's over the first's", () => {
    expect(resolve([{ profile: "demo" }, { profile: "minimal" }]).profile).toBe("minimal");
    expect(resolve([{ profile: "demo" }, { hub: "x" }]).profile).toBe("demo");
    expect(resolve([{ profile: "demo" }], { set: ["profile=empty"] }).profile).toBe("empty");
  });
});

describe("precedence", () => {
  const networkOf = (...args: Parameters<typeof resolve>) => stringAt(resolve(...args).values, "global.network");
  test("defaults < files in order < --set in order", () => {
    expect(networkOf([])).toBe("");
    expect(networkOf([network("a"), network("b")])).toBe("b");
    expect(networkOf([network("a"), { hub: "h" }])).toBe("a");
    const set = ["values.global.network=c", "spec.values.global.network=d"];
    expect(networkOf([network("a"), network("b")], { set })).toBe("d");
  });

  test("a file lies over its profile, and null takes away what the profile sets", () => {
    expect(resolve([{ profile: "demo" }]).meshConfig).toEqual({ accessLogFile: "/dev/stdout" });
    expect(resolve([{ profile: "demo", meshConfig: { accessLogFile: null } }]).meshConfig).toEqual({});
    expect(resolve([{ profile: "demo" }], { set: ["meshConfig.accessLogFile=null"] }).meshConfig).toEqual({});
    const values = resolve([{ values: { global: { proxy: { resources: null } } } }]).values;
    expect(valueAt(values, "global.proxy.resources")).toBeUndefined();
  });

  test("spec.meshConfig over values.meshConfig, unvalidatedValues over values, spec.hub over values.global.hub", () => {
    const install = resolve([
      {
        hub: "h",
        meshConfig: { a: 1 },
        values: { meshConfig: { a: 2, b: 2 }, global: { hub: "other", network: "n" } },
        unvalidatedValues: { global: { network: "m" } },
      },
    ]);
    expect(install).toMatchObject({ hub: "h", meshConfig: { a: 1, b: 2 } });
    expect(stringAt(install.values, "global.hub")).toBe("h");
    expect(stringAt(install.values, "global.network")).toBe("m");
  });

  test("a hub or tag that no image name can have is refused, one that can have is not", () => {
    const hubs = ["", "registry.example/", "a b", "x@sha256:0", "/x", "http://x"];
    for (const hub of hubs)
      expect(() => resolve([], { set: [`hub=${hub}`] })).toThrow(`hub ${JSON.stringify(hub)} is no`);
    for (const tag of ["", "t@1", "a:b", "-x"]) {
      expect(() => resolve([{ values: { global: { tag } } }])).toThrow(`tag ${JSON.stringify(tag)} is no tag`);
    }
    for (const hub of ["registry.example:5000/team/mesh", "localhost:5000", "isthmus", "gcr.io/a_b/c--d"]) {
      expect(resolve([], { set: [`hub=${hub}`, "tag=1.2.3-rc.1_x"] })).toMatchObject({ hub, tag: "1.2.3-rc.1_x" });
    }
  });

  test("one installation leaves nothing behind for the next", () => {
    const before = structuredClone(DEFAULT_VALUES);
    resolve([{ hub: "h", tag: 7 }], { set: ["values.global.proxy.image=p"] });
    expect(DEFAULT_VALUES).toEqual(before);
  });
});

describe("gateways", () => {
  const gateways = (...args: Parameters<typeof resolve>) => resolve(...args).gateways;
  test("merge by name; one without a name is the usual one", () => {
    const found = gateways([
      { components: { ingressGateways: [{ label: { a: "1" }, k8s: { replicaCount: 2 } }] } },
      {
        components: {
          ingressGateways: [
            { name: "istio-ingressgateway", label: { b: "2" } },
            { name: "x", enabled: true },
          ],
        },
      },
    ]);
    expect(found.map(({ name, label, k8s }) => [name, label, k8s])).toEqual([
      [
        "istio-ingressgateway",
        { app: "istio-ingressgateway", istio: "ingressgateway", a: "1", b: "2" },
        { replicaCount: 2 },
      ],
      ["x", { app: "x", istio: "ingressgateway" }, {}],
    ]);
  });

  test("a flag reaches one by index or by name", () => {
    expect(gateways([], { set: ["components.ingressGateways[0].enabled=false"] })).toEqual([]);
    const set = ["components.egressGateways[name:istio-egressgateway].enabled=true"];
    expect(gateways([], { set }).map((gateway) => gateway.name)).toEqual([
      "istio-ingressgateway",
      "istio-egressgateway",
    ]);
  });

  test("labels are text even when YAML read numbers", () => {
    const label = { "topology.istio.io/network": 1 } as unknown as Record<string, string>;
    expect(gateways([{ components: { ingressGateways: [{ label }] } }])[0]?.label).toMatchObject({
      "topology.istio.io/network": "1",
    });
  });
});

describe("names", () => {
  test("revision: flag over spec over values; none is default", () => {
    expect(resolve([]).revision).toBe("default");
    expect(resolve([{ values: { revision: "v" } }]).revision).toBe("v");
    expect(resolve([{ revision: "s", values: { revision: "v" } }]).revision).toBe("s");
    expect(resolve([{ revision: "s" }], { revision: "f" }).revision).toBe("f");
  });

  test("the namespace is spec.namespace, else global.istioNamespace, and both agree afterwards", () => {
    const install = resolve([{ namespace: "a" }], { set: ["values.global.istioNamespace=b"] });
    expect([install.namespace, stringAt(install.values, "global.istioNamespace")]).toEqual(["a", "a"]);
    expect(resolve([], { set: ["values.global.istioNamespace=b"] }).namespace).toBe("b");
  });

  test("the last file names the installation", () => {
    expect(resolve([{}]).operatorName).toBe("installed-state");
    expect(resolveInstall({ operators: [file({}, "a"), file({}, "b")] }).operatorName).toBe("b");
  });

  test.each(["novalue", "=x"])("--set %s is refused", (flag) => {
    expect(() => resolve([], { set: [flag] })).toThrow("is not of the form path=value");
  });
});
