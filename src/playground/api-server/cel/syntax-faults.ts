// What Kubernetes' parser says of a text that is no expression: its grammar, rule by rule.
import type { TypeIssue } from "./check-types.ts";
import { closed, type Follow, open, Reading } from "./syntax-reading.ts";
import { EOF, tokensOf } from "./syntax-tokens.ts";

const LITERALS = ["true", "false", "null", "NUM_FLOAT", "NUM_INT", "NUM_UINT", "STRING", "BYTES"];
const MEMBER = ["[", "{", "(", ".", "-", "IDENTIFIER", ...LITERALS];
const VALUE = [...MEMBER, "!"];
const ENTRY = [...VALUE, "?"];
const RELATIONS = ["==", "!=", "in", "<", "<=", ">=", ">"];
const SUMS = ["*", "/", "%", "+", "-"];
const STEPS = [".", "["];
const FIELD = ["IDENTIFIER", "ESC_IDENTIFIER"];

function value(reading: Reading, follow: Follow): void {
  reading.rule(follow, () => {
    disjunction(reading, open(["?"]));
    if (reading.next() !== "?") return;
    reading.take();
    disjunction(reading, closed(":"));
    reading.match(":", VALUE);
    value(reading, open([]));
  });
}

/** Operands of one level with the operators between them. */
function chain(
  operators: readonly string[],
  operand: (reading: Reading, follow: Follow) => void,
): (reading: Reading, follow: Follow) => void {
  return (reading, follow) =>
    reading.rule(follow, () => {
      operand(reading, open(operators));
      while (operators.includes(reading.next())) {
        reading.take();
        operand(reading, open(operators));
      }
    });
}

const sum = chain(SUMS, unary);
const relation = chain(RELATIONS, sum);
const conjunction = chain(["&&"], relation);
const disjunction = chain(["||"], conjunction);

const isNumber = (sort: string) => sort === "NUM_INT" || sort === "NUM_FLOAT";

function unary(reading: Reading, follow: Follow): void {
  reading.rule(follow, () => {
    reading.sync(VALUE);
    const sign = reading.next();
    if (!VALUE.includes(sign)) throw reading.noWay(0);
    if (sign === "-" && !isNumber(reading.next(1)) && !MEMBER.includes(reading.next(1))) throw reading.noWay(1);
    const repeated = sign === "!" || (sign === "-" && !isNumber(reading.next(1)));
    while (repeated && reading.next() === sign) {
      if (sign === "-" && isNumber(reading.next(1))) break;
      reading.take();
      reading.syncBack([...MEMBER, sign]);
    }
    member(reading);
  });
}

function member(reading: Reading): void {
  reading.rule(open([]), () => {
    primary(reading);
    for (;;) {
      if (reading.next() === ".") select(reading);
      else if (reading.next() === "[") index(reading);
      else return;
    }
  });
}

function select(reading: Reading): void {
  const name = reading.next(1);
  if (name !== "?" && !FIELD.includes(name)) throw reading.noWay(1);
  reading.take();
  if (name === "?") {
    reading.take();
    field(reading, open(STEPS));
    return;
  }
  reading.take();
  if (name === "IDENTIFIER" && reading.next() === "(") call(reading);
}

function field(reading: Reading, follow: Follow): void {
  reading.rule(follow, () => {
    reading.sync(FIELD);
    if (!FIELD.includes(reading.next())) throw reading.noWay(0);
    reading.take();
  });
}

function index(reading: Reading): void {
  reading.take();
  reading.sync(ENTRY);
  if (reading.next() === "?") reading.take();
  value(reading, closed("]"));
  reading.match("]");
}

function call(reading: Reading): void {
  reading.take();
  reading.sync([...VALUE, ")"]);
  if (VALUE.includes(reading.next())) {
    reading.rule(closed(")"), () => separated(reading, () => value(reading, open([","]))));
  }
  reading.match(")");
}

/** `starts` are the words behind a comma that go on; without them every comma does. */
function separated(reading: Reading, one: () => void, starts?: readonly string[]): void {
  one();
  while (reading.next() === "," && (starts === undefined || starts.includes(reading.next(1)))) {
    reading.take();
    one();
  }
}

const PRIMARIES: Readonly<Record<string, (reading: Reading) => void>> = {
  "(": (reading) => {
    reading.take();
    value(reading, closed(")"));
    reading.match(")");
  },
  "[": (reading) => collection(reading, ENTRY, "]", () => entry(reading, open([","]))),
  "{": (reading) =>
    collection(reading, ENTRY, "}", () => {
      entry(reading, closed(":"));
      reading.match(":", VALUE);
      value(reading, open([","]));
    }),
  ".": (reading) => {
    if (reading.next(1) !== "IDENTIFIER") throw reading.noWay(1);
    reading.take();
    identifier(reading);
  },
  "-": (reading) => {
    if (!isNumber(reading.next(1))) throw reading.noWay(1);
    reading.take();
    reading.take();
  },
  IDENTIFIER: identifier,
};

function primary(reading: Reading): void {
  reading.rule(open(STEPS), () => {
    const sort = reading.next();
    if (!MEMBER.includes(sort)) throw reading.noWay(0);
    const read = PRIMARIES[sort];
    if (read === undefined) reading.take();
    else read(reading);
  });
}

function identifier(reading: Reading): void {
  let dots = 0;
  while (reading.next(dots + 1) === "." && reading.next(dots + 2) === "IDENTIFIER") dots += 2;
  const message = reading.next(dots + 1) === "{";
  for (let taken = 0; taken <= (message ? dots : 0); taken += 1) reading.take();
  if (reading.next() === "(") call(reading);
  if (!message) return;
  collection(reading, [...FIELD, "?"], "}", () => {
    if (reading.next() === "?") reading.take();
    field(reading, closed(":"));
    reading.match(":", VALUE);
    value(reading, open([","]));
  });
}

function entry(reading: Reading, follow: Follow): void {
  reading.rule(follow, () => {
    reading.sync(ENTRY);
    if (reading.next() === "?") reading.take();
    value(reading, open([]));
  });
}

function collection(reading: Reading, starts: readonly string[], end: string, one: () => void): void {
  reading.take();
  reading.sync([...starts, ",", end]);
  if (starts.includes(reading.next())) reading.rule(closed(",", end), () => separated(reading, one, starts));
  reading.sync([",", end]);
  if (reading.next() === ",") reading.take();
  reading.match(end);
}

/** In the order of the text; none for a text that Kubernetes takes. */
export function syntaxFaults(text: string): readonly TypeIssue[] {
  const { tokens, faults, known } = tokensOf(text);
  const reading = new Reading(known, tokens);
  reading.rule(open([]), () => {
    value(reading, closed(EOF));
    reading.match(EOF, []);
  });
  return [...faults, ...reading.faults].sort((a, b) => a.offset - b.offset);
}
