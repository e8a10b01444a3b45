import { expect, it } from "vitest";
import { patternFault } from "./go-pattern.ts";

it.each([
  "",
  "^[a-z]+$",
  "a{2",
  "a{,2}",
  "a{02}",
  "(?i)a(?s-m:b)",
  "(?P<n>a)(?<m>b)",
  "[]a]",
  "[^]a]",
  "[a-]",
  "[-a]",
  "[[:alpha:]\\d\\p{Greek}]",
  "\\Qa*\\E*",
  "\\x41\\x{1F600}\\012",
  "a*?b+?c??d{1,2}?",
  "x(?i)*",
  "\\p{Lu}\\pL\\P{^Greek}",
  "|a",
])("%s is a regular expression", (text) => {
  expect(patternFault(text)).toBeUndefined();
});

// What a real API server 1.35.4 says of them.
it.each([
  ["[", "missing closing ]: `[`"],
  ["[a", "missing closing ]: `[a`"],
  ["(", "missing closing ): `(`"],
  ["a)", "unexpected ): `a)`"],
  ["*a", "missing argument to repetition operator: `*`"],
  ["(|*)", "missing argument to repetition operator: `*`"],
  ["a**", "invalid nested repetition operator: `**`"],
  ["a*{2}", "invalid nested repetition operator: `*{2}`"],
  ["a{1001}", "invalid repeat count: `{1001}`"],
  ["x{2,1}", "invalid repeat count: `{2,1}`"],
  ["[z-a]", "invalid character class range: `z-a`"],
  ["[[:foo:]]", "invalid character class range: `[:foo:]`"],
  ["\\pX", "invalid character class range: `\\pX`"],
  ["\\8", "invalid escape sequence: `\\8`"],
  ["a\\", "trailing backslash at end of expression: ``"],
  ["(?i", "invalid or unsupported Perl syntax: `(?i`"],
  ["(?z)", "invalid or unsupported Perl syntax: `(?z`"],
  ["a(?!b)", "invalid or unsupported Perl syntax: `(?!`"],
  ["(?<x", "invalid named capture: `(?<x`"],
])("%s is none", (text, fault) => {
  expect(patternFault(text)).toBe(`error parsing regexp: ${fault}`);
});
