// What a real API server 1.35.4 says of custom resources that it refuses.
import { describe, expect, it } from "vitest";
import { fieldErrorText } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import type { CustomKind } from "../resource-kind.ts";
import type { Schema } from "../schema/schema.ts";
import { checkResource } from "./check-resource.ts";

const rule = (text: string, more: object = {}) => ({ rule: text, ...more });

const form: Schema = {
  type: "object",
  "x-kubernetes-validations": [rule("!has(self.spec) || self.spec.n < 10")],
  properties: {
    spec: {
      type: "object",
      "x-kubernetes-validations": [
        rule("self.n > 0", { messageExpression: '"n " + "is bad"', fieldPath: ".n", reason: "FieldValueForbidden" }),
        rule("has(self.a) || has(self.b)", { message: "a or b" }),
      ],
      required: ["n"],
      properties: {
        n: { type: "integer" },
        a: { type: "string", maxLength: 5, enum: ["x", "y"] },
        b: { type: "string" },
        im: { type: "string", "x-kubernetes-validations": [rule("self == oldSelf", { message: "im is immutable" })] },
        opt: {
          type: "string",
          "x-kubernetes-validations": [
            rule("!oldSelf.hasValue() || oldSelf.value() == self", { optionalOldSelf: true, message: "opt" }),
          ],
        },
        url: {
          type: "string",
          "x-kubernetes-validations": [rule('url(self).getScheme() == "https"', { message: "tls" })],
        },
        port: { "x-kubernetes-int-or-string": true },
        emb: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
        tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
        idx: { type: "array", items: { type: "string" }, "x-kubernetes-validations": [rule('self[2] == "a"')] },
        ml: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: {
              name: { type: "string" },
              v: { type: "integer", "x-kubernetes-validations": [rule("self >= oldSelf", { message: "no down" })] },
            },
          },
        },
      },
    },
  },
};

const custom: CustomKind = {
  definition: "cels.example.com",
  form,
  columns: [],
  selectableFields: [],
  terminating: false,
  deprecation: "",
};

const refusals = (spec: JsonObject, old?: JsonObject) =>
  checkResource(custom, {
    object: { spec },
    old: old === undefined ? undefined : { spec: old },
    subresource: "",
  }).map((error) => `${error.field}: ${fieldErrorText(error)}`);

const UNCHECKED =
  "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
const good = { n: 1, a: "x" };

describe("a new object", () => {
  it.each<readonly [JsonObject, readonly string[]]>([
    [good, []],
    [{ n: 0, a: "x" }, ["spec.n: Forbidden: n is bad"]],
    [{ n: 50, b: "x" }, ["<nil>: Invalid value: failed rule: !has(self.spec) || self.spec.n < 10"]],
    [{ n: 1 }, ["spec: Invalid value: a or b"]],
    [{ n: "x" }, ['spec.n: Invalid value: "string": spec.n in body must be of type integer: "string"', UNCHECKED]],
    [
      { n: 1.5, a: "x" },
      ['spec.n: Invalid value: "number": spec.n in body must be of type integer: "number"', UNCHECKED],
    ],
    [{ a: "x" }, ["spec.n: Required value", UNCHECKED]],
    [{ n: 1, a: "z" }, ['spec.a: Unsupported value: "z": supported values: "x", "y"', UNCHECKED]],
    [
      { ...good, port: true },
      ['spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"', UNCHECKED],
    ],
    [{ ...good, tags: ["a", "a"] }, ['spec.tags[1]: Duplicate value: "a"']],
    [{ ...good, ml: [{ name: "a" }, { name: "a" }] }, ['spec.ml[1]: Duplicate value: {"name":"a"}']],
    [{ ...good, emb: { kind: "Pod" } }, ["spec.emb.apiVersion: Required value", UNCHECKED]],
    [{ ...good, url: "http://x" }, ['spec.url: Invalid value: "http://x": tls']],
    [
      { ...good, idx: ["a"] },
      ['spec.idx: Invalid value: "array": index out of bounds: 2 evaluating rule: self[2] == "a"'],
    ],
    [{ ...good, im: "x", opt: "x" }, []],
  ])("%j", (spec, expected) => {
    expect(refusals(spec)).toEqual(expected);
  });
});

describe("an update", () => {
  const old: JsonObject = { ...good, im: "v", opt: "v", ml: [{ name: "a", v: 5 }], url: "http://x" };
  it.each<readonly [JsonObject, readonly string[]]>([
    [{ im: "w" }, ['spec.im: Invalid value: "w": im is immutable']],
    [{ opt: "w" }, ['spec.opt: Invalid value: "w": opt']],
    [{ ml: [{ name: "a", v: 4 }] }, ["spec.ml[0].v: Invalid value: 4: no down"]],
    [{ ml: [{ name: "b", v: 1 }] }, []],
  ])("%j", (change, expected) => {
    expect(refusals({ ...old, ...change }, old)).toEqual(expected);
  });

  it("does not hold against a value what it was before", () => {
    expect(refusals({ ...old, n: 2 }, old)).toEqual([]);
    expect(refusals({ ...old, url: "http://y" }, old)).toEqual(['spec.url: Invalid value: "http://y": tls']);
  });
});
