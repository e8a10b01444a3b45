// Label selectors as text, `a=b,c!=d,e in (f,g),!h,i>3`, read as Kubernetes reads them, with its sentences for what it
// cannot read.
import { fieldErrorText } from "./api-errors.ts";
import { invalid } from "./validation/field-errors.ts";
import { labelValue, qualifiedName } from "./validation/formats.ts";

export type LabelOperator = "in" | "notin" | "=" | "==" | "!=" | "gt" | "lt" | "exists" | "!";

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

export class SelectorFault extends Error {}

const SYMBOLS = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];
const isSymbol = (token: string) => SYMBOLS.includes(token);
const isIdentifier = (token: string) => token !== "" && !isSymbol(token);

function tokensOf(text: string): string[] {
  return text.match(/==|!=|[=!(),<>]|[^\s=!(),<>]+/g) ?? [];
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
}

const peek = (reader: Reader) => reader.tokens[reader.at] ?? "";
const take = (reader: Reader) => reader.tokens[reader.at++] ?? "";
const unexpected = (token: string, expected: string): never => {
  throw new SelectorFault(`found '${token}', expected: ${expected}`);
};

/** Throws SelectorFault. */
export function parseLabelSelector(text: string): LabelRequirement[] {
  const reader: Reader = { tokens: tokensOf(text), at: 0 };
  const requirements: LabelRequirement[] = [];
  while (peek(reader) !== "") {
    const token = peek(reader);
    if (token !== "!" && !isIdentifier(token)) unexpected(token, "!, identifier, or 'end of string'");
    requirements.push(readRequirement(reader));
    const next = peek(reader);
    if (next === "") break;
    if (next !== ",") unexpected(next, "',' or 'end of string'");
    reader.at++;
    const after = peek(reader);
    if (after !== "!" && !isIdentifier(after)) unexpected(after, "identifier after ','");
  }
  return requirements;
}

function readRequirement(reader: Reader): LabelRequirement {
  try {
    return checked(readParts(reader));
  } catch (thrown) {
    if (thrown instanceof SelectorFault) throw new SelectorFault(`unable to parse requirement: ${thrown.message}`);
    throw thrown;
  }
}

function refuse(field: string, value: unknown, messages: readonly string[]): void {
  const texts = messages.map((message) => `${field}: ${fieldErrorText(invalid(field, value, message))}`);
  if (texts.length === 0) return;
  throw new SelectorFault(texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`);
}

function readParts(reader: Reader): LabelRequirement {
  const absent = peek(reader) === "!";
  if (absent) reader.at++;
  const key = take(reader);
  if (!isIdentifier(key)) unexpected(key, "identifier");
  refuse("<nil>", key, qualifiedName(key));
  const next = peek(reader);
  if (absent) return { key, operator: "!", values: [] };
  if (next === "" || next === ",") return { key, operator: "exists", values: [] };
  const operator = readOperator(reader);
  if (operator === "in" || operator === "notin") return { key, operator, values: readValues(reader) };
  return { key, operator, values: [readExact(reader)] };
}

const OPERATORS: Readonly<Record<string, LabelOperator>> = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};

function readOperator(reader: Reader): LabelOperator {
  const token = take(reader);
  return OPERATORS[token] ?? unexpected(token, "in, notin, =, ==, !=, gt, lt");
}

function readExact(reader: Reader): string {
  const next = peek(reader);
  if (next === "" || next === ",") return "";
  reader.at++;
  return isIdentifier(next) ? next : unexpected(next, "identifier");
}

function readValues(reader: Reader): string[] {
  const open = take(reader);
  // The one sentence without a comma.
  if (open !== "(") throw new SelectorFault(`found '${open}' expected: '('`);
  const first = peek(reader);
  if (first === ")") {
    reader.at++;
    return [""];
  }
  if (first !== "," && !isIdentifier(first)) unexpected(first, "',', ')' or identifier");
  return readRest(reader);
}

/** Identifiers between commas, up to the closing bracket. Nothing between commas is an empty value. */
function readRest(reader: Reader): string[] {
  const values = new Set<string>();
  for (let needed = true; ; ) {
    const token = take(reader);
    const identifier = isIdentifier(token);
    if (token !== "," && token !== ")" && !(identifier && needed))
      unexpected(token, needed ? "',', or identifier" : "',' or ')'");
    if (identifier) values.add(token);
    else if (needed) values.add("");
    if (token === ")") return [...values].sort();
    needed = !identifier;
  }
}

function checked(requirement: LabelRequirement): LabelRequirement {
  const { operator, values } = requirement;
  if ((operator === "in" || operator === "notin") && values.length === 0)
    refuse("values", [], ["for 'in', 'notin' operators, values set can't be empty"]);
  for (const [index, value] of values.entries()) {
    if ((operator === "gt" || operator === "lt") && !/^[+-]?\d+$/.test(value))
      refuse(`values[${index}]`, value, ["for 'Gt', 'Lt' operators, the value must be an integer"]);
    refuse(`values[${index}][${requirement.key}]`, value, labelValue(value));
  }
  return requirement;
}
