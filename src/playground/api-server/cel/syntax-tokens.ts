// The words of an expression, as Kubernetes' lexer takes them: what it cannot take it tells and leaves out.
import type { TypeIssue } from "./check-types.ts";

export interface Token {
  /** A sign or keyword itself, or the name of a sort: IDENTIFIER, STRING...; "<EOF>" behind the last. */
  readonly sort: string;
  readonly text: string;
  readonly offset: number;
}

export const EOF = "<EOF>";

const HEX = "[0-9a-fA-F]";
const ESCAPE = `\\\\(?:[abfnrtv"'\\\\?\`]|[xX]${HEX}{2}|u${HEX}{4}|U${HEX}{8}|[0-3][0-7]{2})`;
const TEXT = [
  `"""(?:${ESCAPE}|[^\\\\])*?"""|'''(?:${ESCAPE}|[^\\\\])*?'''`,
  `"(?:${ESCAPE}|[^\\\\"\\n\\r])*"|'(?:${ESCAPE}|[^\\\\'\\n\\r])*'`,
  `[rR](?:"""[^]*?"""|'''[^]*?'''|"[^"\\n\\r]*"|'[^'\\n\\r]*')`,
].join("|");

const SORTS: readonly (readonly [string, RegExp])[] = [
  ["", /[\t \r\n\f]+|\/\/[^\n]*/y],
  ["NUM_FLOAT", /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y],
  ["NUM_UINT", /(?:0x[0-9a-fA-F]+|\d+)[uU]/y],
  ["NUM_INT", /0x[0-9a-fA-F]+|\d+/y],
  ["BYTES", new RegExp(`[bB](?:${TEXT})`, "y")],
  ["STRING", new RegExp(TEXT, "y")],
  ["IDENTIFIER", /[A-Za-z_][A-Za-z_0-9]*/y],
  ["ESC_IDENTIFIER", /`[A-Za-z0-9_./ -]+`/y],
  ["SIGN", /==|!=|<=|>=|&&|\|\||[[\]{}().,\-!?:+*/%<>]/y],
];

const KEYWORDS: ReadonlySet<string> = new Set(["in", "true", "false", "null"]);

/** As far as a word goes that never becomes one; the letter behind it is lost with it. */
const BEGUN = [
  new RegExp(
    `(?:"(?:${ESCAPE}|[^\\\\"\\n\\r])*|'(?:${ESCAPE}|[^\\\\'\\n\\r])*)` +
      `(?:\\\\(?:[xX]${HEX}?|u${HEX}{0,3}|U${HEX}{0,7}|[0-3][0-7]?)?)?`,
    "y",
  ),
  /`[A-Za-z0-9_./ -]*/y,
  /[=&|]/y,
];

const matchAt = (pattern: RegExp, text: string, offset: number): string => {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0] ?? "";
};

/** Tabs and line ends as messages show them. */
export const shownText = (text: string) => text.replace(/\t/g, "\\t").replace(/\n/g, "\\n").replace(/\r/g, "\\r");

/** Stands for a letter that no token takes. */
export const LOST = "\0";

interface Lexed {
  /** The last is the end. */
  readonly tokens: readonly Token[];
  readonly faults: readonly TypeIssue[];
  /** The text with LOST for each letter that no token takes. */
  readonly known: string;
}

export function tokensOf(text: string): Lexed {
  let known = text;
  const tokens: Token[] = [];
  const faults: TypeIssue[] = [];
  for (let offset = 0; offset < text.length; ) {
    let best = { sort: "", text: "" };
    for (const [sort, pattern] of SORTS) {
      const found = matchAt(pattern, text, offset);
      if (found.length > best.text.length) best = { sort, text: found };
    }
    if (best.text === "") {
      const begun = Math.max(...BEGUN.map((pattern) => matchAt(pattern, text, offset).length));
      const lost = text.slice(offset, offset + begun + 1);
      faults.push({ offset, message: `Syntax error: token recognition error at: '${shownText(lost)}'` });
      known = known.slice(0, offset) + LOST.repeat(lost.length) + known.slice(offset + lost.length);
      offset += lost.length;
      continue;
    }
    const sort = best.sort === "SIGN" || KEYWORDS.has(best.text) ? best.text : best.sort;
    if (sort !== "") tokens.push({ sort, text: best.text, offset });
    offset += best.text.length;
  }
  tokens.push({ sort: EOF, text: EOF, offset: text.length });
  return { tokens, faults, known };
}
