// Sentences of Kubernetes' parser, as a real API server gives them.
import { describe, expect, it } from "vitest";
import { parseLabelSelector } from "./label-selector-text.ts";

describe("parseLabelSelector", () => {
  it("reads each kind of requirement", () => {
    expect(parseLabelSelector("z,!y,b in (2,1),a notin (x),c==3,d!=4,e>5")).toEqual([
      { key: "z", operator: "exists", values: [] },
      { key: "y", operator: "!", values: [] },
      { key: "b", operator: "in", values: ["1", "2"] },
      { key: "a", operator: "notin", values: ["x"] },
      { key: "c", operator: "==", values: ["3"] },
      { key: "d", operator: "!=", values: ["4"] },
      { key: "e", operator: "gt", values: ["5"] },
    ]);
  });

  it("takes nothing between commas as an empty value", () => {
    expect(parseLabelSelector("a in ()")[0]?.values).toEqual([""]);
    expect(parseLabelSelector("a in (,x,)")[0]?.values).toEqual(["", "x"]);
  });

  it.each([
    ["app in web", "unable to parse requirement: found 'web' expected: '('"],
    ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
    ["a=,b=", undefined],
  ])("%s: %s", (text, fault) => {
    const read = () => parseLabelSelector(text);
    if (fault === undefined) expect(read).not.toThrow();
    else expect(read).toThrow(fault);
  });

  it("refuses keys and values that are no labels", () => {
    expect(() => parseLabelSelector("a/b/c=x")).toThrow(
      /^unable to parse requirement: <nil>: Invalid value: "a\/b\/c"/,
    );
    expect(() => parseLabelSelector("a=b_")).toThrow(
      /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "b_"/,
    );
  });
});
