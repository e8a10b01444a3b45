// The same scenarios on our controllers and on the real ones end in the same objects. What the real ones come to is
// recorded (`recorded/*.yaml`, written by UPDATE_RECORDED=1), so that ours are compared everywhere with all of it. Where
// the real programs are at hand, one scenario of each area plays on them too and must still come to what is recorded;
// with ONLY_ENGINE=real all do. ONLY_SCENARIO and ONLY_ENGINE narrow a run, KEEP_ACTUAL names a folder for what each
// came to, NOT_YET=1 plays what is known to differ.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoRealApiServer } from "../../kit/real-api-server.ts";
import { updateCompatibilityTable } from "./compatibility-table.ts";
import { type Engine, startEmbedded, startReal } from "./engines.ts";
import { type Outcome, outcomeOf, play } from "./play.ts";
import { areas, onRealToo } from "./scenarios/all-scenarios.ts";
import type { Scenario } from "./world.ts";

const { UPDATE_RECORDED, ONLY_SCENARIO, ONLY_ENGINE, KEEP_ACTUAL, NOT_YET } = process.env;
const updates = UPDATE_RECORDED !== undefined;
const folder = join(import.meta.dirname, "recorded");
const pattern = new RegExp(ONLY_SCENARIO ?? "");
const scenarios = Object.values(areas)
  .flat()
  .filter(({ name, notYet }) => pattern.test(name) && (notYet === undefined || NOT_YET !== undefined || updates));
const playsAllOnReal = updates || ONLY_ENGINE === "real" || ONLY_SCENARIO !== undefined;
const realScenarios = scenarios.filter(({ name }) => playsAllOnReal || onRealToo.has(name));
/** Scenarios that our controllers brought to the recorded end in this run. */
const equal = new Set<string>();
const recordingOf = (name: string) => join(folder, `${name}.yaml`);
const recorded = (name: string) => (existsSync(recordingOf(name)) ? readFileSync(recordingOf(name), "utf8") : "");
/** Scenarios of one engine that play at the same time, each in a namespace of its own. */
const AT_ONCE = 8;

interface Suite {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
  readonly record: boolean;
  start(): Promise<Engine>;
  /** Told of each scenario that ends as recorded. */
  onEqual?(name: string): void;
}

function suite({ title, scenarios, record, start, onEqual }: Suite) {
  describe(title, () => {
    let engine: Engine | undefined;
    const outcomes = new Map<string, Promise<Outcome>>();
    beforeAll(async () => {
      engine = await start();
      for (const [name, outcome] of playAll(engine, scenarios, record)) outcomes.set(name, outcome);
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
        const wanted = recorded(name);
        if (outcome.text === wanted) onEqual?.(name);
        expect(outcome.text).toBe(wanted);
      });
    }
  });
}

/** Starts them all; a scenario that fails does so where it is awaited. */
function playAll(engine: Engine, list: readonly Scenario[], record: boolean): Map<string, Promise<Outcome>> {
  const outcomes = new Map<string, Promise<Outcome>>();
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
  for (const scenario of slowestFirst(list)) {
    const outcome = run(scenario);
    outcome.catch(() => {});
    outcomes.set(scenario.name, outcome);
  }
  return outcomes;
}

/** A long wait in the background costs nothing when it begins early. */
function slowestFirst(list: readonly Scenario[]): Scenario[] {
  return [...list].sort((a, b) => Number(b.slow === true) - Number(a.slow === true));
}

if (ONLY_ENGINE !== "embedded") {
  describe.skipIf(whyNoRealApiServer() !== undefined)("where the real programs are", () => {
    suite({ title: "the real controllers", scenarios: realScenarios, record: updates, start: startReal });
  });
}
if (ONLY_ENGINE !== "real") {
  const onEqual = (name: string) => equal.add(name);
  suite({ title: "our controllers", scenarios, record: false, start: startEmbedded, onEqual });
}

// Only a run of all of ours can tell how many differ.
it.skipIf(ONLY_ENGINE === "real" || ONLY_SCENARIO !== undefined)(
  "has a table in docs/kubernetes-compatibility.md that tells what was compared, and how many differed in this run",
  () => {
    const counted = Object.entries(areas).map(([area, list]) => ({
      area,
      texts: list.map(({ name }) => recorded(name)),
      differences: list.filter(({ name }) => !equal.has(name)).length,
      notYet: list.flatMap(({ name, notYet }) => (notYet === undefined ? [] : [{ name, notYet }])),
    }));
    expect(updateCompatibilityTable(counted, updates || process.env["UPDATE_TABLE"] !== undefined)).toBe(true);
  },
);
