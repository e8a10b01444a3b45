import { describe, expect, test } from "vitest";
import { parseOperators } from "./parse-operator.ts";

const HEAD = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n";
const parse = (spec: string) => parseOperators(`${HEAD}spec: ${spec}\n`, "mesh.yaml");

describe("parseOperators", () => {
  test("several documents, empty ones left out, spec optional", () => {
    const found = parseOperators(`---\n${HEAD}---\n# nothing\n---\n${HEAD}metadata: {name: b}\n`, "mesh.yaml");
    expect(found.map(({ operator }) => operator.metadata?.name)).toEqual([undefined, "b"]);
  });

  test.each([
    ["a: [", "mesh.yaml, document 1 is not YAML"],
    [`${HEAD}---\nkind: Gateway\napiVersion: v1\n`, "mesh.yaml, document 2 is v1 Gateway, expected"],
    ["spec: {}\n", "mesh.yaml, document 1 is (no apiVersion) (no kind), expected install.istio.io/v1alpha1"],
    ["text\n", "mesh.yaml, document 1 is not an object"],
  ])("%j", (text, message) => {
    expect(() => parseOperators(text, "mesh.yaml")).toThrow(message);
  });

  test.each([
    ["[]", "spec must be an object"],
    ["{vlaues: {}}", "spec.vlaues is not a known field"],
    ["{values: 3}", "spec.values must be an object"],
    ["{meshConfig: text}", "spec.meshConfig must be an object"],
    ["{components: []}", "spec.components must be an object"],
    ["{components: {pilots: {}}}", "spec.components.pilots is not a known field"],
    ["{components: {pilot: true}}", "spec.components.pilot must be an object"],
    ["{components: {pilot: {enable: true}}}", "spec.components.pilot.enable is not a known field"],
    ['{components: {pilot: {enabled: "yes"}}}', "spec.components.pilot.enabled must be true or false"],
    ["{components: {pilot: {k8s: {replica: 1}}}}", "spec.components.pilot.k8s.replica is not a known field"],
    ["{components: {pilot: {k8s: {env: {A: b}}}}}", "spec.components.pilot.k8s.env must be a list"],
    ["{components: {pilot: {k8s: {resources: []}}}}", "spec.components.pilot.k8s.resources must be an object"],
    ["{components: {ingressGateways: {}}}", "spec.components.ingressGateways must be a list"],
    ["{components: {egressGateways: [x]}}", "spec.components.egressGateways[0] must be an object"],
    ["{components: {ingressGateways: [{}, {name: A_b}]}}", 'spec.components.ingressGateways[1].name "A_b" is not'],
  ])("%s", (spec, message) => {
    expect(() => parse(spec)).toThrow(`mesh.yaml, document 1: ${message}`);
  });

  test("what is understood and left out is told", () => {
    const [found] = parse(
      "{addonComponents: {grafana: {}}, components: {cni: {enabled: true}, ztunnel: {enabled: false}}}",
    );
    expect(found?.warnings).toEqual([
      "mesh.yaml, document 1: spec.addonComponents is ignored: install addons from samples",
      "mesh.yaml, document 1: spec.components.cni is ignored: there is no such component here",
    ]);
  });
});
