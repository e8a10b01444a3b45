// Whether a text is a regular expression of Go's syntax, and what Go says when it is none. JavaScript's is another one.

/** What is wrong, as Go says it; undefined for a sound expression. */
export function patternFault(text: string): string | undefined {
  try {
    new PatternReader(text).read();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof PatternFault) return thrown.message;
    throw thrown;
  }
}

class PatternFault extends Error {
  constructor(what: string, where: string) {
    super(`error parsing regexp: ${what}: \`${where}\``);
  }
}

const MOST_REPEATED = 1000;
const RANGE = "invalid character class range";
const POSIX = new Set("alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split(" "));
/** `{2}`, `{2,}`, `{2,3}`; other braces stand for themselves. */
const COUNT = /^\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/;
const FLAGS = /^\(\?(?:[imsU]+(?:-[imsU]+)?|-[imsU]+)?[:)]/;
const PERL_CLASS = /^\\[dDsSwW]/;
const ESCAPE =
  /^\\(?:[0-7]{3}|0[0-7]{0,2}|[1-7][0-7]{1,2}|x\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}|[afnrtv]|[^0-9A-Za-z\u0080-\uffff])/;

class PatternReader {
  readonly #text: string;
  #at = 0;
  #open = 0;
  /** Whether there is something that can be repeated. */
  #hasOperand = false;
  /** Where the repetition begins that was read last, when nothing came after it. */
  #repeated: number | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  read(): void {
    while (this.#at < this.#text.length) {
      const repeated = this.#repeated;
      this.#repeated = undefined;
      const letter = this.#text.charAt(this.#at);
      if (letter === "(") this.#group();
      else if (letter === ")") this.#close();
      else if (letter === "|") this.#skip(1, false);
      else if (letter === "[") this.#class();
      else if (letter === "\\") this.#escaped();
      else if ("*+?".includes(letter)) this.#repeat(1, repeated);
      else if (letter === "{") this.#count(repeated);
      else this.#skip(letterAt(this.#text, this.#at).length, true);
    }
    if (this.#open > 0) throw new PatternFault("missing closing )", this.#text);
  }

  get #rest(): string {
    return this.#text.slice(this.#at);
  }

  #skip(length: number, isOperand: boolean): void {
    this.#at += length;
    this.#hasOperand = isOperand;
  }

  #group(): void {
    const rest = this.#rest;
    const flags = FLAGS.exec(rest)?.[0];
    if (!rest.startsWith("(?")) this.#enter(1);
    else if (/^\(\?P?</.test(rest)) this.#named(rest);
    else if (flags === undefined) throw new PatternFault("invalid or unsupported Perl syntax", perlFlags(rest));
    else if (flags.endsWith(":")) this.#enter(flags.length);
    else this.#at += flags.length;
  }

  #enter(length: number): void {
    this.#open++;
    this.#skip(length, false);
  }

  #named(rest: string): void {
    const end = rest.indexOf(">");
    if (end < 0) throw new PatternFault("invalid named capture", rest);
    const capture = rest.slice(0, end + 1);
    if (!/^\(\?P?<\w+>$/.test(capture)) throw new PatternFault("invalid named capture", capture);
    this.#enter(capture.length);
  }

  #close(): void {
    if (this.#open === 0) throw new PatternFault("unexpected )", this.#text);
    this.#open--;
    this.#skip(1, true);
  }

  #count(repeated: number | undefined): void {
    const [found, least = "", comma, most] = COUNT.exec(this.#rest) ?? [];
    if (found === undefined) {
      this.#skip(1, true);
      return;
    }
    const min = Number(least);
    const max = comma === undefined ? min : Number(most ?? MOST_REPEATED);
    if (min > MOST_REPEATED || max > MOST_REPEATED || min > max) throw new PatternFault("invalid repeat count", found);
    this.#repeat(found.length, repeated);
  }

  #repeat(length: number, repeated: number | undefined): void {
    const begin = this.#at;
    const lazy = this.#text.charAt(begin + length) === "?" ? 1 : 0;
    const end = begin + length + lazy;
    if (repeated !== undefined)
      throw new PatternFault("invalid nested repetition operator", this.#text.slice(repeated, end));
    if (!this.#hasOperand)
      throw new PatternFault("missing argument to repetition operator", this.#text.slice(begin, end));
    this.#at = end;
    this.#repeated = begin;
  }

  #escaped(): void {
    const rest = this.#rest;
    if (rest.startsWith("\\C")) throw new PatternFault("invalid escape sequence", "\\C");
    if (rest.startsWith("\\Q")) this.#quoted(rest);
    else this.#skip(/^\\[AbBz]/.test(rest) ? 2 : escapeLength(rest), true);
  }

  #quoted(rest: string): void {
    const end = rest.indexOf("\\E");
    const [quoted, length] = end < 0 ? [rest.length - 2, rest.length] : [end - 2, end + 2];
    this.#skip(length, this.#hasOperand || quoted > 0);
  }

  #class(): void {
    const whole = this.#rest;
    let at = whole.startsWith("[^") ? 2 : 1;
    for (let first = true; first || whole.charAt(at) !== "]"; first = false) at = afterClassItem(whole, at);
    this.#skip(at + 1, true);
  }
}

const letterAt = (text: string, at: number) => String.fromCodePoint(text.codePointAt(at) ?? 0);

/** As far as Go reads flags before it gives up. */
function perlFlags(rest: string): string {
  const good = /^\(\?[imsU]*(?:-(?:[imsU]+)?)?/.exec(rest)?.[0] ?? "(?";
  return rest.length > good.length ? good + letterAt(rest, good.length) : good;
}

/** Of an escape that stands for one letter or a class of letters. */
function escapeLength(rest: string): number {
  if (/^\\[pP]/.test(rest)) return unicodeClassLength(rest);
  if (PERL_CLASS.test(rest)) return 2;
  return letterEscapeLength(rest);
}

function letterEscapeLength(rest: string): number {
  if (rest === "\\") throw new PatternFault("trailing backslash at end of expression", "");
  const found = ESCAPE.exec(rest)?.[0];
  if (found !== undefined) return found.length;
  const length = rest.startsWith("\\x") ? hexadecimalRead(rest) : 1 + letterAt(rest, 1).length;
  throw new PatternFault("invalid escape sequence", rest.slice(0, length));
}

/** How much of a broken escape by number Go reads. */
function hexadecimalRead(rest: string): number {
  const braced = /^\\x\{[0-9a-fA-F]*.?/su.exec(rest)?.[0];
  return braced?.length ?? Math.min(rest.length, 4);
}

function unicodeClassLength(rest: string): number {
  if (rest.charAt(2) !== "{") {
    const found = rest.slice(0, 2) + (rest.length > 2 ? letterAt(rest, 2) : "");
    if (!isUnicodeClass(found.slice(2))) throw new PatternFault(RANGE, found);
    return found.length;
  }
  const end = rest.indexOf("}");
  if (end < 0) throw new PatternFault(RANGE, rest);
  const found = rest.slice(0, end + 1);
  if (!isUnicodeClass(found.slice(3, -1).replace(/^\^/, ""))) throw new PatternFault(RANGE, found);
  return found.length;
}

/** A general category or a script. */
function isUnicodeClass(name: string): boolean {
  if (name === "Any") return true;
  if (!/^[A-Z][A-Za-z_]*$/.test(name)) return false;
  return [`gc=${name}`, `sc=${name}`].some((property) => {
    try {
      return new RegExp(`\\p{${property}}`, "u") !== undefined;
    } catch {
      // Neither knows the name.
      return false;
    }
  });
}

/** Where the next letter, range or named class of a class begins. */
function afterClassItem(whole: string, at: number): number {
  const rest = whole.slice(at);
  const named = /^\[:(.*?):\]/s.exec(rest);
  if (named !== null) {
    if (!POSIX.has((named[1] ?? "").replace(/^\^/, ""))) throw new PatternFault(RANGE, named[0]);
    return at + named[0].length;
  }
  if (/^\\[pP]/.test(rest)) return at + unicodeClassLength(rest);
  if (PERL_CLASS.test(rest)) return at + 2;
  const low = at + classLetterLength(whole, at);
  if (whole.charAt(low) !== "-" || low + 1 >= whole.length || whole.charAt(low + 1) === "]") return low;
  const high = low + 1 + classLetterLength(whole, low + 1);
  const [from, to] = [letterOf(whole.slice(at, low)), letterOf(whole.slice(low + 1, high))];
  if (to < from) throw new PatternFault(RANGE, whole.slice(at, high));
  return high;
}

function classLetterLength(whole: string, at: number): number {
  if (at >= whole.length) throw new PatternFault("missing closing ]", whole);
  return whole.charAt(at) === "\\" ? letterEscapeLength(whole.slice(at)) : letterAt(whole, at).length;
}

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** The number of a letter that stands for itself or is escaped. */
function letterOf(item: string): number {
  if (!item.startsWith("\\")) return item.codePointAt(0) ?? 0;
  const number = /^\\x\{?([0-9a-fA-F]+)\}?$/.exec(item)?.[1];
  if (number !== undefined) return Number.parseInt(number, 16);
  if (/^\\[0-7]/.test(item)) return Number.parseInt(item.slice(1), 8);
  return CONTROLS[item.slice(1)] ?? item.codePointAt(1) ?? 0;
}
