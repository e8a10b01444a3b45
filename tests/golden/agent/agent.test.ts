import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, createRegistry, fromJson, toJson } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { buildBootstrap } from "#agent/bootstrap";
import { type Family, iptablesRules, renderRestore } from "#agent/iptables/iptables-rules";
import { type IptablesFlags, readIptablesConfig } from "#agent/iptables/options";
import { readAgentConfig } from "#agent/options";
import { BootstrapSchema } from "#envoy/gen/envoy/config/bootstrap/v3/bootstrap_pb";
import { InternalListenerSchema } from "#envoy/gen/envoy/extensions/bootstrap/internal_listener/v3/internal_listener_pb";
import { RouterSchema } from "#envoy/gen/envoy/extensions/filters/http/router/v3/router_pb";
import { HttpConnectionManagerSchema } from "#envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb";
import { HttpProtocolOptionsSchema } from "#envoy/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb";
import type { JsonValue } from "#envoy/struct";
import { expectGolden } from "../../kit/golden.ts";

const here = (name: string) => join(import.meta.dirname, name);

/** A pod as the injector leaves it. */
function sidecar() {
  const folder = mkdtempSync(join(tmpdir(), "podinfo-"));
  writeFileSync(join(folder, "labels"), 'app="sleep"\nistio-locality="region1.zone1"\nquoted="a\\"b"\n');
  writeFileSync(join(folder, "annotations"), 'sidecar.istio.io/statsInclusionPrefixes="http"\n');
  const env = {
    POD_NAME: "sleep-1",
    POD_NAMESPACE: "sample",
    SERVICE_ACCOUNT: "sleep",
    INSTANCE_IP: "10.244.0.7",
    ISTIO_CPU_LIMIT: "1",
    ISTIO_META_CLUSTER_ID: "cluster1",
    ISTIO_META_NETWORK: "network1",
    ISTIO_META_POD_PORTS: '[{"containerPort":80}]',
    ISTIO_METAJSON_EXTRA: '{"ONE":1}',
    PROXY_CONFIG: '{"proxyStatsMatcher":{"inclusionRegexps":["tcp.*"]}}',
  };
  const config = readAgentConfig({ role: "sidecar", domain: "sample.svc.cluster.local" }, env, folder);
  rmSync(folder, { recursive: true });
  return config;
}

test("bootstrap of a sidecar", () => {
  expectGolden(here("bootstrap.json"), `${JSON.stringify(buildBootstrap(sidecar()), undefined, 2)}\n`);
});

test("the bootstrap is one in Envoy's own words", () => {
  const registry = createRegistry(
    HttpConnectionManagerSchema,
    RouterSchema,
    HttpProtocolOptionsSchema,
    InternalListenerSchema,
  );
  const json = JSON.parse(JSON.stringify(buildBootstrap(sidecar())));
  const bootstrap = fromJson(BootstrapSchema, json, { registry });
  expect(bootstrap.node?.id).toBe("sidecar~10.244.0.7~sleep-1.sample~sample.svc.cluster.local");
  expect(toJson(StructSchema, fromJson(StructSchema, (bootstrap.node?.metadata ?? {}) as JsonValue as never))).toMatchObject({
    CLUSTER_ID: "cluster1",
    ONE: 1,
    LABELS: { app: "sleep", quoted: 'a"b' },
  });
  expect(create(BootstrapSchema).$typeName).toBe(bootstrap.$typeName);
});

const cases: Record<string, IptablesFlags & { family?: Family }> = {
  injected: { istioServiceCidr: "*", istioServiceExcludeCidr: "", istioInboundPorts: "*", istioLocalExcludePorts: "15090,15021,15020" },
  "listed-ports": {
    istioServiceCidr: "10.96.0.0/16,fd00::/8",
    istioServiceExcludeCidr: "10.96.0.1/32",
    istioInboundPorts: "80,443",
    istioLocalExcludePorts: "15020",
    istioLocalOutboundPortsExclude: "25",
    istioOutboundPorts: "5432",
  },
  dns: { istioServiceCidr: "*", istioInboundPorts: "*", redirectDns: true },
  tproxy: { istioServiceCidr: "*", istioInboundPorts: "*", istioLocalExcludePorts: "15020", istioInboundInterceptionMode: "TPROXY" },
  ipv6: { istioServiceCidr: "*", istioInboundPorts: "*", dualStack: true, family: "v6" },
};

for (const [name, { family, ...flags }] of Object.entries(cases)) {
  test(`iptables: ${name}`, () => {
    const config = readIptablesConfig(flags, () => "search x\nnameserver 10.96.0.10\nnameserver fd00::10\n");
    expectGolden(here(`iptables-${name}.txt`), renderRestore(iptablesRules(config, family)));
  });
}
