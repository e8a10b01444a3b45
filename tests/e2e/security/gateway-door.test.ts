// Who stands on the outer segment can reach an east-west gateway; what then gets through to an application is decided
// by certificate, at the application's own proxy. Every refusal differs from an answered call in one thing only.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { type CertificateAndKey, createCa, issueCertificate } from "#pki/issue-certificate";
import { whyNoPlayground } from "../../kit/playground.ts";
import { bootGuidedMesh, type GuidedMesh, HELLOWORLD, serverName } from "./guided-mesh.ts";
import { type Dial, dialPlain, dialTls, type Outcome } from "./stranger.ts";

const SLEEP = "spiffe://cluster.local/ns/sample/sa/sleep";
const SNI = serverName(HELLOWORLD, 5000);
const MESH_ALPN = ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"];
const ANSWER = { status: 200, body: expect.stringContaining("Hello version: v2, ") };
const SERVER = "sample/helloworld-v2";
const GATEWAY = "istio-system/istio-eastwestgateway";

/** Where a connection ends, by the counter of Envoy that tells of it. */
const ENDS = {
  gateway: { object: GATEWAY, counter: "listener.0.0.0.0_15443.no_filter_chain_match" },
  noCertificate: { object: SERVER, counter: "listener.0.0.0.0_15006.ssl.fail_verify_no_cert" },
  badCertificate: { object: SERVER, counter: "listener.0.0.0.0_15006.ssl.fail_verify_error" },
  badName: { object: SERVER, counter: "listener.0.0.0.0_15006.ssl.fail_verify_san" },
} as const;
type End = keyof typeof ENDS;

describe.skipIf(whyNoPlayground())("the door between networks", () => {
  let mesh: GuidedMesh;
  let good: Dial;
  let ca: CertificateAndKey;
  let foreignCa: CertificateAndKey;

  /** A certificate as a workload has it, with its signer behind it. */
  async function leaf(signer: CertificateAndKey, uri: string, validSeconds = 3600): Promise<CertificateAndKey> {
    const issued = await issueCertificate(signer, { uris: [uri], usages: ["server", "client"], validSeconds });
    return { ...issued, certificatePem: issued.certificatePem + signer.certificatePem };
  }

  beforeAll(async () => {
    mesh = await bootGuidedMesh();
    // Only with these do the proxies count what this test asks for.
    const counting = (name: string, regexp: string) => ({
      object: `-n ${name.replace("/", " patch deployment ")}`,
      patch: {
        spec: { template: { metadata: { annotations: { "sidecar.istio.io/statsInclusionRegexps": regexp } } } },
      },
    });
    for (const { object, patch } of [
      counting(SERVER, "listener.*15006.*"),
      counting(GATEWAY, "(listener|tcp).*15443.*"),
    ]) {
      await mesh.patch("cluster2", object, patch);
    }
    await Promise.all([SERVER, GATEWAY].map((object) => mesh.settled("cluster2", object, { gone: true })));
    const secret = JSON.parse(await mesh.kubectl("cluster2", "-n istio-system get secret cacerts -o json"));
    const pem = (name: string) => Buffer.from(secret.data[name], "base64").toString();
    ca = { certificatePem: pem("ca-cert.pem"), privateKeyPem: pem("ca-key.pem") };
    foreignCa = await createCa({ commonName: "Intermediate CA", organization: "Istio" });
    good = {
      address: await mesh.gatewayAddress("cluster2"),
      servername: SNI,
      alpn: ["istio"],
      certificate: await leaf(ca, SLEEP),
      rootsPem: pem("root-cert.pem"),
    };
    const answers = async () => (await dialTls(good)).status === 200;
    await until(answers, { reason: "the gateway leads to helloworld", timeoutMs: 60_000 });
  });
  afterAll(() => mesh?.playground.down());

  /** What the application has taken, and what the proxies have counted for one way to end. */
  async function seen(end: End): Promise<{ requests: number; ended: number }> {
    const { object, counter } = ENDS[end];
    const ask = "sh -c 'curl -sS localhost:5000/requests; curl -sS localhost:15000/stats?usedonly'";
    const [server, gateway] = await Promise.all([
      mesh.kubectl("cluster2", `-n sample exec deploy/helloworld-v2 -c istio-proxy -- ${ask}`),
      object === GATEWAY ? mesh.counters("cluster2", GATEWAY, counter) : undefined,
    ]);
    const ended = gateway?.get(counter) ?? server.split("\n").find((line) => line.startsWith(`${counter}: `)) ?? 0;
    return { requests: Number.parseInt(server, 10), ended: Number(String(ended).replace(/.*: /, "")) };
  }

  /**
   * Proves that a dial is refused, and by whom: of it and of one answered call after it, the application has taken one.
   */
  async function expectRefused(dial: () => Promise<Outcome>, end: End): Promise<void> {
    const before = await seen(end);
    const outcome = await dial();
    expect(outcome.status, JSON.stringify(outcome)).toBeUndefined();
    expect(outcome.refused).not.toBe("timeout");
    // The gateway has no certificate to show; who turns a client away by its certificate shows its own first.
    if (end === "gateway") expect(outcome.server).toBeUndefined();
    expect(await dialTls(good)).toMatchObject(ANSWER);
    expect(await seen(end)).toEqual({ requests: before.requests + 1, ended: before.ended + 1 });
  }

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "a good certificate gets in by %s, as far as the workload itself",
    async (tls) => {
      const outcome = await dialTls({ ...good, tls });
      expect(outcome).toMatchObject(ANSWER);
      expect(outcome.server?.name).toBe("URI:spiffe://cluster.local/ns/sample/sa/default");
      // The certificate that we were shown is the one in helloworld's own proxy: nobody stands between.
      const secrets = await mesh.istioctl("cluster2", "proxy-config secret deploy/helloworld-v2 -n sample");
      expect(secrets).toMatch(new RegExp(`^default .* ${outcome.server?.serial.replace(/^0+/, "0*")} `, "m"));
    },
  );

  test.each(MESH_ALPN)("ALPN %s: in with a certificate, refused without", async (protocol) => {
    const dial = { ...good, alpn: [protocol] };
    const outcome = await dialTls(dial);
    expect(outcome).toMatchObject(ANSWER);
    expect(outcome.server?.alpn).not.toBe("istio-peer-exchange");
    await expectRefused(() => dialTls({ ...dial, certificate: undefined }), "noCertificate");
  });

  const CERTIFICATES: { title: string; end: End; certificate: () => Promise<CertificateAndKey | undefined> }[] = [
    { title: "no certificate", end: "noCertificate", certificate: async () => undefined },
    { title: "a certificate of another root", end: "badCertificate", certificate: () => leaf(foreignCa, SLEEP) },
    { title: "an expired certificate", end: "badCertificate", certificate: () => leaf(ca, SLEEP, -60) },
    {
      title: "the identity of another trust domain",
      end: "badName",
      certificate: () => leaf(ca, "spiffe://elsewhere.example/ns/sample/sa/sleep"),
    },
    {
      title: "a certificate for nobody in the mesh",
      end: "badName",
      certificate: () => leaf(ca, "https://cluster.local/ns/sample/sa/sleep"),
    },
  ];
  for (const tls of ["TLSv1.2", "TLSv1.3"] as const) {
    test.each(CERTIFICATES)(`refuses $title by ${tls}`, async ({ certificate, end }) => {
      const shown = await certificate();
      await expectRefused(() => dialTls({ ...good, tls, certificate: shown }), end);
    });
  }

  test.each([
    ["of no service", serverName("nowhere.sample.svc.cluster.local", 5000)],
    ["of a port that the service has not", serverName(HELLOWORLD, 5001)],
    ["of a subset that nobody declared", `outbound_.5000_.v2_.${HELLOWORLD}`],
    ["that is the service's plain host name", HELLOWORLD],
    ["with pipes", `outbound|5000||${HELLOWORLD}`],
    ["of an inbound cluster", `inbound_.5000_._.${HELLOWORLD}`],
    ["of the black hole", "BlackHoleCluster"],
  ])("refuses a server name %s", async (_, servername) => {
    await expectRefused(() => dialTls({ ...good, servername }), "gateway");
  });

  test("takes a server name in any case", async () => {
    expect(await dialTls({ ...good, servername: SNI.toUpperCase() })).toMatchObject(ANSWER);
  });

  test.each([
    ["no ALPN", undefined],
    ["ALPN of the web only", ["h2", "http/1.1"]],
  ])("refuses %s", async (_, alpn) => {
    const { alpn: _mesh, ...without } = good;
    await expectRefused(() => dialTls(alpn === undefined ? without : { ...without, alpn }), "gateway");
  });

  test("refuses plain HTTP", async () => {
    await expectRefused(() => dialPlain({ address: good.address }), "gateway");
  });

  test("never leads from a gateway to itself", async () => {
    const host = "istio-eastwestgateway.istio-system.svc.cluster.local";
    const total = "listener.0.0.0.0_15443.downstream_cx_total";
    const connections = async () => (await mesh.counters("cluster2", GATEWAY, total)).get(total) ?? 0;
    const before = await connections();
    const outcome = await dialTls({ ...good, servername: serverName(host, 15443) });
    expect([outcome.status, outcome.refused === "timeout"]).toEqual([undefined, false]);
    expect(await connections()).toBe(before + 1);
  });

  test.each([15012, 15017, 15000, 15090])("opens no other port: %i", async (port) => {
    expect(await dialPlain({ address: good.address, port, path: "/" })).toMatchObject({ refused: "ECONNREFUSED" });
  });

  test("holds no key and opens nothing: only TCP is forwarded on its port", async () => {
    const dump = JSON.parse(
      await mesh.kubectl(
        "cluster2",
        "-n istio-system exec deploy/istio-eastwestgateway -- curl -sS localhost:15000/config_dump?include_eds",
      ),
    );
    const part = (name: string) => dump.configs.find((config: { "@type": string }) => config["@type"].endsWith(name));
    const listeners: { active_state: { listener: Listener } }[] = part(".ListenersConfigDump").dynamic_listeners;
    const door = listeners.map((entry) => entry.active_state.listener).find(({ name }) => name === "0.0.0.0_15443");
    const chains = door?.filter_chains ?? [];
    expect(chains.flatMap((chain) => chain.filter_chain_match.server_names)).toContain(SNI);
    for (const chain of [...chains, door?.default_filter_chain].filter((item) => item !== undefined)) {
      expect(chain.transport_socket).toBeUndefined();
      expect(chain.filters.map((filter) => filter.name)).toEqual(["envoy.filters.network.tcp_proxy"]);
    }
    expect(JSON.stringify(part(".SecretsConfigDump"))).not.toContain("certificate");
    // The control: a workload's proxy does hold one.
    const held = (object: string) => mesh.istioctl("cluster2", `proxy-config secret ${object} -o json`);
    expect(JSON.parse((await held("deploy/istio-eastwestgateway -n istio-system")) || "[]")).toEqual([]);
    expect(await held("deploy/helloworld-v2 -n sample")).toContain("default");
  });

  const DOORS = [
    { host: HELLOWORLD, port: 5000, identity: "URI:spiffe://cluster.local/ns/sample/sa/default" },
    { host: "sleep.sample.svc.cluster.local", port: 80, identity: "URI:spiffe://cluster.local/ns/sample/sa/sleep" },
  ];
  const HELLOWORLD_ONLY = [true, false];
  const BOTH = [true, true];
  const NONE = [false, false];

  test.each([
    { hosts: "helloworld.sample.svc.cluster.local", open: HELLOWORLD_ONLY },
    { hosts: "sleep.sample.svc.cluster.local", open: [false, true] },
    { hosts: "*.sample.svc.cluster.local", open: BOTH },
    { hosts: "sample/*.local", open: BOTH },
    { hosts: "*.other.svc.cluster.local", open: NONE },
    { hosts: "other/*.local", open: NONE },
    { hosts: "other/helloworld.sample.svc.cluster.local", open: NONE },
  ])("a rule for $hosts leads to what it names and to nothing else", async ({ hosts, open }) => {
    const expose = (name: string) =>
      mesh.patch("cluster2", "-n istio-system patch gateways.networking.istio.io cross-network-gateway", {
        spec: {
          servers: [
            { port: { number: 15443, name: "tls", protocol: "TLS" }, tls: { mode: "AUTO_PASSTHROUGH" }, hosts: [name] },
          ],
        },
      });
    const reached = () =>
      Promise.all(DOORS.map(({ host, port }) => dialTls({ ...good, servername: serverName(host, port) }))).then(
        (outcomes) => outcomes.map((outcome) => outcome.server?.name),
      );
    const reaches = (doors: readonly boolean[]) => {
      const wanted = DOORS.map(({ identity }, index) => (doors[index] ? identity : undefined)).join();
      return until(async () => (await reached()).join() === wanted, { reason: `reaches ${wanted}`, timeoutMs: 60_000 });
    };
    await reaches(BOTH);
    await expose(hosts);
    try {
      await reaches(open);
      const requests = await mesh.requests("cluster2", SERVER);
      expect((await dialTls(good)).status).toBe(open[0] ? 200 : undefined);
      expect(await mesh.requests("cluster2", SERVER)).toBe(requests + (open[0] ? 1 : 0));
    } finally {
      await expose("*.local");
      await reaches(BOTH);
    }
  });
});

interface Chain {
  readonly filter_chain_match: { readonly server_names: readonly string[] };
  readonly filters: readonly { readonly name: string }[];
  readonly transport_socket?: unknown;
}

interface Listener {
  readonly name: string;
  readonly filter_chains: readonly Chain[];
  readonly default_filter_chain?: Chain;
}
