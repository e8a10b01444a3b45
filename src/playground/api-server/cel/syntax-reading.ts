// Goes through the words of an expression as Kubernetes' parser does, faults and all: it leaves a word out, takes a
// missing one for said, or skips to one that may follow, and tells further faults from there.
import type { TypeIssue } from "./check-types.ts";
import { EOF, LOST, shownText, type Token } from "./syntax-tokens.ts";

/** The order in which messages name what was expected. */
const ORDER = (
  "== != in < <= >= > && || [ ] { } ( ) . , - ! ? : + * / % true false null " +
  "NUM_FLOAT NUM_INT NUM_UINT STRING BYTES IDENTIFIER ESC_IDENTIFIER"
).split(" ");

/** What may stand behind a rule where it is used; `ends` when the rule around it may end there as well. */
export interface Follow {
  readonly sorts: readonly string[];
  readonly ends: boolean;
}

export const closed = (...sorts: readonly string[]): Follow => ({ sorts, ends: false });
export const open = (sorts: readonly string[]): Follow => ({ sorts, ends: true });

/** A rule cannot go on; why was told. */
class Stuck extends Error {}

export class Reading {
  readonly faults: TypeIssue[] = [];
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #recovering = false;
  readonly #follows: Follow[] = [];
  #lastRecovery = -1;

  /** `text` has LOST where letters make no token. */
  constructor(text: string, tokens: readonly Token[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  #token(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)] ?? { sort: EOF, text: EOF, offset: 0 };
  }

  next(ahead = 0): string {
    return this.#token(ahead).sort;
  }

  #consume(): void {
    if (this.#at < this.#tokens.length - 1) this.#at += 1;
  }

  #tell(message: string, token = this.#token()): void {
    if (this.#recovering) return;
    this.#recovering = true;
    this.faults.push({ offset: token.offset, message: `Syntax error: ${message}` });
  }

  #shown(): string {
    return `'${shownText(this.#token().text)}'`;
  }

  /** Takes the next word for granted. */
  take(): void {
    this.#recovering = false;
    this.#consume();
  }

  /** Leaves out a word before an expected one. */
  #leftOut(expected: readonly string[]): boolean {
    if (!expected.includes(this.next(1))) return false;
    this.#tell(`extraneous input ${this.#shown()} expecting ${listed(expected)}`);
    this.#consume();
    this.#recovering = false;
    return true;
  }

  #mismatch(expected: readonly string[]): Stuck {
    this.#tell(`mismatched input ${this.#shown()} expecting ${listed(expected)}`);
    return new Stuck();
  }

  /** One of the words has to follow. */
  sync(expected: readonly string[]): void {
    if (this.#recovering || expected.includes(this.next()) || this.#leftOut(expected)) return;
    throw this.#mismatch(expected);
  }

  /** The same behind a word that may be said again: what is unwanted is skipped. */
  syncBack(expected: readonly string[]): void {
    if (this.#recovering || expected.includes(this.next())) return;
    this.#tell(`extraneous input ${this.#shown()} expecting ${listed(expected)}`);
    this.#skipTo([...expected, ...this.#recovery()]);
  }

  /** `after` is what may stand behind the word; what follows the rule when it is left out. */
  match(sort: string, after?: readonly string[]): void {
    if (this.next() === sort || this.#leftOut([sort])) {
      this.take();
      return;
    }
    if (!(after ?? this.#following()).includes(this.next())) throw this.#mismatch([sort]);
    this.#tell(`missing ${listed([sort])} at ${this.#shown()}`);
  }

  /** No way on from here: the fault is so many words ahead. */
  noWay(ahead: number): Stuck {
    const last = this.#token(ahead);
    const end = last.sort === EOF ? last.offset : last.offset + last.text.length;
    const text = this.next() === EOF ? EOF : this.#text.slice(this.#token().offset, end).replaceAll(LOST, "");
    this.#tell(noWayText(shownText(text)), last);
    return new Stuck();
  }

  /** All that may stand behind a whole value here. */
  #following(): readonly string[] {
    const sorts = [".", "["];
    for (const { sorts: more, ends } of this.#follows.toReversed()) {
      sorts.push(...more);
      if (!ends) break;
    }
    return sorts;
  }

  #recovery(): readonly string[] {
    return this.#follows.flatMap(({ sorts }) => sorts);
  }

  #skipTo(sorts: readonly string[]): void {
    while (this.next() !== EOF && !sorts.includes(this.next())) this.#consume();
  }

  /** Runs a rule; one that is stuck ends where something follows that may. */
  rule(follow: Follow, body: () => void): void {
    this.#follows.push(follow);
    try {
      body();
    } catch (thrown) {
      if (!(thrown instanceof Stuck)) throw thrown;
      if (this.#lastRecovery === this.#at) this.#consume();
      this.#lastRecovery = this.#at;
      this.#skipTo(this.#recovery());
    } finally {
      this.#follows.pop();
    }
  }
}

const named = (sort: string) => (/^[A-Z<]/.test(sort) && sort !== "<" && sort !== "<=" ? sort : `'${sort}'`);

function listed(sorts: readonly string[]): string {
  const names = [...new Set(sorts)].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).map(named);
  return names.length === 1 ? names.join() : `{${names.join(", ")}}`;
}

const RESERVED = /^.(true|false|null)$/s;

const noWayText = (text: string) =>
  RESERVED.test(text)
    ? `mismatched input '${text.slice(1)}' expecting IDENTIFIER`
    : `no viable alternative at input '${text}'`;
