import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "#base/clock";
import { olderParts, openContainerLog } from "./container-log.ts";
import { countLines, renderLog } from "./render-log.ts";

const at = (second: number) => `2026-01-01T00:00:0${second}.000000000Z`;
const log = [
  `${at(1)} stdout F one`,
  `${at(2)} stderr P lo`,
  `${at(2)} stderr F ng`,
  `${at(3)} stdout F last`,
  "",
].join("\n");
const query = { tailLines: undefined, since: undefined, timestamps: false };

test("parts of a long line are one line, also when lines are counted", () => {
  expect(renderLog(log, query)).toBe("one\nlong\nlast\n");
  expect(renderLog(log, { ...query, tailLines: 2 })).toBe("long\nlast\n");
  expect(renderLog(log, { ...query, tailLines: 0 })).toBe("");
  expect(countLines(log)).toBe(3);
});

test("since and time stamps", () => {
  expect(renderLog(log, { ...query, since: Date.parse(at(3)), timestamps: true })).toBe(`${at(3)} last\n`);
});

test("a log keeps itself and four older parts", () => {
  const folder = mkdtempSync(join(tmpdir(), "log-"));
  const path = join(folder, "0.log");
  const written = openContainerLog(path, systemClock);
  const line = Buffer.from(`${"x".repeat(16_000)}\n`);
  for (let index = 0; index < 700 * 6; index++) written.write("stdout", line);
  written.close();
  expect(readdirSync(folder).sort()).toEqual(["0.log", "0.log.1", "0.log.2", "0.log.3", "0.log.4"]);
  expect(olderParts(path)[0]).toBe(`${path}.1`);
  rmSync(folder, { recursive: true });
});
