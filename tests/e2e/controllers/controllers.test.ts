// The same scenarios on our controllers and on the real ones end in the same objects. What the real ones come to is
// recorded (`recorded/*.yaml`, written by UPDATE_RECORDED=1), so that ours are compared everywhere; where the real
// programs are at hand, they play too and must still come to what is recorded. ONLY_SCENARIO and ONLY_ENGINE narrow a
// run, KEEP_ACTUAL names a folder for what ours came to.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoRealApiServer } from "../../kit/real-api-server.ts";
import { updateCompatibilityTable } from "./compatibility-table.ts";
import { type Engine, startEmbedded, startReal } from "./engines.ts";
import { type Outcome, outcomeOf, play } from "./play.ts";
import { areas } from "./scenarios/all-scenarios.ts";
import type { Scenario } from "./world.ts";

const { UPDATE_RECORDED, ONLY_SCENARIO, ONLY_ENGINE, KEEP_ACTUAL } = process.env;
const updates = UPDATE_RECORDED !== undefined;
const folder = join(import.meta.dirname, "recorded");
const pattern = new RegExp(ONLY_SCENARIO ?? "");
const scenarios = Object.values(areas)
  .flat()
  .filter(({ name }) => pattern.test(name));
const recordingOf = (name: string) => join(folder, `${name}.yaml`);
const recorded = (name: string) => (existsSync(recordingOf(name)) ? readFileSync(recordingOf(name), "utf8") : "");
/** Scenarios of one engine that play at the same time, each in a namespace of its own. */
const AT_ONCE = 8;

function suite(title: string, start: () => Promise<Engine>, record: boolean) {
  describe(title, () => {
    let engine: Engine | undefined;
    const outcomes = new Map<string, Promise<Outcome>>();
    beforeAll(async () => {
      engine = await start();
      playAll(engine, outcomes, record);
    });
    afterAll(() => engine?.stop());
    for (const { name } of scenarios) {
      it(name, async () => {
        const outcome = await outcomes.get(name);
        if (outcome === undefined) throw new Error(`${name} was not played`);
        if (record) {
          mkdirSync(folder, { recursive: true });
          writeFileSync(recordingOf(name), outcome.text);
        }
        if (KEEP_ACTUAL !== undefined) writeFileSync(join(KEEP_ACTUAL, `${name}.yaml`), outcome.text);
        expect(outcome.text).toBe(recorded(name));
      });
    }
  });
}

/** Starts them all; a scenario that fails does so where it is awaited. */
function playAll(engine: Engine, outcomes: Map<string, Promise<Outcome>>, record: boolean): void {
  const waiting: (() => void)[] = [];
  let free = AT_ONCE;
  const turn = async () => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const done = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const run = async (scenario: Scenario) => {
    await turn();
    try {
      await play(engine, scenario);
      return await outcomeOf(engine, scenario, record ? undefined : recorded(scenario.name));
    } finally {
      done();
    }
  };
  for (const scenario of slowestFirst()) {
    const outcome = run(scenario);
    outcome.catch(() => {});
    outcomes.set(scenario.name, outcome);
  }
}

/** A long wait in the background costs nothing when it begins early. */
function slowestFirst(): Scenario[] {
  return [...scenarios].sort((a, b) => Number(b.slow === true) - Number(a.slow === true));
}

if (ONLY_ENGINE !== "embedded") {
  describe.skipIf(whyNoRealApiServer() !== undefined)("where the real programs are", () => {
    suite("the real controllers", startReal, updates);
  });
}
if (ONLY_ENGINE !== "real") suite("our controllers", startEmbedded, false);

it("has a table in docs/kubernetes-compatibility.md that tells what is compared", () => {
  const counted = Object.entries(areas).map(([area, list]) => ({
    area,
    texts: list.map(({ name }) => recorded(name)),
  }));
  expect(updateCompatibilityTable(counted, updates)).toBe(true);
});
