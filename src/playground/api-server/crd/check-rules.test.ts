// Where the refusals of rules stand and what they say, as a real API server 1.35.4 does it.
import { describe, expect, it } from "vitest";
import { fieldErrorText } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import type { Schema, ValidationRule } from "../schema/schema.ts";
import { checkRules } from "./check-rules.ts";

const ruled = (schema: Schema, ...rules: readonly Partial<ValidationRule>[]): Schema => ({
  ...schema,
  "x-kubernetes-validations": rules.map((rule) => ({ rule: "false", ...rule })),
});
const text: Schema = { type: "string" };
const map: Schema = { type: "object", additionalProperties: text };
const fields = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: "object", properties });

const refusals = (form: Schema, object: JsonObject, old?: JsonObject) =>
  checkRules(form, { object, old }).map((error) => `${error.field}: ${fieldErrorText(error)}`);

const ofSpec = (schema: Schema, spec: JsonValue, old?: JsonValue) =>
  refusals(fields({ spec: schema }), { spec }, old === undefined ? undefined : { spec: old });

describe("the path of a rule", () => {
  it.each<readonly [string, Schema, string]>([
    [".a", map, "spec.[a]"],
    ["['a.b']", map, "spec.[a.b]"],
    [".a", fields({ a: text }), "spec.a"],
    ["['a']", fields({ a: text }), "spec.a"],
    [".a.b", fields({ a: map }), "spec.a[b]"],
    [".a['b']", fields({ a: fields({ b: text }) }), "spec.a.b"],
    ["", map, "spec"],
  ])("%s leads below the value", (fieldPath, schema, expected) => {
    expect(ofSpec(ruled(schema, { fieldPath }), {})).toEqual([`${expected}: Invalid value: failed rule: false`]);
  });

  it("stands alone at the root", () => {
    expect(refusals(ruled(fields({ spec: map }), { fieldPath: ".spec" }), {})).toEqual([
      "spec: Invalid value: failed rule: false",
    ]);
  });

  it("names the keys of maps", () => {
    const form = { type: "object", additionalProperties: ruled(text, {}) } as const;
    expect(ofSpec(form, { "a.b": "x" })).toEqual(['spec[a.b]: Invalid value: "x": failed rule: false']);
  });
});

describe("a refusal", () => {
  it("as a duplicate shows the value of a scalar alone", () => {
    const reason = "FieldValueDuplicate";
    expect(ofSpec(ruled(map, { reason }), {})).toEqual(["spec: Duplicate value"]);
    expect(ofSpec(ruled(text, { reason }), "x")).toEqual(['spec: Duplicate value: "x"']);
  });

  it("takes the plain message where its expression wants an optional value", () => {
    const rule = {
      rule: "!oldSelf.hasValue() || oldSelf.value() == self",
      optionalOldSelf: true,
      message: "set once",
      messageExpression: "'was ' + oldSelf.value()",
    };
    expect(ofSpec(ruled(text, rule), "x", "y")).toEqual(['spec: Invalid value: "x": set once']);
  });
});

describe("what an update leaves as it was", () => {
  it("is not held against it, nor what is in a list that was not changed", () => {
    const list: Schema = { type: "array", items: ruled(text, {}) };
    expect(ofSpec(list, ["x"], ["x"])).toEqual([]);
    expect(ofSpec(list, ["x", "y"], ["x"])).toHaveLength(2);
  });

  it("is told apart by key in atomic maps too", () => {
    const atomic = { ...map, "x-kubernetes-map-type": "atomic", additionalProperties: ruled(text, {}) } as const;
    expect(ofSpec(atomic, { a: "x", b: "y" }, { a: "x" })).toEqual(['spec[b]: Invalid value: "y": failed rule: false']);
  });
});
