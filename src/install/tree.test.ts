import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tree } from "#api/install/istio-operator/istio-operator";
import { mergeTrees, parsePath, parseSetValue, setAtPath, stringAt, valueAt } from "./tree.ts";

describe("mergeTrees", () => {
  test.each([
    ["objects merge by key", { a: { x: 1, y: 2 } }, { a: { y: 3 } }, { a: { x: 1, y: 3 } }],
    ["lists are replaced", { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ["a value replaces an object", { a: { x: 1 } }, { a: "b" }, { a: "b" }],
    ["an object replaces a value", { a: "b" }, { a: { x: 1 } }, { a: { x: 1 } }],
    ["null removes", { a: { x: 1, y: 2 } }, { a: { x: null } }, { a: { y: 2 } }],
    ["null of nothing is nothing", {}, { a: null }, {}],
  ])("%s", (_, under, over, merged) => {
    expect(mergeTrees(under as Tree, over as Tree)).toEqual(merged);
  });

  const tree = fc.dictionary(
    fc.constantFrom("a", "b", "c"),
    fc.oneof(fc.integer(), fc.dictionary(fc.constantFrom("x", "y"), fc.oneof(fc.integer(), fc.string()))),
  );
  test("changes neither input; twice is once", () => {
    fc.assert(
      fc.property(tree, tree, (under, over) => {
        const before = structuredClone([under, over]);
        const merged = mergeTrees(under as Tree, over as Tree);
        expect([under, over]).toEqual(before);
        expect(mergeTrees(merged, over as Tree)).toEqual(merged);
      }),
    );
  });
});

describe("paths", () => {
  test.each([
    ["a.b", ["a", "b"]],
    ["a[0].b", ["a", 0, "b"]],
    ["a.[name:x].b", ["a", { key: "name", value: "x" }, "b"]],
    ["a[name:x.y/z].b", ["a", { key: "name", value: "x.y/z" }, "b"]],
    ["a[v]", ["a", { key: "", value: "v" }]],
    ["metadata.annotations.example\\.com/owner", ["metadata", "annotations", "example.com/owner"]],
  ])("%s", (path, steps) => {
    expect(parsePath(path)).toEqual(steps);
  });

  test.each(["", ".", "a]b", "a[b", "__proto__.x", "a.__proto__"])("%j is none", (path) => {
    expect(() => parsePath(path)).toThrow("is not a path");
  });

  test.each([
    ["makes what is missing", {}, "a.b[0].c", 1, { a: { b: [{ c: 1 }] } }],
    [
      "finds by key",
      { l: [{ name: "x" }, { name: "y" }] },
      "l[name:y].v",
      1,
      { l: [{ name: "x" }, { name: "y", v: 1 }] },
    ],
    ["adds what a key does not find", { l: [] }, "l[name:y].v", 1, { l: [{ name: "y", v: 1 }] }],
    ["deletes a field", { a: { b: 1, c: 2 } }, "a.b", undefined, { a: { c: 2 } }],
    ["deletes an item", { l: ["p", "q"] }, "l[q]", undefined, { l: ["p"] }],
  ])("setAtPath %s", (...[, root, path, value, expected]) => {
    const tree = structuredClone(root) as Tree;
    setAtPath(tree, path, value);
    expect(tree).toEqual(expected);
  });

  test("a selector needs a list", () => {
    expect(() => setAtPath({ a: {} }, "a[name:x].b", 1)).toThrow("[name:x] needs a list");
  });

  test("reading", () => {
    const tree: Tree = { a: { b: 1, c: { d: true } } };
    expect([valueAt(tree, "a.b"), valueAt(tree, "a.x.y"), stringAt(tree, "a.c.d"), stringAt(tree, "a.c")]).toEqual([
      1,
      undefined,
      "true",
      "",
    ]);
  });
});

describe("parseSetValue", () => {
  test.each([
    ["true", true],
    ["false", false],
    ["null", null],
    ["3", 3],
    ["-0.5", -0.5],
    ["1.10", "1.10"],
    ["007", "007"],
    ["12345678901234567890", "12345678901234567890"],
    ["10m", "10m"],
    ["a=b", "a=b"],
    ["", ""],
  ])("%j", (text, value) => {
    expect(parseSetValue(text)).toBe(value);
  });
});
