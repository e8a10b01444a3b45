import { expect, test } from "vitest";
import type { Container, Pod } from "#api/kubernetes/gen/types";
import { containerEnvironment, expandVariables, type ObjectLookups } from "./environment.ts";
import { serviceEnvironment } from "./service-environment.ts";

const pod: Pod = {
  metadata: { name: "p", namespace: "ns", labels: { app: "x" }, annotations: { "a/b": "c" } },
  spec: { containers: [] },
};
const facts = {
  pod,
  podIPs: ["10.0.0.1"],
  hostIPs: ["10.0.0.2"],
  podIP: "10.0.0.1",
  hostIP: "172.30.0.11",
  nodeName: "n",
  allocatable: { cpu: "2", memory: "1Gi" },
};
const none: ObjectLookups = { configMap: () => undefined, secret: () => undefined };

function environment(container: Partial<Container>, lookups = none) {
  const full: Container = { name: "c", ...container };
  return containerEnvironment({
    container: full,
    facts,
    lookups,
    imageEnv: { PATH: "/bin" },
    serviceEnv: { S: "svc" },
  });
}

test("expands what came before, keeps what is unknown, and lets $$ escape", () => {
  const { variables, expand } = environment({
    env: [
      { name: "A", value: "$(S)-$(LATER)-$(PATH)" },
      { name: "LATER", value: "1" },
      { name: "B", value: "$$(A) $(A) $(LATER)" },
    ],
  });
  expect(variables).toEqual({
    PATH: "/bin",
    S: "svc",
    A: "svc-$(LATER)-$(PATH)",
    LATER: "1",
    B: "$(A) svc-$(LATER)-$(PATH) 1",
  });
  expect(expand("x$(LATER)")).toBe("x1");
  expect(expandVariables("$(", {})).toBe("$(");
});

test("reads fields, resources with divisors, and node capacity for limits that are not set", () => {
  const { variables } = environment({
    resources: { limits: { cpu: "1500m" } },
    env: [
      { name: "APP", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: "NOTE", valueFrom: { fieldRef: { fieldPath: "metadata.annotations['a/b']" } } },
      { name: "SA", valueFrom: { fieldRef: { fieldPath: "spec.serviceAccountName" } } },
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "0" } } },
      { name: "MILLI", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } },
      { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
    ],
  });
  expect(variables).toMatchObject({ APP: "x", NOTE: "c", SA: "default", CPU: "2", MILLI: "1500", MEMORY: "1024" });
});

test("a missing key keeps the container waiting unless it is optional", () => {
  const lookups: ObjectLookups = {
    configMap: (name) => (name === "cm" ? { data: { k: "v" } } : undefined),
    secret: () => ({ data: { s: Buffer.from("hidden").toString("base64") } }),
  };
  const key = (key: string, optional?: boolean) => ({
    name: "V",
    valueFrom: { configMapKeyRef: { name: "cm", key, ...(optional === undefined ? {} : { optional }) } },
  });
  expect(environment({ env: [key("k")] }, lookups).variables.V).toBe("v");
  expect(environment({ env: [key("gone", true)] }, lookups).variables).not.toHaveProperty("V");
  expect(() => environment({ env: [key("gone")] }, lookups)).toThrow(/couldn't find key gone in ConfigMap \w+\/cm/);
  const from = environment(
    { envFrom: [{ prefix: "P_", secretRef: { name: "any" } }, { configMapRef: { name: "cm" } }] },
    lookups,
  );
  expect(from.variables).toMatchObject({ P_s: "hidden", k: "v" });
});

test("services of other namespaces and without an address give no variables", () => {
  const service = (name: string, namespace: string, clusterIP: string) => ({
    metadata: { name, namespace },
    spec: { clusterIP, ports: [{ name: "http", port: 80 }] },
  });
  const services = [
    service("kubernetes", "default", "10.96.0.1"),
    service("web-app", "ns", "10.96.0.2"),
    service("b", "other", "10.96.0.3"),
    service("h", "ns", "None"),
  ];
  expect(Object.keys(serviceEnvironment(services, "ns", false)).every((name) => name.startsWith("KUBERNETES_"))).toBe(
    true,
  );
  const linked = serviceEnvironment(services, "ns", true);
  expect(linked).toMatchObject({
    WEB_APP_SERVICE_HOST: "10.96.0.2",
    WEB_APP_SERVICE_PORT_HTTP: "80",
    WEB_APP_PORT_80_TCP_ADDR: "10.96.0.2",
  });
  expect(Object.keys(linked).some((name) => /^[BH]_/.test(name))).toBe(false);
});
