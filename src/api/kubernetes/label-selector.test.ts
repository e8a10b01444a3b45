import { describe, expect, it } from "vitest";
import { matchesSelector } from "./label-selector.ts";

describe("matchesSelector", () => {
  it.each([
    [{}, { a: "1" }, true],
    [{ matchLabels: { a: "1" } }, { a: "1", b: "2" }, true],
    [{ matchLabels: { a: "1" } }, {}, false],
    [{ matchExpressions: [{ key: "a", operator: "In", values: ["1", "2"] }] }, { a: "2" }, true],
    [{ matchExpressions: [{ key: "a", operator: "NotIn", values: ["1"] }] }, {}, true],
    [{ matchExpressions: [{ key: "a", operator: "Exists" }] }, {}, false],
    [{ matchExpressions: [{ key: "constructor", operator: "Exists" }] }, {}, false],
    [{ matchExpressions: [{ key: "a", operator: "DoesNotExist" }] }, {}, true],
    [{ matchExpressions: [{ key: "a", operator: "Near" }] }, { a: "1" }, false],
  ])("%o on %o is %s", (selector, labels, expected) => {
    expect(matchesSelector(selector, labels)).toBe(expected);
  });
});
