import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HeldLock, holdLock, runLock } from "./lock.ts";
import { playgroundPaths } from "./playground-paths.ts";
import { showStatus } from "./show-status.ts";

let state: string;
let held: HeldLock | undefined;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "isthmus-"));
});
afterEach(async () => {
  await held?.release();
  rmSync(state, { recursive: true, force: true });
});

test("who asks for a playground that is not up hears of those that are", async () => {
  const env = { XDG_STATE_HOME: state };
  for (const name of ["gone", "other"]) {
    mkdirSync(playgroundPaths(name, env).stateDir, { recursive: true });
    writeFileSync(playgroundPaths(name, env).statusFile, JSON.stringify({ name, phase: "ready", clusters: [] }));
  }
  held = await holdLock(runLock(playgroundPaths("other", env)));
  const told: string[] = [];
  const tell = (line: string) => told.push(line);
  const context = { env, program: () => [], tell, print: tell };
  expect(await showStatus({ name: "default", output: "table" }, context)).toBe(1);
  expect(told).toEqual([
    "playground default is not running; start it: isthmus playground up --name default; running: --name other",
  ]);
});
