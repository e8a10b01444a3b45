import { beforeEach, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import type { EngineParts } from "../api-context.ts";
import { bornObjects } from "../born-objects.ts";
import type { JsonObject } from "../contract.ts";
import { createEngine } from "../create-engine.ts";
import { objectAt, stringAt, valueAt } from "../json.ts";
import { FLOW_SCHEMAS, PRIORITY_LEVELS } from "./flow-classifier.ts";
import { restoreFlowConfiguration } from "./flow-configuration.ts";

const AUTO_UPDATE = "apf.kubernetes.io/autoupdate-spec";
let parts: EngineParts;

beforeEach(async () => {
  parts = { ...createEngine({ serviceCIDR: "10.96.0.0/16" }, silentLogger()), admission: [], now: Date.now };
  await turn();
});

const turn = () => restoreFlowConfiguration(parts, bornObjects());
const get = (name: string): JsonObject => parts.store.get(FLOW_SCHEMAS, "", name) ?? {};
const precedenceOf = (name: string) => valueAt(get(name), "spec", "matchingPrecedence");
const noteOf = (name: string) => stringAt(get(name), "metadata", "annotations", AUTO_UPDATE);

function change(name: string, autoUpdate: string | undefined, generation = 2): void {
  const { spec, ...rest } = get(name);
  const annotations: JsonObject = autoUpdate === undefined ? {} : { [AUTO_UPDATE]: autoUpdate };
  const metadata = { ...objectAt(rest, "metadata"), annotations, generation };
  parts.store.commit(FLOW_SCHEMAS, "MODIFIED", {
    ...rest,
    metadata,
    spec: { ...objectAt(spec), matchingPrecedence: 7 },
  });
}

test("all are there, and another turn changes nothing", async () => {
  expect(parts.store.list(FLOW_SCHEMAS)).toHaveLength(11);
  expect(parts.store.list(PRIORITY_LEVELS)).toHaveLength(8);
  const before = parts.store.revision();
  await turn();
  expect(parts.store.revision()).toBe(before);
});

test("what is gone comes back", async () => {
  parts.store.commit(FLOW_SCHEMAS, "DELETED", get("exempt"));
  parts.store.commit(FLOW_SCHEMAS, "DELETED", get("probes"));
  await turn();
  expect([precedenceOf("exempt"), precedenceOf("probes")]).toEqual([1, 2]);
});

test("a spec comes back while its annotation says so, or while nobody has touched it", async () => {
  change("probes", "true");
  change("service-accounts", undefined, 1);
  await turn();
  expect([precedenceOf("probes"), precedenceOf("service-accounts")]).toEqual([2, 9000]);
  expect(noteOf("service-accounts")).toBe("true");
});

test("a spec of an administrator stays, but for what must be so", async () => {
  change("probes", "F");
  change("service-accounts", undefined);
  change("catch-all", "false");
  await turn();
  expect(["probes", "service-accounts", "catch-all"].map(precedenceOf)).toEqual([7, 7, 10_000]);
  expect(["probes", "service-accounts", "catch-all"].map(noteOf)).toEqual(["F", "false", "true"]);
});

test("what another release left goes; what people made stays", async () => {
  for (const [name, value] of [
    ["old", "true"],
    ["own", "false"],
  ] as const) {
    const made = structuredClone(get("probes"));
    const metadata = { ...objectAt(made, "metadata"), name, uid: name, annotations: { [AUTO_UPDATE]: value } };
    parts.store.commit(FLOW_SCHEMAS, "ADDED", { ...made, metadata });
  }
  await turn();
  expect([get("old"), stringAt(get("own"), "metadata", "name")]).toEqual([{}, "own"]);
});
