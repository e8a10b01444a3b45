import { describe, expect, it } from "vitest";
import { type CelType, DYN, mapOf, scalar } from "./cel-type.ts";
import { compileExpression } from "./compile.ts";
import { toJson } from "./program.ts";
import { celInput } from "./values.ts";

function run(text: string, self: Parameters<typeof celInput>[1] = null): unknown {
  const { program, issues } = compileExpression(text, { self: DYN });
  if (program === undefined) throw new Error(issues);
  return toJson(program.run({ self: celInput(undefined, self) }));
}

describe("Kubernetes' functions", () => {
  it.each([
    ["[1, 2, 2].isSorted() && ![2, 1].isSorted()", true],
    ["[1, 2, 3].sum() + [4, 5].max() + [4, 5].min()", 15],
    ["['a', 'b', 'a'].indexOf('a') + ['a', 'b', 'a'].lastIndexOf('a')", 2],
    ["'abc 123'.find('[0-9]+')", "123"],
    ["'123 abc 456'.findAll('[0-9]+')", ["123", "456"]],
    ["sets.contains([1, 2], [2]) && !sets.intersects([1], [2])", true],
    ["quantity('1Gi').isLessThan(quantity('2Gi')) && quantity('1000m') == quantity('1')", true],
    ["quantity('1.5').add(1).asApproximateFloat()", 2.5],
    ["isURL('https://a:80/b') && url('https://a:80/b?x=1').getPort() == '80'", true],
    ["url('https://a:443/b').getHost()", "a:443"],
    ["isIP('::1') && ip('::1').isLoopback() && ip('1.2.3.4').family() == 4", true],
    ["cidr('10.0.0.0/8').containsIP('10.1.1.1') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')", true],
    ["optional.none().orValue(3) + optional.of(4).value()", 7],
    ["[1, 2].all(i, v, v == i + 1) && {'a': 1}.exists(k, v, k == 'a' && v == 1)", true],
    ["'%s-%d'.format(['a', 1])", "a-1"],
    ["duration('90s') > duration('1m') && timestamp('2020-01-01T00:00:00Z').getFullYear() == 2020", true],
  ])("%s", (text, value) => {
    expect(run(text)).toEqual(value);
  });
});

it("reads fields and keys of objects", () => {
  expect(run("has(self.a) && !has(self.b) && self.a[0].c == 1 && 'a' in self", { a: [{ c: 1 }] })).toBe(true);
});

it.each([
  ["self.b", "no such key: b"],
  ["[1][5]", "index out of bounds: 5"],
  ["1 / 0", "division by zero"],
  ["int('x')", "type conversion error from 'string' to 'int'"],
])("fails in Kubernetes' words: %s", (text, words) => {
  expect(() => run(text, { a: 1 })).toThrow(words);
});

it("takes an empty map where a map of a known type stands beside it", () => {
  const labels: CelType = mapOf(scalar("string"), scalar("string"));
  const { issues } = compileExpression("(size(self) > 0 ? self : {}).size() > 0 && (true ? [] : ['a']).size() == 0", {
    self: labels,
  });
  expect(issues).toBe("");
});
