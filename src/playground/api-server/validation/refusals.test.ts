// What a real kube-apiserver 1.35.4 answered to objects that are wrong in one field: recorded from it, held against ours.
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLogger } from "#base/logger";
import { type ClusterPki, clusterPki } from "../../../../tests/kit/cluster-pki.ts";
import { runApiServer } from "../api-server.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { clone, ensureObject } from "../json.ts";
import type { RunningApiServer } from "../start-api-server.ts";

interface Fact {
  /** Names a whole object among OBJECTS. */
  readonly object: string;
  /** What differs from it; gone when there is no value. */
  readonly field: string;
  readonly value?: JsonValue;
  readonly code: number;
  readonly message: string;
}

const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");
const OBJECTS: Record<string, { path: string; body: JsonObject }> = JSON.parse(read("./real-refusals.objects.json"));
const FACTS: Fact[] = read("./real-refusals.jsonl")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

let pki: ClusterPki;
let server: RunningApiServer;
let agent: Agent;
const stop = new AbortController();

beforeAll(async () => {
  pki = await clusterPki();
  const config = { ...pki.config, listen: { address: "127.0.0.1", port: 0 } };
  server = await runApiServer(config, silentLogger(), stop.signal);
  const { certificatePem, privateKeyPem } = await pki.client("admin", "system:masters");
  agent = new Agent({ ca: pki.serverCa.certificatePem, cert: certificatePem, key: privateKeyPem, keepAlive: true });
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  await post("/api/v1/namespaces/default/serviceaccounts", account);
});

afterAll(async () => {
  agent.destroy();
  stop.abort();
  await server.close();
  pki.remove();
});

function post(path: string, body: JsonObject): Promise<{ code: number; message: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const outgoing = request(server.url + path, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ code: response.statusCode ?? 0, message: JSON.parse(text).message }));
    });
    outgoing.on("error", reject);
    outgoing.end(JSON.stringify(body));
  });
}

/** The whole object with one field set or, without a value, gone. */
function changed(whole: JsonObject, field: string, value: JsonValue | undefined): JsonObject {
  const object = clone(whole);
  const keys = field.split(".");
  const last = keys.pop() ?? "";
  let at: JsonObject = object;
  for (const key of keys) at = Array.isArray(at[key]) ? (at[key] as unknown as JsonObject) : ensureObject(at, key);
  if (value === undefined) delete at[last];
  else at[last] = value;
  return object;
}

describe("refuses as a real API server", () => {
  it.each(FACTS)("$object $field: $message", async ({ object, field, value, code, message }) => {
    const { path, body } = OBJECTS[object] ?? { path: "", body: {} };
    expect(await post(`${path}?dryRun=All`, changed(body, field, value))).toEqual({ code, message });
  });
});
