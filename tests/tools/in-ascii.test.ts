import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";

const file = pathToFileURL(join(import.meta.dirname, "../../tools/build/in-ascii.mjs")).href;
const { inAscii } = (await import(file)) as { inAscii(code: string): string };

const PROGRAM = [
  "const units = { µs: 1 }; const pick = /^(?:µs|[α-ω😀])$/u;",
  'JSON.stringify(["✔ – 😀", `…`, units.µs, units["µs"], pick.test("β"), pick.test("😀"), "\\\\→"])',
].join("\n");

test("a program in ASCII says what it said", () => {
  const code = inAscii(PROGRAM);
  expect(code).toMatch(/^\p{ASCII}*$/u);
  expect(runInNewContext(code)).toBe(runInNewContext(PROGRAM));
});

test.each(["/\\…/", "String.raw`a…`"])("%s has no form in ASCII", (code) => {
  expect(() => inAscii(code)).toThrow("cannot be written in ASCII");
});

test("a raw template may stand beside what has one", () => {
  expect(inAscii("[String.raw`a`, `…`]")).toBe("[String.raw`a`, `\\u2026`]");
});
