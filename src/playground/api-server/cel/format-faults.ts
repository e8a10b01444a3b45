// What can be seen to be wrong in a text with clauses such as `%d` and the list of what is to stand there.
import { type CelType, DYN, typeName } from "./cel-type.ts";
import type { TypeIssue } from "./check-types.ts";
import type { Expr, Parsed } from "./expr.ts";
import { offsetOf } from "./offset-of.ts";
import { visitNodes } from "./with-children.ts";

interface Clause {
  readonly takes: readonly string[];
  /** What is said of a value of another type. */
  readonly refusal: string;
}

const INTEGERS = ["int", "uint"];
const HEXADECIMAL: Clause = {
  takes: [...INTEGERS, "string", "bytes"],
  refusal: "only integers, byte buffers, and strings can be formatted as hex",
};
const SHOWN = "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps";

const CLAUSES: Readonly<Record<string, Clause>> = {
  s: {
    takes: "list map int uint double bool string timestamp bytes duration type null_type".split(" "),
    refusal: `string clause can only be used on ${SHOWN}`,
  },
  d: { takes: INTEGERS, refusal: "decimal clause can only be used on integers" },
  f: { takes: ["double", "string"], refusal: "fixed-point clause can only be used on doubles" },
  e: { takes: ["double", "string"], refusal: "scientific clause can only be used on doubles" },
  b: { takes: [...INTEGERS, "bool"], refusal: "only integers and bools can be formatted as binary" },
  x: HEXADECIMAL,
  X: HEXADECIMAL,
  o: { takes: INTEGERS, refusal: "octal clause can only be used on integers" },
};

/** Of all calls of `format` on a text and a list that are written out. */
export function formatFaults(parsed: Parsed, types: ReadonlyMap<string, CelType>): TypeIssue[] {
  const found: TypeIssue[] = [];
  visitNodes(parsed.expr, (call) => {
    const fault = faultOf(call, types);
    if (fault !== undefined) found.push({ offset: offsetOf(parsed, fault.at), message: fault.message });
  });
  return found;
}

interface Fault {
  readonly at: Expr;
  readonly message: string;
}

function faultOf(call: Expr, types: ReadonlyMap<string, CelType>): Fault | undefined {
  if (call.exprKind.case !== "callExpr") return undefined;
  const { function: name, target, args } = call.exprKind.value;
  const text = target?.exprKind.case === "constExpr" ? target.exprKind.value.constantKind.value : undefined;
  const list = args[0]?.exprKind;
  if (name !== "format" || typeof text !== "string" || args.length !== 1 || list?.case !== "listExpr") return undefined;
  const values = list.value.elements;
  let used = 0;
  for (const [clause] of text.matchAll(/%%|%(?:\.\d*)?.?/gs)) {
    if (clause === "%%") continue;
    const value = values[used++];
    const fault = clauseFault(clause, used - 1, value);
    if (fault !== undefined) return { at: call, message: fault };
    const wrong = value && wrongValue(clause.at(-1) ?? "", value, types);
    if (wrong !== undefined) return wrong;
  }
  if (values.length <= used) return undefined;
  const message = `too many arguments supplied to string.format (expected ${used}, got ${values.length})`;
  return { at: call, message };
}

/** Longer numbers are out of range. */
const MOST_PRECISE = 2n ** 63n - 1n;

function clauseFault(clause: string, index: number, value: Expr | undefined): string | undefined {
  if (clause === "%") return "unexpected end of string";
  if (value === undefined) return `index ${index} out of range`;
  const [, digits] = /^%\.(\d*)/.exec(clause) ?? [];
  const broken = (why: string) => `could not parse formatting clause: ${why}`;
  if (digits !== undefined) {
    if (clause.length === digits.length + 2)
      return broken("error while parsing precision: could not find end of precision specifier");
    const why = digits === "" ? "invalid syntax" : BigInt(digits) > MOST_PRECISE ? "value out of range" : undefined;
    if (why !== undefined) {
      const number = `strconv.Atoi: parsing "${digits}": ${why}`;
      return broken(`error while parsing precision: error while converting precision to integer: ${number}`);
    }
  }
  const letter = clause.at(-1) ?? "";
  return Object.hasOwn(CLAUSES, letter) ? undefined : broken(`unrecognized formatting clause "${letter}"`);
}

function wrongValue(letter: string, value: Expr, types: ReadonlyMap<string, CelType>): Fault | undefined {
  const clause = CLAUSES[letter];
  if (clause === undefined) return undefined;
  const type = types.get(String(value.id)) ?? DYN;
  if (type.name !== "dyn" && !clause.takes.includes(type.name)) {
    return { at: value, message: `error during formatting: ${clause.refusal}, was given ${typeName(type)}` };
  }
  return letter === "s"
    ? within(value)
        .map((one) => wrongValue(letter, one, types))
        .find((one) => one)
    : undefined;
}

/** What a list or a map that is written out holds. */
function within({ exprKind: kind }: Expr): readonly Expr[] {
  if (kind.case === "listExpr") return kind.value.elements;
  if (kind.case !== "structExpr") return [];
  return kind.value.entries.flatMap(({ keyKind, value }) => [
    ...(keyKind.case === "mapKey" ? [keyKind.value] : []),
    ...(value === undefined ? [] : [value]),
  ]);
}
