import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { type Answer, decode, encode, type Packet, type RecordType, streamEncode } from "dns-packet";
import { afterEach, describe, expect, it } from "vitest";
import type { EndpointSlice, Service } from "#api/kubernetes/gen/types";
import { silentLogger } from "#base/logger";
import { answerQuery } from "./answer-query.ts";
import { type DnsServer, startDnsServer } from "./dns-server.ts";
import { buildDnsView } from "./dns-view.ts";
import { resolveName } from "./resolve-name.ts";

const service = (namespace: string, name: string, spec: NonNullable<Service["spec"]>): Service => ({
  metadata: { namespace, name },
  spec,
});
const ports = [{ name: "http", port: 80, protocol: "TCP" }];
const slice = (name: string, endpoints: EndpointSlice["endpoints"]): EndpointSlice => ({
  metadata: { namespace: "sample", name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints,
});

const services = [
  service("sample", "web", { clusterIP: "10.96.1.1", ports }),
  service("sample", "db", { clusterIP: "None", ports }),
  service("sample", "empty", { clusterIP: "None", ports }),
  service("sample", "alias", { type: "ExternalName", externalName: "web.sample.svc.cluster.local" }),
  service("sample", "away", { type: "ExternalName", externalName: "example.com." }),
  service("sample", "circle", { type: "ExternalName", externalName: "circle.sample.svc.cluster.local" }),
];
const slices = [
  slice("db", [
    { addresses: ["10.244.0.5"], hostname: "db-0", conditions: { ready: true } },
    { addresses: ["10.244.0.6"], conditions: {} },
    { addresses: ["10.244.0.7"], conditions: { ready: false } },
  ]),
];
const view = buildDnsView(services, slices);

const dual = buildDnsView(
  [
    service("sample", "both", { clusterIP: "10.96.2.1", clusterIPs: ["10.96.2.1", "fd96::1"], ports }),
    service("sample", "set", { clusterIP: "None", ports }),
  ],
  [
    slice("set", [{ addresses: ["10.244.0.5"], hostname: "set-0" }]),
    {
      ...slice("set", [{ addresses: ["fd44::5"], hostname: "set-0" }, { addresses: ["fd44::6"] }]),
      addressType: "IPv6",
    },
  ],
);

function text(answer: Answer): string {
  if (answer.type === "SRV") return `${answer.name} SRV ${answer.data.target}:${answer.data.port}`;
  return "data" in answer ? `${answer.name} ${answer.type} ${String(answer.data)}` : answer.type;
}

const SET = "set.sample.svc.cluster.local";
const REVERSE = `6${".0".repeat(27)}.4.4.d.f.ip6.arpa`;
describe("two families", () => {
  it.each<[string, string, string[]]>([
    ["both.sample.svc.cluster.local", "A", ["both.sample.svc.cluster.local A 10.96.2.1"]],
    ["both.sample.svc.cluster.local", "AAAA", ["both.sample.svc.cluster.local AAAA fd96::1"]],
    [SET, "AAAA", [`${SET} AAAA fd44::5`, `${SET} AAAA fd44::6`]],
    [`set-0.${SET}`, "A", [`set-0.${SET} A 10.244.0.5`]],
    [`set-0.${SET}`, "AAAA", [`set-0.${SET} AAAA fd44::5`]],
    [
      `_http._tcp.${SET}`,
      "SRV",
      [`_http._tcp.${SET} SRV set-0.${SET}:8080`, `_http._tcp.${SET} SRV fd44--6.${SET}:8080`],
    ],
    ["fd44--6.sample.pod.cluster.local", "AAAA", ["fd44--6.sample.pod.cluster.local AAAA fd44::6"]],
    [REVERSE, "PTR", [`${REVERSE} PTR fd44--6.${SET}`]],
  ])("%s %s", (name, type, expected) => {
    const { rcode, answers } = resolveName(dual, "cluster.local", { name, type });
    expect([rcode, ...answers.map(text)]).toEqual(["NOERROR", ...expected]);
  });
});

const DB = "db.sample.svc.cluster.local";
describe("resolveName", () => {
  it.each<[string, string, string, string[]]>([
    ["web.sample.svc.cluster.local", "A", "NOERROR", ["web.sample.svc.cluster.local A 10.96.1.1"]],
    ["WEB.Sample.svc.Cluster.LOCAL", "A", "NOERROR", ["WEB.Sample.svc.Cluster.LOCAL A 10.96.1.1"]],
    ["web.sample.svc.cluster.local", "AAAA", "NOERROR", []],
    ["web.other.svc.cluster.local", "A", "NXDOMAIN", []],
    ["web.sample.svc.cluster.local.sample.svc.cluster.local", "A", "NXDOMAIN", []],
    ["sample.svc.cluster.local", "A", "NOERROR", []],
    ["other.svc.cluster.local", "A", "NXDOMAIN", []],
    ["cluster.local", "A", "NOERROR", []],
    ["notcluster.local", "A", "NXDOMAIN", []],
    ["example.com", "A", "NXDOMAIN", []],
    [DB, "A", "NOERROR", [`${DB} A 10.244.0.5`, `${DB} A 10.244.0.6`]],
    [`db-0.${DB}`, "A", "NOERROR", [`db-0.${DB} A 10.244.0.5`]],
    [`10-244-0-6.${DB}`, "A", "NOERROR", [`10-244-0-6.${DB} A 10.244.0.6`]],
    [`10-244-0-7.${DB}`, "A", "NXDOMAIN", []],
    ["empty.sample.svc.cluster.local", "A", "NXDOMAIN", []],
    [
      "_http._tcp.web.sample.svc.cluster.local",
      "SRV",
      "NOERROR",
      ["_http._tcp.web.sample.svc.cluster.local SRV web.sample.svc.cluster.local:80"],
    ],
    [
      `_http._tcp.${DB}`,
      "SRV",
      "NOERROR",
      [`_http._tcp.${DB} SRV db-0.${DB}:8080`, `_http._tcp.${DB} SRV 10-244-0-6.${DB}:8080`],
    ],
    ["_grpc._tcp.web.sample.svc.cluster.local", "SRV", "NXDOMAIN", []],
    ["_http._tcp.web.sample.svc.cluster.local", "A", "NOERROR", []],
    [
      "alias.sample.svc.cluster.local",
      "A",
      "NOERROR",
      ["alias.sample.svc.cluster.local CNAME web.sample.svc.cluster.local", "web.sample.svc.cluster.local A 10.96.1.1"],
    ],
    ["away.sample.svc.cluster.local", "A", "NOERROR", ["away.sample.svc.cluster.local CNAME example.com"]],
    ["10-244-0-9.sample.pod.cluster.local", "A", "NOERROR", ["10-244-0-9.sample.pod.cluster.local A 10.244.0.9"]],
    ["1.1.96.10.in-addr.arpa", "PTR", "NOERROR", ["1.1.96.10.in-addr.arpa PTR web.sample.svc.cluster.local"]],
    ["9.9.96.10.in-addr.arpa", "PTR", "NXDOMAIN", []],
  ])("answers %s %s", (name, type, rcode, answers) => {
    const found = resolveName(view, "cluster.local", { name, type });
    expect(found.rcode).toBe(rcode);
    expect(found.answers.map(text)).toEqual(answers);
    // Whoever gets nothing learns for how long.
    expect(found.negativeZone !== undefined).toBe(answers.length === 0);
  });

  it("ends when aliases go round in circles", () => {
    expect(
      resolveName(view, "cluster.local", { name: "circle.sample.svc.cluster.local", type: "A" }).answers,
    ).toHaveLength(8);
  });
});

describe("the server over loopback", () => {
  let server: DnsServer | undefined;
  afterEach(() => server?.close());

  const many = slice(
    "db",
    Array.from({ length: 100 }, (_, index) => ({ addresses: [`10.244.1.${index}`] })),
  );
  const start = async (all: EndpointSlice[] = slices) => {
    const context = { view: buildDnsView(services, all), domain: "cluster.local", logger: silentLogger() };
    let rotation = 0;
    const answer = (query: Buffer, udp: boolean) => answerQuery(query, { ...context, rotation: rotation++ }, udp);
    server = await startDnsServer({ address: "127.0.0.1", port: 0, answer });
    return server.port;
  };
  const query = (name: string, type: RecordType = "A", additionals: Answer[] = []): Packet => ({
    type: "query",
    id: 77,
    flags: 0x100,
    questions: [{ name, type }],
    additionals,
  });
  const ask = (port: number, bytes: Buffer) =>
    new Promise<ReturnType<typeof decode>>((resolve, reject) => {
      const socket = createSocket("udp4");
      socket.on("error", reject);
      socket.on("message", (message) => {
        socket.close();
        resolve(decode(message));
      });
      socket.send(bytes, port, "127.0.0.1");
    });
  const askStream = (port: number, packets: Packet[]) =>
    new Promise<Packet[]>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () =>
        socket.write(Buffer.concat(packets.map((packet) => streamEncode(packet)))),
      );
      let data = Buffer.alloc(0);
      socket.on("error", reject);
      socket.on("data", (chunk) => {
        data = Buffer.concat([data, chunk]);
        const found: Packet[] = [];
        let at = 0;
        while (data.length >= at + 2 && data.length >= at + 2 + data.readUInt16BE(at)) {
          found.push(decode(data.subarray(at + 2, at + 2 + data.readUInt16BE(at))));
          at += 2 + data.readUInt16BE(at);
        }
        if (found.length < packets.length) return;
        socket.destroy();
        resolve(found);
      });
    });

  it("answers with the id and the flags of the query, and says how long nothing may be remembered", async () => {
    const port = await start();
    const answer = await ask(port, encode(query("web.sample.svc.cluster.local")));
    expect(answer).toMatchObject({ id: 77, rcode: "NOERROR", flag_aa: true, flag_rd: true, flag_ra: false });
    expect(answer.answers?.map(text)).toEqual(["web.sample.svc.cluster.local A 10.96.1.1"]);
    const missing = await ask(port, encode(query("nothing.sample.svc.cluster.local")));
    expect(missing).toMatchObject({ rcode: "NXDOMAIN" });
    expect(missing.authorities?.[0]).toMatchObject({ type: "SOA", name: "cluster.local", data: { minimum: 5 } });
    expect((await ask(port, encode(query("example.com")))).authorities?.[0]).toMatchObject({ type: "SOA", name: "." });
  });

  it("rotates addresses", async () => {
    const port = await start();
    const first = async () => (await ask(port, encode(query(DB)))).answers?.map(text)[0];
    expect(new Set([await first(), await first()]).size).toBe(2);
  });

  it("leaves out what nobody asked for before it sends anyone to TCP", async () => {
    const port = await start([
      slice(
        "db",
        [1, 2, 3, 4].map((at) => ({ addresses: [`10.244.1.${at}`] })),
      ),
    ]);
    const name = `_http._tcp.${DB}`;
    const plain = await ask(port, encode(query(name, "SRV")));
    expect([plain.flag_tc, plain.answers?.length, plain.additionals?.length]).toEqual([false, 4, 0]);
    const [whole] = await askStream(port, [query(name, "SRV")]);
    expect([whole?.answers?.length, whole?.additionals?.length]).toEqual([4, 4]);
  });

  it("says that an answer is too long for UDP, and gives it over TCP, several on one connection", async () => {
    const port = await start([many]);
    const short = await ask(port, encode(query(DB)));
    expect(short).toMatchObject({ flag_tc: true, answers: [] });
    const [long, other] = await askStream(port, [query(DB), query("web.sample.svc.cluster.local")]);
    expect(long?.answers).toHaveLength(100);
    expect(other?.answers).toHaveLength(1);
  });

  it("speaks EDNS to those who do", async () => {
    const port = await start();
    const opt: Answer = {
      type: "OPT",
      name: ".",
      udpPayloadSize: 4096,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    };
    const answer = await ask(port, encode(query(DB, "A", [opt])));
    expect(answer.additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1232 }]);
  });

  it("calls rubbish a format error and goes on", async () => {
    const port = await start();
    const rubbish = Buffer.concat([
      encode(query("web.sample.svc.cluster.local")).subarray(0, 14),
      Buffer.from([0xff, 0xff]),
    ]);
    expect(await ask(port, rubbish)).toMatchObject({ rcode: "FORMERR" });
    expect(await ask(port, encode(query("web.sample.svc.cluster.local")))).toMatchObject({ rcode: "NOERROR" });
  });
});
