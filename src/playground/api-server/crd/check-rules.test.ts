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

describe("the cost of rules", () => {
  // A look at 1,000 letters with a pattern of 400 costs 10,100.
  const pattern = `^b${"x".repeat(399)}`;
  const dear = (times: number) => `[${"1, ".repeat(times - 1)}1].all(i, !self.matches('${pattern}'))`;
  const long = "a".repeat(1000);
  const end = "no further validation rules will be run";

  it("of one run has an end, behind which no rule is looked at", () => {
    const rule = dear(150);
    const stopped = `'operation cancelled: actual cost limit exceeded': ${end} due to call cost exceeds limit for rule: x`;
    expect(ofSpec(ruled(text, { rule, message: "x" }, { rule: "false" }), long)).toEqual([
      `spec: Invalid value: "string": ${stopped}`,
    ]);
    expect(ofSpec(ruled(text, { rule }, { rule: "false" }), "a")).toEqual([
      'spec: Invalid value: "a": failed rule: false',
    ]);
  });

  it("of all runs for an object has an end", () => {
    const list: Schema = { type: "array", items: ruled(text, { rule: dear(90) }) };
    expect(ofSpec(list, Array(13).fill(long))).toEqual([
      `spec[10]: Invalid value: "string": validation failed due to running out of cost budget, ${end}`,
    ]);
  });

  it("counts for words about a refusal, too", () => {
    const messageExpression = `${dear(150)} ? 'a' : 'b'`;
    const [refusal] = ofSpec(ruled(text, { messageExpression }, {}), long);
    expect(refusal).toContain(`${end} due to call cost exceeds limit for messageExpression: "[1, `);
  });
});
