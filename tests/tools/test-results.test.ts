// What `npm test` counts, with files that are asked a second time among it.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";

interface Result {
  passed: number;
  failed: number;
  skipped: number;
  failedFiles: string[];
  ofFailedFiles: { passed: number; skipped: number };
  unsteady?: string[];
}

const file = pathToFileURL(join(import.meta.dirname, "../../tools/test-results.mjs")).href;
const { canAskAgain, resultOf, withSecondTry } = (await import(file)) as {
  canAskAgain(result: Result): boolean;
  resultOf(report: object | undefined, run: { root: string; ended: number | null }): Result;
  withSecondTry(first: Result, second: Result): Result;
};

/** A report as vitest writes it: each file is the list of its tests' states. */
function report(files: Record<string, string[]>): object {
  const all = Object.values(files).flat();
  const number = (state: string) => all.filter((each) => each === state).length;
  return {
    numPassedTests: number("passed"),
    numFailedTests: number("failed"),
    numPendingTests: number("skipped"),
    numTodoTests: 0,
    testResults: Object.entries(files).map(([name, states]) => ({
      name: join("/project", name),
      status: states.includes("failed") ? "failed" : "passed",
      assertionResults: states.map((status) => ({ status })),
    })),
  };
}

const result = (files: Record<string, string[]>, ended: number | null = 0) =>
  resultOf(report(files), { root: "/project", ended });
const FIRST = { "a.test.ts": ["passed", "passed"], "b.test.ts": ["passed", "failed", "skipped"] };

describe("the counts of a run", () => {
  test("are those of its report", () => {
    expect(result(FIRST, 1)).toMatchObject({ passed: 3, failed: 1, skipped: 1, failedFiles: ["b.test.ts"] });
  });

  test("have a failure when the run ended badly without a failed test", () => {
    expect(result({ "a.test.ts": ["passed"] }, 1)).toMatchObject({ passed: 1, failed: 1 });
    expect(result({ "a.test.ts": ["passed"] }, null)).toMatchObject({ passed: 1, failed: 1 });
  });

  test("have a failure when there is no report", () => {
    expect(resultOf(undefined, { root: "/project", ended: 0 })).toMatchObject({ passed: 0, failed: 1 });
  });
});

describe("a second try", () => {
  test("is for a few failed files, not for a run that broke, passed or failed widely", () => {
    expect(canAskAgain(result(FIRST, 1))).toBe(true);
    expect(canAskAgain(result({ "a.test.ts": ["passed"] }))).toBe(false);
    expect(canAskAgain(resultOf(undefined, { root: "/project", ended: 1 }))).toBe(false);
    const widely = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [`${name}.test.ts`, ["failed"]]));
    expect(canAskAgain(result(widely, 1))).toBe(false);
  });

  test("that passes counts each test once and names the files", () => {
    const both = withSecondTry(result(FIRST, 1), result({ "b.test.ts": ["passed", "passed", "skipped"] }));
    expect(both).toMatchObject({ passed: 4, failed: 0, skipped: 1, unsteady: ["b.test.ts"] });
  });

  test("that fails changes nothing", () => {
    const first = result(FIRST, 1);
    expect(withSecondTry(first, result({ "b.test.ts": ["failed", "passed", "skipped"] }, 1))).toEqual(first);
  });
});
