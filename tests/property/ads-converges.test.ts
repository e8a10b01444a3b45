// Any interleaving of changes, deliveries and lost connections ends with the proxy holding exactly what the source has,
// and with no cluster left waiting for its endpoints.
import fc from "fast-check";
import { expect, test } from "vitest";
import { DeltaStream } from "#ads/delta-stream";
import { type DeltaRequest, type DeltaResponse, EMPTY_DELTA_REQUEST } from "#envoy/discovery";
import { XDS_TYPES } from "#envoy/types";

const { CDS, EDS } = XDS_TYPES;
const NAMES = ["a", "b", "c", "d"];

/** Behaves as Envoy: subscribes to the endpoints of its clusters, and a cluster that arrives waits for endpoints. */
class FakeEnvoy {
  readonly clusters = new Map<string, string>();
  readonly endpoints = new Map<string, string>();
  readonly warming = new Set<string>();
  outbox: DeltaRequest[] = [];

  /**
   * A cluster that was waiting when the connection broke tells its new version, and the server cannot know that it
   * waits: Envoy serves on with the old version and goes over with the endpoints it has after 15 s.
   */
  connect(): void {
    for (const name of this.endpoints.keys()) this.warming.delete(name);
    this.outbox = [{ ...EMPTY_DELTA_REQUEST, typeUrl: CDS, initialVersions: new Map(this.clusters) }];
    const subscribe = [...this.clusters.keys()];
    if (subscribe.length === 0) return;
    this.outbox.push({ ...EMPTY_DELTA_REQUEST, typeUrl: EDS, subscribe, initialVersions: new Map(this.endpoints) });
  }

  receive({ typeUrl, nonce, resources, removed }: DeltaResponse): void {
    const subscribe: string[] = [];
    for (const { name, version } of resources) {
      if (typeUrl === CDS) {
        if (!this.clusters.has(name)) subscribe.push(name);
        this.clusters.set(name, version);
        this.warming.add(name);
      } else if (this.clusters.has(name)) {
        this.endpoints.set(name, version);
        this.warming.delete(name);
      }
    }
    for (const name of removed) {
      this.clusters.delete(name);
      this.endpoints.delete(name);
      this.warming.delete(name);
    }
    this.outbox.push({ ...EMPTY_DELTA_REQUEST, typeUrl, responseNonce: nonce });
    const unsubscribe = typeUrl === CDS ? removed : [];
    if (subscribe.length + unsubscribe.length > 0) {
      this.outbox.push({ ...EMPTY_DELTA_REQUEST, typeUrl: EDS, subscribe, unsubscribe });
    }
  }
}

type Step =
  | { readonly kind: "cluster"; readonly name: string; readonly version: string | undefined }
  | { readonly kind: "endpoints"; readonly name: string; readonly version: string | undefined }
  | { readonly kind: "push" | "toServer" | "toProxy" | "reconnect" };

const version = fc.option(fc.constantFrom("1", "2", "3"), { nil: undefined });
const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("cluster" as const), name, version }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("endpoints" as const), name, version }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("push" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("toServer" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("toProxy" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reconnect" as const) }) },
);

function play(steps: readonly Step[]) {
  const source = { [CDS]: new Map<string, string>(), [EDS]: new Map<string, string>() };
  const proxy = new FakeEnvoy();
  let nonce = 0;
  let inbox: DeltaResponse[] = [];
  let touched = new Map<string, Set<string>>();
  const open = () =>
    new DeltaStream({
      read: (typeUrl, names) => {
        const all = typeUrl === CDS ? source[CDS] : source[EDS];
        return (names ?? [...all.keys()]).flatMap((wanted) => {
          const found = all.get(wanted) ?? (typeUrl === EDS ? "empty" : undefined);
          return found === undefined ? [] : [{ name: wanted, version: found, any: new Uint8Array() }];
        });
      },
      nextNonce: () => String(++nonce),
      version: () => "",
      now: () => 0,
    });
  let stream = open();
  const perform = (actions: ReturnType<DeltaStream["step"]>) => {
    for (const action of actions) if (action.kind === "respond") inbox.push(action.response);
  };
  const toServer = () => {
    const request = proxy.outbox.shift();
    if (request !== undefined) perform(stream.step({ kind: "request", request }));
    return request !== undefined;
  };
  const toProxy = () => {
    const response = inbox.shift();
    if (response !== undefined) proxy.receive(response);
    return response !== undefined;
  };
  const push = () => {
    perform(stream.step({ kind: "change", touched }));
    touched = new Map();
  };
  const set = (typeUrl: typeof CDS | typeof EDS, key: string, value: string | undefined) => {
    if (value === undefined) source[typeUrl].delete(key);
    else source[typeUrl].set(key, value);
    touched.set(typeUrl, (touched.get(typeUrl) ?? new Set()).add(key));
  };
  const reconnect = () => {
    inbox = [];
    stream = open();
    proxy.connect();
  };
  proxy.connect();
  for (const one of steps) {
    if (one.kind === "cluster") set(CDS, one.name, one.version);
    else if (one.kind === "endpoints") set(EDS, one.name, one.version);
    else if (one.kind === "push") push();
    else if (one.kind === "toServer") toServer();
    else if (one.kind === "toProxy") toProxy();
    else reconnect();
  }
  push();
  let moved = true;
  for (let turns = 0; moved && turns < 1000; turns++) {
    moved = toServer();
    moved = toProxy() || moved;
  }
  return { source, proxy, isQuiet: !moved };
}

test("the proxy ends with what the source has", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const { source, proxy, isQuiet } = play(steps);
      expect(isQuiet).toBe(true);
      expect(new Map([...proxy.clusters].sort())).toEqual(new Map([...source[CDS]].sort()));
      const endpoints = [...source[CDS].keys()].map((key) => [key, source[EDS].get(key) ?? "empty"] as const);
      expect(new Map([...proxy.endpoints].sort())).toEqual(new Map([...endpoints].sort()));
      expect([...proxy.warming]).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});
