// What we generate, carried by real Envoys: a client, an east-west gateway and a server in namespaces of their own,
// fed over delta ADS. Every refusal has a control that differs in one thing.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createAdsService } from "#ads/ads-service";
import type { ResourceSource } from "#ads/resource-source";
import type { KubeObject } from "#api/kubernetes/object";
import { systemClock } from "#base/clock";
import { contentHash } from "#base/content-hash";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { tlsCertificateSecret, trustedCaSecret } from "#envoy/secret";
import { XDS_TYPES, xdsTypeOf } from "#envoy/types";
import { createGrpcServer } from "#grpc/server";
import { proxyFromNode } from "#model/proxy";
import { createCertificateAuthority } from "#pki/certificate-authority";
import { createCsr } from "#pki/csr";
import { createCa } from "#pki/issue-certificate";
import { generateKeyPair } from "#pki/keys";
import { generate } from "#xds/generate";
import { type ProxyView, proxyView } from "#xds/proxy-view";
import { findEnvoyBinary } from "../../kit/envoy-binary.ts";
import { FakeMesh } from "../../kit/fake-mesh.ts";

const envoy = findEnvoyBinary();
const whyNot = process.getuid?.() === 0 ? envoy === undefined && "no Envoy: run npm run setup" : "needs root";
const prefix = `igx${process.pid % 10_000}`;
const ns = (name: string) => `${prefix}-${name}`;
const run = (command: string) => execFileSync("sh", ["-ec", command], { encoding: "utf8" });
const within = (name: string, command: string) => run(`ip netns exec ${ns(name)} ${command}`);

const HOSTS = {
  client: ["10.244.0.5/16", "172.30.0.5/24"],
  gateway: ["10.244.9.7/16", "172.30.0.102/24"],
  server: ["10.244.0.12/16"],
} as const;

const NODES = {
  client: ["sidecar~10.244.0.5~sleep-1.sample~x", "1", { NAMESPACE: "sample" }, "sample/sa/sleep"],
  gateway: [
    "router~10.244.9.7~gw-1.istio-system~x",
    "2",
    { LABELS: { istio: "eastwestgateway" } },
    "istio-system/sa/gw",
  ],
  server: ["sidecar~10.244.0.12~hello-1.sample~x", "2", { LABELS: { app: "helloworld" } }, "sample/sa/default"],
} as const;

type Host = keyof typeof HOSTS;
const names = Object.keys(HOSTS) as Host[];

interface Dial {
  readonly sni: string;
  readonly alpn?: string;
  readonly with?: { readonly cert: string; readonly key: string };
  /** Default: the gateway. */
  readonly at?: readonly [string, number];
}

interface Session {
  readonly view: ProxyView;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
}

describe.skipIf(whyNot !== false)(`data path${whyNot ? ` (${whyNot})` : ""}`, () => {
  const work = mkdtempSync(join(tmpdir(), "isthmus-xds-"));
  const processes: ChildProcess[] = [];
  const meshes: FakeMesh[] = [];
  const rejected: string[] = [];
  let stopServer = async () => {};
  let foreign: { cert: string; key: string };
  let good: { cert: string; key: string };

  beforeAll(async () => {
    run(
      `ip netns add ${ns("bridge")}; ip -n ${ns("bridge")} link add br0 type bridge; ip -n ${ns("bridge")} link set br0 up`,
    );
    for (const name of names) {
      run(`ip netns add ${ns(name)}; ip -n ${ns(name)} link set lo up
        ip -n ${ns(name)} link add eth0 type veth peer name ${name} netns ${ns("bridge")}
        ip -n ${ns("bridge")} link set ${name} master br0 up; ip -n ${ns(name)} link set eth0 up`);
      for (const address of HOSTS[name]) run(`ip -n ${ns(name)} addr add ${address} dev eth0`);
    }
    run(`ip -n ${ns("client")} route add 10.96.0.0/16 dev eth0`);
    within("client", "iptables -t nat -A OUTPUT -p tcp -d 10.96.0.0/16 -j REDIRECT --to-ports 15001");
    within("server", "iptables -t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 15006");
    await startControlPlane();
    const app = `const answer = (q, r) => r.end(JSON.stringify(q.headers));
      for (const port of [5000, 5050]) require("http").createServer(answer).listen(port, "0.0.0.0");
      require("http2").createServer(answer).listen(5051, "0.0.0.0");`;
    processes.push(spawn("ip", ["netns", "exec", ns("server"), process.execPath, "-e", app], { stdio: "ignore" }));
    for (const name of names) startEnvoy(name);
    const listens = () => within("server", "ss -lnt").includes(":5051 ");
    await until(listens, { reason: "the application listens", timeoutMs: 60_000 });
    for (const name of names) await until(() => ready(name), { reason: `${name} is ready`, timeoutMs: 60_000 });
  });

  afterAll(async () => {
    for (const child of processes) child.kill("SIGKILL");
    for (const mesh of meshes) mesh.stop();
    await stopServer();
    for (const name of [...names, "bridge"]) run(`ip netns del ${ns(name)} || true`);
    rmSync(work, { recursive: true });
  });

  async function startControlPlane(): Promise<void> {
    const objects = parse(readFileSync(join(import.meta.dirname, "input.yaml"), "utf8")) as Record<
      string,
      KubeObject[]
    >;
    const [root, other] = [await createCa({ commonName: "root" }), await createCa({ commonName: "other" })];
    const sign = async (ca: typeof root, account: string) => {
      const authority = createCertificateAuthority({ ...ca, chainPem: "", rootsPem: ca.certificatePem });
      const pair = await generateKeyPair();
      const uri = `spiffe://cluster.local/ns/${account}`;
      const { leafPem } = await authority.sign(await createCsr({ ...pair, uris: [uri] }), uri, 3600);
      return { cert: leafPem, key: pair.privateKeyPem };
    };
    [good, foreign] = [await sign(root, "sample/sa/sleep"), await sign(other, "sample/sa/sleep")];
    const views = new Map<string, Session>();
    for (const name of names) {
      const [id, number, metadata, account] = NODES[name];
      const mesh = new FakeMesh({ own: `cluster${number}`, clusters: objects });
      meshes.push(mesh);
      const place = { CLUSTER_ID: `cluster${number}`, NETWORK: `network${number}` };
      const { cert, key } = await sign(root, account);
      views.set(id, {
        view: proxyView(await mesh.start(), proxyFromNode(id, { ...place, ...metadata })),
        secrets: new Map([
          ["default", tlsCertificateSecret("default", { chain: cert, privateKey: key })],
          ["ROOTCA", trustedCaSecret("ROOTCA", root.certificatePem)],
        ]),
      });
    }
    const source: ResourceSource<Session, undefined> = {
      open(node) {
        const session = views.get(node.id);
        if (session === undefined) throw new Error(`unknown ${node.id}`);
        return { ...session };
      },
      read({ view, secrets }, typeUrl, wanted) {
        if (typeUrl === XDS_TYPES.SDS) {
          return (wanted ?? []).flatMap((name) => {
            const any = secrets.get(name);
            return any === undefined ? [] : [{ name, version: contentHash(any), any }];
          });
        }
        const type = xdsTypeOf(typeUrl);
        return type === undefined ? [] : generate(view, type, wanted === undefined ? undefined : new Set(wanted));
      },
      impact: () => new Map(),
      merge: () => undefined,
      close: () => {},
    };
    const ads = createAdsService({
      source,
      clock: systemClock,
      logger: silentLogger(),
      observe: ({ node }, action) => {
        if (action.kind === "rejected") rejected.push(`${node.id}: ${action.message}`);
      },
    });
    const server = createGrpcServer({ logger: silentLogger(), services: [ads.method] });
    await server.listen({ path: join(work, "xds.sock") });
    chmodSync(join(work, "xds.sock"), 0o666);
    stopServer = async () => {
      await server.close();
    };
  }

  function startEnvoy(name: Host): void {
    const bootstrap = join(work, `${name}.json`);
    const output = openSync(join(work, `${name}.log`), "w");
    const http2 = {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    };
    const pipe = { endpoint: { address: { pipe: { path: join(work, "xds.sock") } } } };
    const xds = {
      name: "xds-grpc",
      type: "STATIC",
      typed_extension_protocol_options: http2,
      load_assignment: { cluster_name: "xds-grpc", endpoints: [{ lb_endpoints: [pipe] }] },
    };
    const ads_config = {
      api_type: "DELTA_GRPC",
      transport_api_version: "V3",
      set_node_on_first_message_only: true,
      grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
    };
    const source = { ads: {}, resource_api_version: "V3" };
    writeFileSync(
      bootstrap,
      JSON.stringify({
        node: { id: NODES[name][0], cluster: "test" },
        admin: { address: { socket_address: { address: "127.0.0.1", port_value: 15000 } } },
        dynamic_resources: { ads_config, cds_config: source, lds_config: source },
        static_resources: { clusters: [xds] },
      }),
    );
    const args = [
      "netns",
      "exec",
      ns(name),
      envoy ?? "",
      "-c",
      bootstrap,
      "--concurrency",
      "1",
      "--use-dynamic-base-id",
    ];
    processes.push(spawn("ip", args, { stdio: ["ignore", output, output] }));
    closeSync(output);
  }

  function ready(name: Host): boolean {
    try {
      return within(name, "curl -fs -m 10 http://127.0.0.1:15000/ready").startsWith("LIVE");
    } catch {
      return false;
    }
  }

  const stat = (name: Host, key: string) =>
    Number(within(name, `curl -fs 'http://127.0.0.1:15000/stats?filter=${key}'`).split(": ")[1] ?? "0");
  const served = () => stat("server", "^cluster.inbound.5000...upstream_rq_total");

  /** A TLS client on the outer segment; the answer's first line, or what went wrong. */
  function dial(options: Dial): string {
    const [host, port] = options.at ?? ["172.30.0.102", 15443];
    const [cert, key] = [join(work, "dial.crt"), join(work, "dial.key")];
    if (options.with !== undefined) {
      writeFileSync(cert, options.with.cert);
      writeFileSync(key, options.with.key);
    }
    const script = `
      const tls = require("tls"), fs = require("fs");
      const mine = ${options.with !== undefined} ? {cert: fs.readFileSync("${cert}"), key: fs.readFileSync("${key}")} : {};
      const s = tls.connect({host: "${host}", port: ${port}, servername: "${options.sni}",
        ALPNProtocols: ["${options.alpn ?? "istio"}"], rejectUnauthorized: false, ...mine},
        () => s.write("GET /hello HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n"));
      let text = "";
      s.on("data", (d) => text += d).on("error", (e) => text ||= "refused " + e.code).on("close", () => console.log(text.split("\\r\\n")[0] || "refused"));`;
    return execFileSync("ip", ["netns", "exec", ns("client"), process.execPath, "-e", script], {
      encoding: "utf8",
    }).trim();
  }

  const SNI = "outbound_.5000_._.helloworld.sample.svc.cluster.local";

  it("is accepted whole by every Envoy", () => {
    expect(rejected).toEqual([]);
  });

  it.each([
    ["HTTP/1", 5050, "--http1.1"],
    ["HTTP/2", 5051, "--http2-prior-knowledge"],
  ])("finds %s on a port without a declared protocol at both ends", (_name, port, flag) => {
    const headers = JSON.parse(within("client", `curl -fs -m 30 ${flag} http://10.96.0.50:${port}/`)) as object;
    expect(headers).toMatchObject({
      "x-envoy-attempt-count": "1",
      "x-forwarded-client-cert": expect.stringContaining("URI=spiffe://cluster.local/ns/sample/sa/sleep"),
    });
  });

  it("carries a plain request of the client through the gateway by mTLS to the server", () => {
    const body = within("client", "curl -fs -m 30 -H 'Host: helloworld.sample:5000' http://10.96.0.50:5000/hello");
    const headers = JSON.parse(body) as Record<string, string>;
    expect(headers["x-forwarded-client-cert"]).toContain("URI=spiffe://cluster.local/ns/sample/sa/sleep");
    expect(stat("gateway", `tcp.${SNI}.downstream_cx_total`)).toBeGreaterThan(0);
  });

  it("answers strangers on the gateway only with a certificate of the mesh and a served name", () => {
    expect(dial({ sni: SNI, with: good })).toBe("HTTP/1.1 200 OK");
    const before = served();
    expect(before).toBeGreaterThan(0);
    expect(dial({ sni: SNI })).toContain("refused");
    expect(dial({ sni: SNI, with: foreign })).toContain("refused");
    expect(dial({ sni: SNI.replace("helloworld", "nobody"), with: good })).toContain("refused");
    expect(dial({ sni: SNI.replace("sample.svc", "hidden.svc"), with: good })).toContain("refused");
    expect(dial({ sni: SNI, alpn: "http/1.1", with: good })).toContain("refused");
    expect(dial({ sni: "outbound|5000||helloworld.sample.svc.cluster.local", with: good })).toContain("refused");
    expect(served(), "no request reached the application").toBe(before);
  });

  it("lets nobody past strict mTLS on the pod itself without a certificate", () => {
    expect(dial({ sni: SNI, with: good, at: ["10.244.0.12", 5000] })).toBe("HTTP/1.1 200 OK");
    expect(dial({ sni: SNI, at: ["10.244.0.12", 5000] })).toContain("refused");
    expect(within("client", "curl -s -m 30 -o /dev/null -w '%{http_code}' http://10.244.0.12:5000/hello || true")).toBe(
      "000",
    );
  });
});
