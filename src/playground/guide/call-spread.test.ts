import { describe, expect, test } from "vitest";
import { countAnswers, type Spread, whyNotSpread } from "./call-spread.ts";
import { renderSpreads, shortCommand } from "./report.ts";

const answer = (version: string, instance: string) => `Hello version: ${version}, instance: ${instance}`;

test("answers are counted by pod; what is none, and what never came, is an error", () => {
  const lines = [answer("v2", "b"), answer("v1", "a"), answer("v1", "a"), "curl: (28) timed out"];
  const spread = countAnswers("c1", 5, lines);
  expect(spread.answers).toEqual([
    { version: "v1", instance: "a", count: 2 },
    { version: "v2", instance: "b", count: 1 },
  ]);
  expect(spread.errors).toEqual(["curl: (28) timed out", "no answer"]);
});

describe("the promise", () => {
  const spread = (v1: number, v2: number, errors: string[] = []): Spread => ({
    client: "c1",
    calls: v1 + v2 + errors.length,
    answers: [
      { version: "v1", instance: "a", count: v1 },
      { version: "v2", instance: "b", count: v2 },
    ].filter((entry) => entry.count > 0),
    errors,
  });
  const why = (of: Spread) => whyNotSpread(of, ["v1", "v2"]);

  test.each([
    [spread(100, 100), undefined],
    [spread(131, 69), undefined],
    [spread(136, 64), /far from 100/],
    [spread(200, 0), "c1 never reached version v2"],
    [spread(100, 99, ["curl: (7) refused"]), "1 of 200 calls from c1 failed: curl: (7) refused"],
  ])("of %o is kept unless: %s", (of, expected) => {
    if (expected === undefined) expect(why(of)).toBeUndefined();
    else expect(why(of)).toMatch(expected);
  });

  test("is shown by client, version and answering cluster", () => {
    expect(renderSpreads([spread(3, 1, ["refused"])], new Map([["a", "c1"]]))).toBe(
      [
        "  CLIENT   VERSION   ANSWERED BY   CALLS    ERRORS",
        "  c1       v1        c1            3 of 5",
        "  c1       v2        ?             1 of 5",
        "  c1       -         -             1 of 5   refused",
        "",
      ].join("\n"),
    );
  });
});

test("a command is told on one line", () => {
  expect(shortCommand("kubectl get \\\n    pods")).toBe("kubectl get pods");
  expect(shortCommand("cat <<EOF > cluster1.yaml\nkind: X\nEOF")).toBe("cat ... > cluster1.yaml");
  expect(shortCommand("x".repeat(500)).length).toBeLessThan(200);
});
