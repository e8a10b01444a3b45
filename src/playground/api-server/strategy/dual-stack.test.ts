// Services of clusters with one and with two families: what a real kube-apiserver 1.35.4 answered, held against ours.
// UPDATE_RECORDED=1 asks the real one anew.
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLogger } from "#base/logger";
import { type ClusterPki, clusterPki } from "../../../../tests/kit/cluster-pki.ts";
import { startRealApiServer } from "../../../../tests/kit/real-api-server.ts";
import { runApiServer } from "../api-server.ts";
import type { JsonObject } from "../contract.ts";
import { isObject, objectsAt } from "../json.ts";

/** One spec to create with; each further one is a merge patch of it. */
type Case = readonly JsonObject[];

const RANGES = { IPv4: "10.96.0.0/16", IPv6: "fd00:10:96::/112" };
const both = ["IPv4", "IPv6"];
const [v4, v6] = ["10.96.7.7", "fd00:10:96::7"];
const none = { clusterIP: "None" };
const bare = { clusterIP: "None", selector: null };
const single = { ipFamilyPolicy: "SingleStack" };
const prefer = { ipFamilyPolicy: "PreferDualStack" };
const require = { ipFamilyPolicy: "RequireDualStack" };
const balanced = { type: "LoadBalancer" };
const dns = [
  { name: "udp", port: 53, protocol: "UDP" },
  { name: "tcp", port: 53, protocol: "TCP" },
];

const CASES: readonly Case[] = [
  ...[{}, single, prefer, require].map((policy): Case => [policy]),
  ...[[], ["IPv4"], ["IPv6"], both, ["IPv6", "IPv4"], ["IPv4", "IPv4"], ["IPv5"], ["IPv4", "IPv6", "IPv4"]].flatMap(
    (ipFamilies): Case[] => [{}, single, prefer, require].map((policy) => [{ ...policy, ipFamilies }]),
  ),
  ...[none, bare].flatMap((headless): Case[] =>
    [{}, single, prefer, require, { ipFamilies: ["IPv6"] }, { ...single, ipFamilies: both }, { ipFamilies: both }].map(
      (policy) => [{ ...headless, ...policy }],
    ),
  ),
  [{ clusterIP: v6 }],
  [{ clusterIP: v6, ...prefer }],
  [{ clusterIP: v6, ipFamilies: ["IPv4"] }],
  [{ clusterIP: v6, clusterIPs: [v6, v4] }],
  [{ clusterIP: v6, clusterIPs: [v6, v4], ...prefer }],
  [{ clusterIP: v6, clusterIPs: [v6, v4], ...require, ipFamilies: ["IPv6"] }],
  [{ clusterIP: v4, clusterIPs: [v6, v4], ...prefer }],
  [{ clusterIP: v4, clusterIPs: [v4, "10.96.7.8"], ...prefer }],
  [{ clusterIPs: [v4] }],
  [{ clusterIP: "fd00:10:97::7" }],
  [{ clusterIP: "fd00:10:96::" }],
  [{ clusterIP: "10.96.7.9", clusterIPs: ["10.96.7.9", "fd00:10:97::7"], ...prefer }],
  ...["10.97.0.1", "10.96.0.0", "10.96.255.255", "10.96.0.1"].map((clusterIP): Case => [{ clusterIP }]),
  [{ type: "ExternalName", externalName: "a.example" }],
  [{ type: "ExternalName", externalName: "a.example", ...prefer }],
  [{ type: "ExternalName", externalName: "a.example", clusterIP: v6 }],
  [{ ...balanced, ...require }],
  [{ ...balanced, ...require, externalTrafficPolicy: "Local" }],
  [{ type: "NodePort", ports: dns }],
  [{ type: "NodePort", ports: dns.map((port) => ({ ...port, nodePort: 31_000 })) }],
  [{ type: "NodePort", ports: dns.map((port, index) => ({ ...port, port: 53 + index, nodePort: 31_000 })) }],
  [{ type: "NodePort", ports: dns.map((port, index) => ({ ...port, nodePort: index === 0 ? 29_999 : 31_000 })) }],
  // What changes bring.
  [{}, prefer],
  [{}, prefer, single],
  [{}, { ...prefer, ipFamilies: ["IPv6"] }],
  [{}, { ...require, clusterIPs: [v4, v6] }],
  [{}, { ipFamilies: both }],
  [{}, { ...require, ipFamilies: both }, { ipFamilies: ["IPv4"] }],
  [require, { ipFamilies: ["IPv4"] }],
  [require, { ...single, ipFamilies: ["IPv4"] }],
  [require, { ...single, ipFamilies: ["IPv6"] }],
  [require, { ...prefer, ipFamilies: ["IPv6", "IPv4"] }],
  [require, prefer, single, require],
  [prefer, { clusterIP: null }],
  [prefer, { clusterIP: null, clusterIPs: null }],
  [prefer, { clusterIPs: null, ipFamilies: null, ipFamilyPolicy: null }],
  [{ ipFamilies: ["IPv6"] }, prefer],
  [{ clusterIP: v4 }, { clusterIP: v6 }],
  [{ clusterIP: v4 }, { clusterIP: v6, clusterIPs: [v6] }],
  [none, require],
  [none, require, single],
  [bare, single],
  [require, { type: "ExternalName", externalName: "a.example" }],
  [require, { type: "ExternalName", externalName: "a.example" }, { type: "ClusterIP", externalName: null }],
  [require, { type: "ExternalName", externalName: "a.example", ipFamilyPolicy: "SingleStack" }],
  [require, { type: "ExternalName", externalName: "a.example", clusterIP: null, clusterIPs: null }],
  [{ ...balanced, externalTrafficPolicy: "Local" }, { type: "ClusterIP" }],
  [{ ...balanced, externalTrafficPolicy: "Local" }, { externalTrafficPolicy: "Cluster" }],
  [{ ...balanced, externalTrafficPolicy: "Local" }, { type: "NodePort" }, balanced],
  [balanced, { type: "ClusterIP", allocateLoadBalancerNodePorts: false }],
  [{ type: "NodePort" }, { ports: [{ port: 81 }] }],
  [{ type: "NodePort" }, { ports: [{ name: "other", port: 80 }] }],
  [{ type: "NodePort", ports: dns }, { ports: dns.slice(1) }],
  [{ type: "NodePort" }, { type: "ClusterIP" }, { type: "NodePort" }],
];

/** Ranges of a cluster, and what a real API server with them answered. */
const CLUSTERS = [
  { families: "two families", cidrs: [RANGES.IPv4, RANGES.IPv6], recorded: "./dual-stack.recorded.json" },
  { families: "one family", cidrs: [RANGES.IPv4], recorded: "./single-stack.recorded.json" },
] as const;
const fileOf = (recorded: string) => new URL(recorded, import.meta.url);

interface Server {
  readonly url: string;
  readonly agent: Agent;
}

function send(on: Server, method: string, path: string, body: JsonObject): Promise<JsonObject> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const headers = { "content-type": type, "content-length": Buffer.byteLength(text) };
    const outgoing = request(on.url + path, { method, agent: on.agent, headers }, (response) => {
      let said = "";
      response.setEncoding("utf8").on("data", (chunk) => (said += chunk));
      response.on("end", () =>
        said.startsWith("{")
          ? resolve(JSON.parse(said))
          : reject(new Error(`answered ${response.statusCode}: ${said}`)),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}

/** What each step of a case came to: the spec, or the refusal. The Service is gone afterwards. */
async function play(on: Server, name: string, [first = {}, ...changes]: Case): Promise<JsonObject[]> {
  const path = "/api/v1/namespaces/default/services";
  const spec = { selector: { app: "a" }, ports: [{ port: 80 }], ...first };
  const answers = [await send(on, "POST", path, { apiVersion: "v1", kind: "Service", metadata: { name }, spec })];
  for (const change of changes) answers.push(await send(on, "PATCH", `${path}/${name}`, { spec: change }));
  if (answers[0]?.["kind"] === "Service") await send(on, "DELETE", `${path}/${name}`, {});
  return answers.map((answer) => normal(answer, first, changes));
}

/** Numbers that the server chose stand as what they are. */
function normal(answer: JsonObject, ...asked: unknown[]): JsonObject {
  const text = JSON.stringify(asked);
  const shown = (address: string, kind: string) => (text.includes(`"${address}"`) ? address : kind);
  if (answer["kind"] === "Status") {
    const message = String(answer["message"]);
    return { refused: message.replaceAll(/10\.96\.\d+\.\d+|fd00:10:96::[0-9a-f]+/g, (ip) => shown(ip, "ADDRESS")) };
  }
  const spec = isObject(answer["spec"]) ? answer["spec"] : {};
  for (const port of objectsAt(spec, "ports")) {
    if (port["nodePort"] !== undefined && !text.includes(String(port["nodePort"]))) port["nodePort"] = "given";
  }
  if (spec["healthCheckNodePort"] !== undefined) spec["healthCheckNodePort"] = "given";
  return JSON.parse(
    JSON.stringify(spec).replaceAll(/"(10\.96\.\d+\.\d+|fd00:10:96::[0-9a-f]+)"/g, (_, ip: string) =>
      JSON.stringify(shown(ip, ip.includes(":") ? "an IPv6 address" : "an IPv4 address")),
    ),
  );
}

async function record({ cidrs, recorded }: (typeof CLUSTERS)[number]): Promise<void> {
  const real = await startRealApiServer({ name: "dual", serviceCIDR: cidrs.join(",") });
  const { certificatePem, privateKeyPem } = await real.identity("admin", "system:masters");
  const agent = new Agent({ ca: real.ca.certificatePem, cert: certificatePem, key: privateKeyPem });
  const answers: JsonObject[][] = [];
  for (const [index, steps] of CASES.entries())
    answers.push(await play({ url: real.url, agent }, `case-${index}`, steps));
  writeFileSync(fileOf(recorded), `[\n${answers.map((answer) => JSON.stringify(answer)).join(",\n")}\n]\n`);
  await real.stop();
}

describe.each(CLUSTERS)("Services of a cluster with $families", (cluster) => {
  let pki: ClusterPki;
  let server: Awaited<ReturnType<typeof runApiServer>>;
  let agent: Agent;
  const stop = new AbortController();
  beforeAll(async () => {
    if (process.env["UPDATE_RECORDED"] !== undefined) await record(cluster);
    pki = await clusterPki();
    const ipv6 = {
      podCIDR: "fd00::/64",
      serviceCIDR: RANGES.IPv6,
      loadBalancerRange: { first: "fd30::1", last: "fd30::2" },
    };
    const config = {
      ...pki.config,
      ...(cluster.cidrs.length > 1 ? { ipv6 } : {}),
      listen: { address: "127.0.0.1", port: 0 },
    };
    server = await runApiServer(config, silentLogger(), stop.signal);
    const { certificatePem, privateKeyPem } = await pki.client("admin", "system:masters");
    agent = new Agent({ ca: pki.serverCa.certificatePem, cert: certificatePem, key: privateKeyPem, keepAlive: true });
  }, 120_000);
  afterAll(async () => {
    agent.destroy();
    stop.abort();
    await server.close();
    pki.remove();
  });

  it("are completed and refused as a real API server does", async () => {
    const recorded: JsonObject[][] = JSON.parse(readFileSync(fileOf(cluster.recorded), "utf8"));
    expect(recorded).toHaveLength(CASES.length);
    for (const [index, steps] of CASES.entries()) {
      const answers = await play({ url: server.url, agent }, `case-${index}`, steps);
      expect.soft(answers, `case-${index}: ${JSON.stringify(steps)}`).toEqual(recorded[index]);
    }
  }, 60_000);

  it("give back every address and port, those of refused and undone changes too", async () => {
    const on = { url: server.url, agent };
    const [ips, policy] = cluster.cidrs.length > 1 ? [[v4, v6], require] : [[v4], single];
    const held = {
      clusterIP: v4,
      clusterIPs: ips,
      ...policy,
      type: "NodePort",
      ports: [{ port: 80, nodePort: 31_234 }],
    };
    for (let round = 0; round < 3; round++) {
      const [made] = await play(on, `round-${round}`, [held, { type: "ExternalName" }]);
      expect(made).toMatchObject({ clusterIPs: ips, ports: [{ nodePort: 31_234 }] });
    }
  }, 60_000);
});
