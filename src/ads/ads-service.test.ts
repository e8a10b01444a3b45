import { afterEach, expect, test } from "vitest";
import { systemClock } from "#base/clock";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import {
  DELTA_ADS_METHOD,
  type DeltaRequest,
  type DeltaResponse,
  decodeDeltaResponse,
  encodeDeltaRequest,
} from "#envoy/discovery";
import { XDS_TYPES } from "#envoy/types";
import { createGrpcChannel } from "#grpc/channel";
import { frameMessage } from "#grpc/frames";
import { GrpcError } from "#grpc/grpc-error";
import { createGrpcServer } from "#grpc/server";
import { createAdsService } from "./ads-service.ts";
import type { ResourceSource, Touched } from "./resource-source.ts";

interface Session {
  readonly id: string;
}

/** Clusters by name and content; a change names what it touches. */
class Clusters implements ResourceSource<Session, ReadonlySet<string>> {
  readonly versions = new Map<string, string>();
  readonly closed: string[] = [];
  bytes = 3;
  impacts = 0;

  open(node: { id: string }): Session {
    if (node.id === "stranger") throw new GrpcError("permissionDenied", "not from here");
    return { id: node.id };
  }
  read(_: Session, typeUrl: string, names: readonly string[] | undefined) {
    if (typeUrl !== XDS_TYPES.CDS) return [];
    return (names ?? [...this.versions.keys()]).flatMap((name) => {
      const version = this.versions.get(name);
      return version === undefined ? [] : [{ name, version, any: new Uint8Array(this.bytes) }];
    });
  }
  impact(_: Session, change: ReadonlySet<string>): ReadonlyMap<string, Touched> {
    this.impacts++;
    return new Map([[XDS_TYPES.CDS, change]]);
  }
  merge(a: ReadonlySet<string>, b: ReadonlySet<string>) {
    return new Set([...a, ...b]);
  }
  close({ id }: Session) {
    this.closed.push(id);
  }
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start() {
  const source = new Clusters();
  const ads = createAdsService({ source, clock: systemClock, logger: silentLogger() });
  const server = createGrpcServer({ services: [ads.method], logger: silentLogger() });
  const port = await server.listen({ port: 0, host: "127.0.0.1" });
  closers.push(() => server.close());
  const connect = () => {
    const channel = createGrpcChannel({ target: `127.0.0.1:${port}` });
    closers.push(() => channel.close());
    const stream = channel.bidi(DELTA_ADS_METHOD);
    const messages = stream.messages[Symbol.asyncIterator]();
    return {
      stream,
      send: (request: Partial<DeltaRequest>) => stream.write(frameMessage(encodeDeltaRequest(request))),
      receive: async (): Promise<DeltaResponse> => decodeDeltaResponse((await messages.next()).value),
    };
  };
  return { source, ads, connect };
}

const node = (id: string) => ({ id, cluster: "", metadata: {}, locality: undefined });
const named = (response: DeltaResponse) => response.resources.map(({ name, version }) => `${name}@${version}`);

test("a proxy gets everything, then what changes, and its verdicts are kept", async () => {
  const { source, ads, connect } = await start();
  source.versions.set("a", "1");
  const proxy = connect();
  proxy.send({ node: node("p"), typeUrl: XDS_TYPES.CDS });
  const first = await proxy.receive();
  expect(named(first)).toEqual(["a@1"]);
  proxy.send({ typeUrl: XDS_TYPES.CDS, responseNonce: first.nonce });
  source.versions.set("b", "1");
  ads.push(new Set(["b"]));
  const second = await proxy.receive();
  expect(named(second)).toEqual(["b@1"]);
  proxy.send({ typeUrl: XDS_TYPES.CDS, responseNonce: second.nonce, error: { code: 13, message: "bad b" } });
  await until(() => ads.connections()[0]?.types[0]?.rejected, { reason: "the NACK is recorded", timeoutMs: 60_000 });
  expect(ads.connections()[0]).toMatchObject({
    node: { id: "p" },
    types: [{ acked: { nonce: first.nonce }, rejected: { nonce: second.nonce, message: "bad b" }, wildcard: true }],
  });
});

test("a refused node ends the stream with the source's status, and a missing one is an error", async () => {
  const { connect } = await start();
  const stranger = connect();
  stranger.send({ node: node("stranger"), typeUrl: XDS_TYPES.CDS });
  await expect(stranger.receive()).rejects.toMatchObject({ code: "permissionDenied", message: "not from here" });
  const nameless = connect();
  nameless.send({ typeUrl: XDS_TYPES.CDS });
  await expect(nameless.receive()).rejects.toMatchObject({ code: "invalidArgument" });
});

test("a proxy that goes away is forgotten", async () => {
  const { source, ads, connect } = await start();
  const proxy = connect();
  proxy.send({ node: node("p"), typeUrl: XDS_TYPES.CDS });
  await proxy.receive();
  proxy.stream.cancel();
  await until(() => ads.connections().length === 0, { reason: "the connection is dropped", timeoutMs: 60_000 });
  expect(source.closed).toEqual(["p"]);
});

test("changes pushed in one turn arrive as one answer", async () => {
  const { source, ads, connect } = await start();
  const proxy = connect();
  proxy.send({ node: node("p"), typeUrl: XDS_TYPES.CDS });
  await proxy.receive();
  for (const name of ["a", "b", "c"]) {
    source.versions.set(name, "1");
    ads.push(new Set([name]));
  }
  expect(named(await proxy.receive())).toEqual(["a@1", "b@1", "c@1"]);
  expect(source.impacts).toBe(1);
});

test("a proxy that does not read holds back only itself, and then gets the newest state at once", async () => {
  const { source, ads, connect } = await start();
  const lazy = connect();
  const eager = connect();
  lazy.send({ node: node("lazy"), typeUrl: XDS_TYPES.CDS });
  eager.send({ node: node("eager"), typeUrl: XDS_TYPES.CDS });
  await lazy.receive();
  await eager.receive();
  source.bytes = 1 << 20;
  const pushes = 100; // more than the windows and the queues between the two can hold
  for (let version = 1; version <= pushes; version++) {
    source.versions.set("a", String(version));
    ads.push(new Set(["a"]));
    expect(named(await eager.receive())).toEqual([`a@${version}`]);
  }
  let received = 1;
  while (named(await lazy.receive())[0] !== `a@${pushes}`) received++;
  expect(received).toBeLessThan(pushes);
});
