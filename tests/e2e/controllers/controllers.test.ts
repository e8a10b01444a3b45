// The same scenarios on our controllers and on the real ones end in the same objects. What the real ones come to is
// recorded (`recorded/*.yaml`, written by UPDATE_RECORDED=1), so that ours are compared everywhere; where the real
// programs are at hand, they play too and must still come to what is recorded.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoRealApiServer } from "../../kit/real-api-server.ts";
import { type Engine, startEmbedded, startReal } from "./engines.ts";
import { outcomeOf, play } from "./play.ts";
import { areas } from "./scenarios/all-scenarios.ts";

const { UPDATE_RECORDED, ONLY_SCENARIO, ONLY_ENGINE, KEEP_ACTUAL } = process.env;
const folder = join(import.meta.dirname, "recorded");
const pattern = new RegExp(ONLY_SCENARIO ?? "");
const scenarios = Object.values(areas)
  .flat()
  .filter(({ name }) => pattern.test(name));
const recordingOf = (name: string) => join(folder, `${name}.yaml`);
const recorded = (name: string) => (existsSync(recordingOf(name)) ? readFileSync(recordingOf(name), "utf8") : "");

function suite(title: string, start: () => Promise<Engine>, update: boolean) {
  describe.concurrent(title, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await start();
    });
    afterAll(() => engine?.stop());
    for (const scenario of scenarios) {
      it(scenario.name, async () => {
        await play(engine, scenario);
        if (update) {
          mkdirSync(folder, { recursive: true });
          writeFileSync(recordingOf(scenario.name), (await outcomeOf(engine, scenario)).text);
          return;
        }
        const wanted = recorded(scenario.name);
        const { text } = await outcomeOf(engine, scenario, wanted);
        if (KEEP_ACTUAL !== undefined) writeFileSync(join(KEEP_ACTUAL, `${scenario.name}.yaml`), text);
        expect(text).toBe(wanted);
      });
    }
  });
}

if (ONLY_ENGINE !== "embedded") {
  describe.skipIf(whyNoRealApiServer() !== undefined)("real", () => {
    suite("the real controllers", startReal, UPDATE_RECORDED !== undefined);
  });
}
if (ONLY_ENGINE !== "real") suite("our controllers", startEmbedded, false);
