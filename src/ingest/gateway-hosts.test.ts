import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { clusterId, networkId } from "#model/ids";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import type { GatewayFacts } from "./fact.ts";
import { type DnsAnswer, followGatewayHosts, type GatewayHosts } from "./gateway-hosts.ts";
import { MeshStore } from "./mesh-store.ts";

const cluster = clusterId("cluster2");
const facts = (...hosts: string[]): GatewayFacts => ({
  gateways: [],
  hosts: hosts.map((host) => ({ network: networkId("n2"), cluster, host, port: 15443, source: "Service s/gw" })),
  unusable: [],
});

let clock: ManualClock;
let store: MeshStore;
let life: AbortController;
let hosts: GatewayHosts;
/** By host and family; an error is thrown. */
let dns: Record<string, readonly DnsAnswer[] | Error>;
let asked: string[];

beforeEach(() => {
  clock = new ManualClock();
  life = new AbortController();
  asked = [];
  dns = {};
  store = new MeshStore({ ownCluster: clusterId("cluster1"), systemNamespace: "s", domain: "cluster.local", clock });
  hosts = followGatewayHosts({
    store,
    clock,
    signal: life.signal,
    logger: silentLogger(),
    resolve: async (host, family) => {
      asked.push(`${host}/${family}`);
      const answer = dns[`${host}/${family}`] ?? [];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
});
afterEach(() => life.abort());

const declare = (...hosts: string[]) => {
  store.applyCluster(cluster, [{ kind: "gateways", source: "s/gw", value: facts(...hosts) }]);
  store.flush();
};
const addresses = () => store.current.networks.gateways.map(({ address }) => address);
const soon = (condition: () => boolean, reason: string) =>
  until(condition, { reason, timeoutMs: 60_000, intervalMs: 2 });
const questions = (host: string) => asked.filter((question) => question === `${host}/4`).length;
/** Lets time pass until the host is asked again. */
const nextQuestion = async (host: string, ms: number) => {
  const before = questions(host);
  await soon(() => {
    clock.advance(questions(host) > before ? 0 : ms);
    return questions(host) > before;
  }, `${host} is asked again`);
};

it("puts all addresses of a name in its place, and tells of it", async () => {
  const heard: string[] = [];
  store.subscribe(({ changes }) => heard.push(...changes.map(({ kind }) => kind)));
  dns["lb.test/4"] = [
    { address: "2.2.2.2", ttl: 60 },
    { address: "1.1.1.1", ttl: 60 },
  ];
  dns["lb.test/6"] = [{ address: "fd00::1", ttl: 60 }];
  expect(hosts.hasAsked()).toBe(true);
  declare("lb.test");
  expect(hosts.hasAsked()).toBe(false);
  expect(store.current.networks.unusable).toMatchObject([{ reason: "hostname-unresolved" }]);
  await soon(() => addresses().length === 3, "the name is resolved");
  expect(addresses()).toEqual(["1.1.1.1", "2.2.2.2", "fd00::1"]);
  await soon(() => hosts.hasAsked(), "the question counts as asked");
  expect(store.current.networks.unusable).toEqual([]);
  store.flush();
  expect(heard).toEqual(["networks", "networks"]);
});

it("follows a name that moves, no sooner than after 30 s and no later than after an hour", async () => {
  dns["lb.test/4"] = [{ address: "1.1.1.1", ttl: 1 }];
  declare("lb.test");
  await soon(() => addresses().length === 1, "the name is resolved");
  await soon(() => {
    clock.advance(0);
    return true;
  }, "it sleeps");
  clock.advance(29_000);
  expect(questions("lb.test")).toBe(1);
  dns["lb.test/4"] = [{ address: "3.3.3.3", ttl: 1_000_000 }];
  await nextQuestion("lb.test", 1000);
  await soon(() => addresses()[0] === "3.3.3.3", "the new address is there");
  const start = clock.now();
  await nextQuestion("lb.test", 60_000);
  expect(clock.now() - start).toBeGreaterThanOrEqual(3_600_000 - 60_000);
  expect(clock.now() - start).toBeLessThanOrEqual(3_600_000 + 60_000);
});

it("keeps the last good answer of each family when a question fails", async () => {
  dns["lb.test/4"] = [{ address: "1.1.1.1", ttl: 30 }];
  dns["lb.test/6"] = [{ address: "fd00::1", ttl: 30 }];
  declare("lb.test");
  await soon(() => addresses().length === 2, "the name is resolved");
  dns["lb.test/4"] = new Error("SERVFAIL");
  dns["lb.test/6"] = [{ address: "fd00::2", ttl: 30 }];
  await nextQuestion("lb.test", 30_000);
  await soon(() => addresses().includes("fd00::2"), "the family that answers is new");
  expect(addresses()).toEqual(["1.1.1.1", "fd00::2"]);
  dns["lb.test/4"] = [];
  dns["lb.test/6"] = [];
  await nextQuestion("lb.test", 30_000);
  await nextQuestion("lb.test", 30_000);
  expect(addresses()).toEqual(["1.1.1.1", "fd00::2"]);
});

it("says why a name is not usable, asks again soon, and forgets it with its gateway", async () => {
  dns["lb.test/4"] = new Error("no server answers");
  declare("lb.test");
  const why = () => store.current.networks.unusable[0]?.message ?? "";
  await soon(() => why().includes("no server answers"), "the reason is told");
  await soon(() => hosts.hasAsked(), "a failure is an answer too");
  dns["lb.test/4"] = [{ address: "1.1.1.1", ttl: 30 }];
  await nextQuestion("lb.test", 1000);
  await soon(() => addresses().length === 1, "it is resolved after all");
  declare("other.test");
  await soon(() => why().includes("other.test"), "the other name is asked for");
  expect(addresses()).toEqual([]);
  const before = questions("lb.test");
  clock.advance(7_200_000);
  expect(questions("lb.test")).toBe(before);
});
