// Costs as Kubernetes reckons them; the differential test holds what it refuses for them against a real API server.
import { describe, expect, it } from "vitest";
import type { Schema } from "../schema/schema.ts";
import { typeOfSchema } from "./cel-type.ts";
import { compileExpression } from "./compile.ts";
import { sizedType } from "./sized-type.ts";

function costOf(schema: Schema, rule: string): number {
  const self = typeOfSchema(schema);
  const sized = sizedType(schema, false);
  if (self === undefined || sized === undefined) throw new Error("no type");
  const compiled = compileExpression(rule, { self, oldSelf: self });
  expect(compiled.issues).toBe("");
  return compiled.cost(sized);
}

const TEXT: Schema = { type: "string", maxLength: 10 };
const OBJECT: Schema = {
  type: "object",
  properties: { a: TEXT, n: { type: "integer" }, list: { type: "array", maxItems: 5, items: TEXT } },
};

describe("the most that an expression costs", () => {
  it.each([
    ["self.n > 1", 3],
    ["has(self.a)", 1],
    ["!has(self.a) || self.n <= 2", 5],
    ["self.a == 'x'", 3],
    ["self.a + self.a == 'x'", 13],
    ["self.list.all(x, x.startsWith('x'))", 2 + 5 * (2 + 3) + 1],
    ["self.list.map(x, x + 'y').size() > 1", 2 + 10 + 5 * 18 + 1 + 2],
  ])("%s", (rule, cost) => {
    expect(costOf(OBJECT, rule)).toBe(cost);
  });

  it("has no bound for texts of any length", () => {
    expect(costOf(OBJECT, "('there are ' + string(size(self.list))).size() > 0")).toBeGreaterThan(1e15);
  });
});
