import { expect, it } from "vitest";
import { parseMerging } from "./merge-doubled.ts";

it("lays what is said twice over each other, as Go's decoder does", () => {
  const text =
    '{"metadata":{"name":"a","labels":{"x":"1"}},"list":[{"a":1},{"b":"}"}],"metadata":{"name":"b"},"list":[{"c":[]}]}';
  expect(parseMerging(text)).toEqual({ metadata: { name: "b", labels: { x: "1" } }, list: [{ a: 1, c: [] }] });
});

it("reads what a JSON parser reads", () => {
  const text = '{ "a\\"b" : [ 1.5e3, true, null, "\\u00e9, {}" ], "empty" : {} , "no": [] }';
  expect(parseMerging(text)).toEqual(JSON.parse(text));
});
