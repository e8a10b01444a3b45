// What cel-go 0.26 says of texts that are no expressions.
import { describe, expect, it } from "vitest";
import { DYN } from "./cel-type.ts";
import { compileExpression } from "./compile.ts";
import { syntaxFaults } from "./syntax-faults.ts";

const VALUE =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

const faults = (text: string) =>
  syntaxFaults(text).map(({ offset, message }) => `${offset} ${message.replace("Syntax error: ", "")}`);

describe("a text that is no expression", () => {
  it.each<readonly [string, readonly string[]]>([
    ["self +", [`6 mismatched input '<EOF>' expecting ${VALUE}`]],
    ["(self.a", ["7 missing ')' at '<EOF>'"]],
    ["self.a)", ["6 extraneous input ')' expecting <EOF>"]],
    ["self.a not in [1]", ["7 mismatched input 'not' expecting <EOF>"]],
    ["[1 2]", ["3 extraneous input '2' expecting {']', ','}"]],
    ["{'a': 1", ["7 mismatched input '<EOF>' expecting {'}', ','}"]],
    ["{a 1}", ["3 missing ':' at '1'"]],
    ["{1, 2}", ["2 mismatched input ',' expecting ':'", "4 extraneous input '2' expecting '}'"]],
    ["self = 'a'", ["5 token recognition error at: '= '", "7 extraneous input ''a'' expecting <EOF>"]],
    ["self == 'a", ["8 token recognition error at: ''a'", `10 mismatched input '<EOF>' expecting ${VALUE}`]],
    ["self == null;", ["12 token recognition error at: ';'"]],
    ["self..a", ["5 no viable alternative at input '..'"]],
    ["self.&a.b", ["5 token recognition error at: '&a'", "7 no viable alternative at input '..'"]],
    ["self.true", ["5 mismatched input 'true' expecting IDENTIFIER"]],
    ["!", [`1 extraneous input '<EOF>' expecting ${VALUE}`]],
    ["-)", ["1 no viable alternative at input '-)'", `1 mismatched input ')' expecting ${VALUE}`]],
    ["self.a == 1 || || self.b", [`15 extraneous input '||' expecting ${VALUE}`]],
    ["self.all(x, x > )", [`16 mismatched input ')' expecting ${VALUE}`]],
    ["self ? 1", ["8 mismatched input '<EOF>' expecting ':'"]],
    ["self.?[0]", ["6 mismatched input '[' expecting {IDENTIFIER, ESC_IDENTIFIER}"]],
    ["a.b.C{x 1}", ["8 missing ':' at '1'"]],
  ])("%s", (text, expected) => {
    expect(faults(text)).toEqual(expected);
  });
});

it.each([
  "a.b.C{x: 1, y: [1,]} == null",
  "self.?a[?0].orValue(3) - -1 >= oldSelf.b // why",
  "!!self.d || (self.e ? 'a' : \"b\").startsWith(r'\\c')",
  "b'ab' == '''x'y''' && 1.5e3 * -x % 2u < .5 / self.`f-g`",
  "{?'a': 1, 'b': -2,}[.x] in [?y, 2]",
])("has nothing to say of %s", (text) => {
  expect(faults(text)).toEqual([]);
});

it("shows where each fault is", () => {
  expect(compileExpression("self\n& a", { self: DYN }).issues).toBe(
    [
      "ERROR: <input>:2:1: Syntax error: token recognition error at: '& '",
      " | & a",
      " | ^",
      "ERROR: <input>:2:3: Syntax error: extraneous input 'a' expecting <EOF>",
      " | & a",
      " | ..^",
    ].join("\n"),
  );
  expect(compileExpression("self == as", { self: DYN }).issues).toBe(
    "ERROR: <input>:1:9: reserved identifier: as\n | self == as\n | ........^",
  );
});

it.each<readonly [string, readonly string[]]>([
  ["has(self)", ["1:5: invalid argument to has() macro"]],
  ["!has(self) || has(1 + self.x)", ["1:6: invalid argument to has() macro", "1:21: invalid argument to has() macro"]],
  ["has(self[0])", ["1:9: invalid argument to has() macro"]],
  ["self.all(x.y, has(x))", ["1:11: argument must be a simple name", "1:19: invalid argument to has() macro"]],
  ["self.map(1, 2)", ["1:10: argument is not an identifier"]],
  ["has(self.a) && self.all(x, x) && self.map(x, x, x) == []", []],
])("refuses macros on what they do not take: %s", (text, expected) => {
  const { issues } = compileExpression(text, { self: DYN });
  expect([...issues.matchAll(/ERROR: <input>:(.*)/g)].map(([, issue]) => issue)).toEqual(expected);
});

it("refuses escapes that CEL does not know", () => {
  expect(compileExpression("self == '\\d'", { self: DYN }).issues).toContain(
    "ERROR: <input>:1:9: Syntax error: token recognition error at: ''\\d'\n",
  );
  expect(compileExpression("self == r'\\d' || self == '\\\\d'", { self: DYN }).issues).toBe("");
});
