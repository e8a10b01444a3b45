import { describe, expect, it } from "vitest";
import { listOf, mapOf, objectOf, scalar } from "./cel-type.ts";
import { compileExpression } from "./compile.ts";
import { toJson } from "./program.ts";

const text = scalar("string");
const self = objectOf({ s: text, o: objectOf({ x: text }), l: listOf(text), m: mapOf(text, text) });
const value = new Map<string, unknown>([
  ["o", new Map([["x", "in"]])],
  ["l", ["a", "b"]],
  ["m", new Map([["k", "v"]])],
]);

function run(expression: string): unknown {
  const { program, issues } = compileExpression(expression, { self });
  if (program === undefined) return issues.split("\n")[0];
  try {
    return toJson(program.run({ self: value as never }));
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : thrown;
  }
}

describe("what may not be there", () => {
  it.each([
    ["self.?s.hasValue()", false],
    ["self.?s.orValue('none')", "none"],
    ["self.?o.?x.orValue('')", "in"],
    ["self.?o.x.orValue('')", "in"],
    ["self.?s.optMap(v, v + '!').orValue('none')", "none"],
    ["self.?o.optMap(v, v.x + '!').orValue('none')", "in!"],
    ["self.?o.optFlatMap(v, v.?x).value()", "in"],
    ["self.l[?0].value() + self.l[?5].orValue('-')", "a-"],
    ["self.m[?'k'].value() + self.m[?'q'].orValue('-')", "v-"],
    ["[?self.?s, 'b', ?self.l[?1]]", ["b", "b"]],
    ["{?'a': self.?s, 'b': 'c', ?'d': self.l[?0]}", { b: "c", d: "a" }],
    ["optional.unwrap([self.?s, self.l[?0]])", ["a"]],
    ["[optional.none(), optional.of(1)].unwrapOpt()", [1]],
    ["self.l.first().value() + self.l.last().value()", "ab"],
    ["true ? [?self.?s] == [] : false", true],
    ["self.?s.value()", "optional.none() dereference"],
    ["self.?none.hasValue()", "ERROR: <input>:1:5: undefined field 'none'"],
    ["self.s.?x.hasValue()", "ERROR: <input>:1:7: type 'string' does not support field selection"],
    ["[?'b']", "ERROR: <input>:1:3: expected type 'optional_type(string)' but found 'string'"],
    ["{?'a': 'b'}", "ERROR: <input>:1:8: expected type 'optional_type(string)' but found 'string'"],
    ["self.?s.optMap(v.x, v)", "ERROR: <input>:1:17: optMap() variable name must be a simple identifier"],
  ])("%s", (expression, result) => expect(run(expression)).toEqual(result));
});

describe("functions of later libraries", () => {
  it.each([
    ["semver('1.2.3').minor() + semver('1.2.3').patch()", 5],
    ["semver('1.2.3-rc.1').isLessThan(semver('1.2.3'))", true],
    ["semver('v1.02', true).compareTo(semver('1.2.0'))", 0],
    ["isSemver('v1') || isSemver('1.0')", false],
    ["quantity('1').isLessThan(quantity('2'))", true],
    ["format.dns1123Label().validate('ok').hasValue()", false],
    ["format.named('uuid').value().validate('x').value()", ["does not match the UUID format"]],
    ["format.named('none').hasValue()", false],
    ["lists.range(3)", [0, 1, 2]],
    ["[3, 1, 2].sortBy(x, -x)", [3, 2, 1]],
    ["self.m.transformMap(k, v, k + v)", { k: "kv" }],
    ["self.m.transformMap(k, v, v != 'v', k)", {}],
    ["self.m.transformMapEntry(k, v, {v: k})", { v: "k" }],
    ["self.l.transformList(i, v, i > 0, v)", ["b"]],
    ["[[1], [2, 3]].flatten()", [1, 2, 3]],
  ])("%s", (expression, result) => expect(run(expression)).toEqual(result));
});

describe("what can be seen before it runs", () => {
  it.each([
    ["self.s.matches('[')", "ERROR: <input>:1:16: invalid matches argument"],
    ["duration('1x') < duration('1s')", "ERROR: <input>:1:10: invalid duration argument"],
    ["timestamp('x') < timestamp('2001-01-01T00:00:00Z')", "ERROR: <input>:1:11: invalid timestamp argument"],
    ["1 in [1, 2, 'x']", "ERROR: <input>:1:13: expected type 'int' but found 'string'"],
    ["{'a': 1, 'b': 'c'} == {}", "ERROR: <input>:1:15: expected type 'int' but found 'string'"],
    ["1 && true", "ERROR: <input>:1:1: expected type 'bool' but found 'int'"],
    ["[] == {}", "ERROR: <input>:1:4: found no matching overload for '_==_' applied to '(list(dyn), map(dyn, dyn))'"],
  ])("%s", (expression, result) => expect(run(expression)).toBe(result));
});
