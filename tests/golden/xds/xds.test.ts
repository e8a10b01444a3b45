// What proxies get, as files: each case is a mesh of Kubernetes objects seen by one proxy. The same resources are then
// shown to the real Envoy, which refuses what we only believe to be right.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { KubeObject } from "#api/kubernetes/object";
import type { XdsType } from "#envoy/types";
import { proxyFromNode } from "#model/proxy";
import { generate } from "#xds/generate";
import { proxyView } from "#xds/proxy-view";
import { findEnvoyBinary } from "../../kit/envoy-binary.ts";
import { readableResource } from "../../kit/envoy-registry.ts";
import { FakeMesh } from "../../kit/fake-mesh.ts";
import { expectGoldenFolder, goldenCases } from "../../kit/golden-folder.ts";

interface ProxyFile {
  readonly controlPlane: string;
  readonly id: string;
  readonly metadata: Record<string, unknown>;
  readonly locality?: { region?: string; zone?: string };
}

type Resource = ReturnType<typeof readableResource>;
type Resources = Readonly<Record<XdsType, readonly Resource[]>>;

const folder = import.meta.dirname;
const envoy = findEnvoyBinary();

async function resourcesOf(name: string): Promise<Resources> {
  const input = parse(readFileSync(join(folder, name, "input.yaml"), "utf8")) as Record<string, KubeObject[]>;
  const file = parse(readFileSync(join(folder, name, "proxy.yaml"), "utf8")) as ProxyFile;
  const mesh = new FakeMesh({ own: file.controlPlane, clusters: input });
  try {
    const view = proxyView(await mesh.start(), proxyFromNode(file.id, file.metadata, file.locality));
    const of = (type: XdsType) =>
      generate(view, type)
        .map((resource) => readableResource(resource.any))
        .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    return { CDS: of("CDS"), EDS: of("EDS"), LDS: of("LDS"), RDS: of("RDS"), SDS: of("SDS") };
  } finally {
    mesh.stop();
  }
}

function nameOf(resource: Resource): string {
  return String(resource["name"] ?? resource["cluster_name"]);
}

describe.each(goldenCases(folder))("%s", (name) => {
  it("gives the expected resources", async () => {
    const { CDS, EDS, LDS, RDS } = await resourcesOf(name);
    expectGoldenFolder(join(folder, name), { cds: CDS, eds: EDS, lds: LDS, rds: RDS });
  });

  it.skipIf(envoy === undefined)("is accepted by Envoy", async () => {
    const work = mkdtempSync(join(tmpdir(), "isthmus-golden-"));
    try {
      const path = join(work, "bootstrap.json");
      writeFileSync(path, JSON.stringify(bootstrap(await resourcesOf(name))));
      // The access log opens /dev/stdout, which must be a file or a pipe: Node's own pipes are sockets.
      const output = join(work, "output");
      const fd = openSync(output, "w");
      const run = spawnSync(envoy ?? "", ["--mode", "validate", "-c", path], { stdio: ["ignore", fd, fd] });
      closeSync(fd);
      expect(run.status, readFileSync(output, "utf8")).toBe(0);
    } finally {
      rmSync(work, { recursive: true });
    }
  });
});

/** All resources as static ones; endpoints and routes get a cluster and a listener of their own to stand in. */
function bootstrap({ CDS, EDS, LDS, RDS }: Resources) {
  const xds = { name: "xds-grpc", type: "STATIC", connect_timeout: "1s", typed_extension_protocol_options: HTTP2 };
  return {
    node: { id: "test", cluster: "test" },
    dynamic_resources: { ads_config: ADS },
    static_resources: {
      clusters: [xds, ...CDS.map(withoutAds), ...EDS.map((load_assignment, i) => ({ name: `eds-${i}`, type: "STATIC", load_assignment }))],
      listeners: [...LDS, ...RDS.map(routeListener)],
    },
  };
}

const ADS = {
  api_type: "DELTA_GRPC",
  transport_api_version: "V3",
  grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
};

/** Static clusters other than EDS are made before the one stream exists, and Envoy crashes on secrets from it. */
function withoutAds(cluster: Resource): unknown {
  if (cluster["type"] === "EDS") return cluster;
  return JSON.parse(JSON.stringify(cluster).replaceAll('"ads":{}', `"api_config_source":${JSON.stringify(ADS)}`));
}

const TYPE = "type.googleapis.com/envoy.extensions";
const HTTP2 = {
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": `${TYPE}.upstreams.http.v3.HttpProtocolOptions`,
    explicit_http_config: { http2_protocol_options: {} },
  },
};

function routeListener(route_config: Resource, i: number) {
  const hcm = {
    "@type": `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: `rds-${i}`,
    route_config,
    http_filters: [
      { name: "router", typed_config: { "@type": `${TYPE}.filters.http.router.v3.Router` } },
    ],
  };
  return {
    name: `rds-${i}`,
    address: { socket_address: { address: "127.0.0.1", port_value: 40000 + i } },
    filter_chains: [{ filters: [{ name: "hcm", typed_config: hcm }] }],
  };
}
