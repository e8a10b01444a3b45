// Reads JSON as Go's decoder does: says what is wrong in its words, and which keys stand twice in one object.

export interface JsonScan {
  /** Paths such as spec.containers[0].image, in the order in which they are found. */
  readonly duplicates: readonly string[];
  /** What is wrong; undefined for well-formed JSON. */
  readonly fault: string | undefined;
}

class Fault extends Error {}

interface Reader {
  readonly text: string;
  at: number;
  readonly duplicates: string[];
}

export function scanJson(text: string): JsonScan {
  const reader: Reader = { text, at: 0, duplicates: [] };
  try {
    readValue(reader, "");
    skipSpace(reader);
    if (reader.at < text.length) fail(reader, "after top-level value");
    return { duplicates: reader.duplicates, fault: undefined };
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return { duplicates: reader.duplicates, fault: thrown.message };
  }
}

const SPACE = /[ \t\r\n]/;

function skipSpace(reader: Reader): void {
  while (SPACE.test(reader.text[reader.at] ?? "x")) reader.at++;
}

/** Where a space may not follow: Go looks for the end of a text by reading one more. */
const NO_SPACE = /^(in (literal|string escape|\\u|numeric)|after decimal|in exponent)/;

function fail({ text, at }: Reader, where: string): never {
  const letter = text[at] ?? (NO_SPACE.test(where) ? " " : undefined);
  if (letter === undefined) throw new Fault("unexpected end of JSON input");
  throw new Fault(`invalid character ${quoted(letter)} ${where}`);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "'": "\\'",
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** Go shows one byte, as if it were a letter of its own. */
function quoted(letter: string): string {
  const [byte = 0] = Buffer.from(letter);
  const hex = byte.toString(16).padStart(2, "0");
  if (byte < 0x20 || byte === 0x7f) return `'${ESCAPES[letter] ?? `\\x${hex}`}'`;
  const shown = byte < 0x7f ? letter : String.fromCharCode(byte);
  return `'${ESCAPES[shown] ?? shown}'`;
}

function readValue(reader: Reader, path: string): void {
  skipSpace(reader);
  const letter = reader.text[reader.at] ?? "";
  if (letter === "{") readObject(reader, path);
  else if (letter === "[") readList(reader, path);
  else if (letter === '"') readString(reader);
  else if (letter === "-" || (letter >= "0" && letter <= "9")) readNumber(reader);
  else readWord(reader);
}

const WORDS = ["true", "false", "null"];

function readWord(reader: Reader): void {
  const word = WORDS.find((one) => one[0] === reader.text[reader.at]);
  if (word === undefined) fail(reader, "looking for beginning of value");
  for (const letter of word) {
    if (reader.text[reader.at] !== letter) fail(reader, `in literal ${word} (expecting '${letter}')`);
    reader.at++;
  }
}

function readNumber(reader: Reader): void {
  if (reader.text[reader.at] === "-") reader.at++;
  const digits = (where: string) => {
    if (!/\d/.test(reader.text[reader.at] ?? "")) fail(reader, where);
    while (/\d/.test(reader.text[reader.at] ?? "")) reader.at++;
  };
  if (reader.text[reader.at] === "0") reader.at++;
  else digits("in numeric literal");
  if (reader.text[reader.at] === ".") {
    reader.at++;
    digits("after decimal point in numeric literal");
  }
  if (/[eE]/.test(reader.text[reader.at] ?? "")) {
    reader.at++;
    if (/[+-]/.test(reader.text[reader.at] ?? "")) reader.at++;
    digits("in exponent of numeric literal");
  }
}

function readString(reader: Reader): string {
  const from = reader.at++;
  for (;;) {
    const letter = reader.text[reader.at];
    if (letter === undefined || letter < " ") fail(reader, "in string literal");
    reader.at++;
    if (letter === '"') break;
    if (letter !== "\\") continue;
    if (!/["\\/bfnrtu]/.test(reader.text[reader.at] ?? "")) fail(reader, "in string escape code");
    if (reader.text[reader.at++] === "u") readHex(reader);
  }
  return JSON.parse(reader.text.slice(from, reader.at)) as string;
}

function readHex(reader: Reader): void {
  for (let digits = 0; digits < 4; digits++) {
    if (!/[\da-fA-F]/.test(reader.text[reader.at] ?? "")) fail(reader, "in \\u hexadecimal character escape");
    reader.at++;
  }
}

function readObject(reader: Reader, path: string): void {
  reader.at++;
  skipSpace(reader);
  const seen = new Set<string>();
  if (reader.text[reader.at] === "}") {
    reader.at++;
    return;
  }
  for (;;) {
    skipSpace(reader);
    if (reader.text[reader.at] !== '"') fail(reader, "looking for beginning of object key string");
    const key = readString(reader);
    const own = path === "" ? key : `${path}.${key}`;
    if (seen.has(key)) reader.duplicates.push(own);
    seen.add(key);
    skipSpace(reader);
    if (reader.text[reader.at] !== ":") fail(reader, "after object key");
    reader.at++;
    readValue(reader, own);
    if (!readMore(reader, "}", "after object key:value pair")) return;
  }
}

function readList(reader: Reader, path: string): void {
  reader.at++;
  skipSpace(reader);
  if (reader.text[reader.at] === "]") {
    reader.at++;
    return;
  }
  for (let index = 0; ; index++) {
    readValue(reader, `${path}[${index}]`);
    if (!readMore(reader, "]", "after array element")) return;
  }
}

/** True after a comma, false after the end. */
function readMore(reader: Reader, end: string, where: string): boolean {
  skipSpace(reader);
  const letter = reader.text[reader.at];
  if (letter !== "," && letter !== end) fail(reader, where);
  reader.at++;
  return letter === ",";
}
