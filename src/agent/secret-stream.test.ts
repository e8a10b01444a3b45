import { expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { type DeltaRequest, decodeDeltaResponse, EMPTY_DELTA_REQUEST } from "#envoy/discovery";
import { XDS_TYPES } from "#envoy/types";
import { SecretStream } from "./secret-stream.ts";
import { SecretManager } from "./secrets.ts";

/** A manager whose secrets are set by the test. */
class Secrets extends SecretManager {
  readonly values = new Map<string, string>();
  readonly #listeners: ((name: string) => void)[] = [];

  constructor() {
    super({
      uri: "",
      ttlSeconds: 0,
      gracePeriodRatio: 0,
      rootCertPath: "",
      sign: async () => [],
      clock: { now: () => 0, schedule: () => () => undefined, sleep: async () => undefined },
      logger: silentLogger(),
    });
  }
  override get(name: string) {
    const version = this.values.get(name);
    return version === undefined ? undefined : { name, version, any: new Uint8Array() };
  }
  override subscribe(listener: (name: string) => void) {
    this.#listeners.push(listener);
    return () => undefined;
  }
  set(name: string, version: string) {
    this.values.set(name, version);
    for (const listener of this.#listeners) listener(name);
  }
}

function start() {
  const secrets = new Secrets();
  const sent: string[] = [];
  const stream = new SecretStream({
    secrets,
    logger: silentLogger(),
    send: (message) => {
      const { resources, nonce } = decodeDeltaResponse(message);
      sent.push(`${nonce} ${resources.map(({ name, version }) => `${name}@${version}`)}`);
    },
  });
  const take = (request: Partial<DeltaRequest>) =>
    stream.take({ ...EMPTY_DELTA_REQUEST, typeUrl: XDS_TYPES.SDS, ...request });
  return { secrets, sent, take };
}

test("a secret that is not there yet follows when it is, and again when it changes", () => {
  const { secrets, sent, take } = start();
  expect(take({ subscribe: ["default"] })).toBeUndefined();
  expect(sent).toEqual([]);
  secrets.set("default", "1");
  secrets.set("ROOTCA", "1");
  secrets.set("default", "2");
  expect(sent).toEqual(["agent-1 default@1", "agent-2 default@2"]);
});

test("after a reconnect only what changed is sent", () => {
  const { secrets, sent, take } = start();
  secrets.set("default", "2");
  secrets.set("ROOTCA", "1");
  const initialVersions = new Map([
    ["default", "1"],
    ["ROOTCA", "1"],
  ]);
  take({ subscribe: ["default", "ROOTCA"], initialVersions });
  expect(sent).toEqual(["agent-1 default@2"]);
});

test("other secrets and their acknowledgements go on to the control plane, ours do not", () => {
  const { secrets, take } = start();
  secrets.set("default", "1");
  expect(
    take({ subscribe: ["default", "kubernetes://web"], initialVersions: new Map([["kubernetes://web", "7"]]) }),
  ).toEqual({
    ...EMPTY_DELTA_REQUEST,
    typeUrl: XDS_TYPES.SDS,
    subscribe: ["kubernetes://web"],
    initialVersions: new Map([["kubernetes://web", "7"]]),
  });
  expect(take({ responseNonce: "agent-1" })).toBeUndefined();
  expect(take({ responseNonce: "5" })).toMatchObject({ responseNonce: "5" });
  expect(take({ unsubscribe: ["default"] })).toBeUndefined();
});
