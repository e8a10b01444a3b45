import { describe, expect, it } from "vitest";
import type { JsonValue } from "../contract.ts";
import type { Schema } from "../schema/schema.ts";
import { isKept } from "./kept-value.ts";

const item: Schema = { type: "object", properties: { k: { type: "string" }, v: { type: "integer" } } };
const keyed: Schema = {
  type: "array",
  items: item,
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["k"],
};
const plain: Schema = { type: "array", items: item };
const open: Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

describe("a value of before", () => {
  const one = [{ k: "a", v: 1 }, { k: "b" }];
  it.each<[string, Schema, [JsonValue, JsonValue], boolean]>([
    ["items with keys that change places", keyed, [one, one.toReversed()], true],
    ["an item with keys that changes", keyed, [one, [{ k: "a", v: 2 }, { k: "b" }]], false],
    ["an item with another key", keyed, [one, [{ k: "a", v: 1 }, { k: "c" }]], false],
    ["items without keys that change places", plain, [one, one.toReversed()], false],
    ["items without keys that stay", plain, [one, structuredClone(one)], true],
    ["what no schema tells of", open, [{ a: 1 }, { a: 1 }], false],
    ["a field that comes", item, [{ k: "a" }, { k: "a", v: 1 }], false],
    ["null", item, [null, null], true],
  ])("%s", (_, schema, [before, after], kept) => expect(isKept(schema, before, after)).toBe(kept));
});
