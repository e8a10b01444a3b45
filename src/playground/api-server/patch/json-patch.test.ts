import { expect, it } from "vitest";
import type { JsonValue } from "../contract.ts";
import { applyJsonPatch, PatchFault } from "./json-patch.ts";

const document = { a: { b: 1 }, list: ["x", "y"], nothing: null };

it.each<[string, JsonValue[], JsonValue]>([
  ["replaces what is not there", [{ op: "replace", path: "/a/new", value: 2 }], { ...document, a: { b: 1, new: 2 } }],
  [
    "copies what is not there as null",
    [{ op: "copy", from: "/no", path: "/a/c" }],
    { ...document, a: { b: 1, c: null } },
  ],
  ["takes a missing field for null in a test", [{ op: "test", path: "/no", value: null }], document],
  [
    "adds at the end and before an index",
    [
      { op: "add", path: "/list/-", value: "z" },
      { op: "add", path: "/list/0", value: "w" },
    ],
    { ...document, list: ["w", "x", "y", "z"] },
  ],
  ["counts from the end", [{ op: "remove", path: "/list/-1" }], { ...document, list: ["x"] }],
  ["moves", [{ op: "move", from: "/a/b", path: "/moved~1to" }], { ...document, a: {}, "moved/to": 1 }],
])("%s", (_name, operations, expected) => {
  expect(applyJsonPatch(document, operations)).toEqual(expected);
});

it.each<[string, JsonValue]>([
  ["removes what is not there", { op: "remove", path: "/no" }],
  ["goes through what is not there", { op: "replace", path: "/no/deep", value: 1 }],
  ["goes through null", { op: "add", path: "/nothing/x", value: 1 }],
  ["tests another value", { op: "test", path: "/a/b", value: 2 }],
  ["adds behind the end", { op: "add", path: "/list/4", value: "z" }],
  ["is no operation", { op: "own", path: "/a" }],
])("refuses a patch that %s", (_name, operation) => {
  expect(() => applyJsonPatch(document, [operation])).toThrow(PatchFault);
});
