// What can be seen to be wrong in an expression whose types are right: patterns, durations, times, lists of several types.
import { type CelType, DYN, fits, typeText } from "./cel-type.ts";
import type { TypeIssue } from "./check-types.ts";
import type { Expr, Parsed } from "./expr.ts";
import { patternFault } from "../validation/go-pattern.ts";
import { formatFaults } from "./format-faults.ts";
import { offsetOf } from "./offset-of.ts";
import { visitNodes } from "./with-children.ts";

const DURATION = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const TIMESTAMP = /^\d{4}-(?:0[1-9]|1[0-2])-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

const CHECKS: Readonly<Record<string, (text: string) => boolean>> = {
  duration: (text) => DURATION.test(text),
  timestamp: (text) => TIMESTAMP.test(text) && !Number.isNaN(Date.parse(text)),
  matches: (text) => patternFault(text) === undefined,
};

/** In the compiler's words. `types` are those of the nodes. */
export function literalFaults(parsed: Parsed, types: ReadonlyMap<string, CelType>): readonly TypeIssue[] {
  const found = [...textFaults(parsed), ...mixtures(parsed, types), ...formatFaults(parsed, types)];
  return found.sort((a, b) => a.offset - b.offset);
}

/** Lists and maps whose values are not all of the type of the first; those of texts to be formatted may be. */
function mixtures(parsed: Parsed, types: ReadonlyMap<string, CelType>): TypeIssue[] {
  const { expr } = parsed;
  const exempt = new Set<Expr["id"]>();
  visitNodes(expr, (one) => {
    if (one.exprKind.case !== "callExpr" || one.exprKind.value.function !== "format") return;
    for (const arg of one.exprKind.value.args) visitNodes(arg, ({ id }) => exempt.add(id));
  });
  const found: TypeIssue[] = [];
  const compare = (values: readonly Expr[], optional: readonly number[] = []) => {
    const typesOf = values.map((value, index) => {
      const type = types.get(String(value.id)) ?? DYN;
      return optional.includes(index) && type.name === "optional_type" ? (type.of[0] ?? DYN) : type;
    });
    const [first] = typesOf;
    const wrong = typesOf.findIndex((type) => first !== undefined && !isSame(first, type));
    const [value, type] = [values[wrong], typesOf[wrong]];
    if (value === undefined || type === undefined || first === undefined) return;
    const message = `expected type '${typeText(first)}' but found '${typeText(type)}'`;
    found.push({ offset: offsetOf(parsed, value), message });
  };
  visitNodes(expr, ({ id, exprKind: kind }) => {
    if (exempt.has(id)) return;
    if (kind.case === "listExpr") compare(kind.value.elements, kind.value.optionalIndices);
    if (kind.case !== "structExpr" || kind.value.messageName !== "") return;
    const { entries } = kind.value;
    compare(entries.flatMap(({ keyKind }) => (keyKind.case === "mapKey" ? [keyKind.value] : [])));
    compare(
      entries.flatMap(({ value }) => (value === undefined ? [] : [value])),
      entries.flatMap(({ optionalEntry }, index) => (optionalEntry ? [index] : [])),
    );
  });
  return found;
}

/** An empty list may be one of anything. */
const isSame = (a: CelType, b: CelType): boolean =>
  a.name === "A" ||
  b.name === "A" ||
  (a.name === b.name &&
    (a.name === "object" ? fits(a, b, new Map()) : a.of.every((part, index) => isSame(part, b.of[index] ?? DYN))));

function textFaults({ expr, positions }: Parsed): readonly TypeIssue[] {
  const found: Record<string, TypeIssue[]> = { duration: [], timestamp: [], matches: [] };
  visitNodes(expr, (one) => {
    if (one.exprKind.case !== "callExpr") return;
    const { function: name, args, target } = one.exprKind.value;
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
    // A pattern is looked at in `text.matches(pattern)` alone.
    if (check === undefined || (name === "matches" && target === undefined)) return;
    const [argument] = args;
    const isNumber = name === "duration" && argument?.exprKind.case === "constExpr";
    const text = textOf(argument) ?? (isNumber ? "" : undefined);
    if (argument === undefined || text === undefined || check(text)) return;
    found[name]?.push({ offset: positions[String(argument.id)] ?? 0, message: `invalid ${name} argument` });
  });
  return Object.values(found).flat();
}

/** What keeps an expression from being made ready to run: patterns that nobody looked at before. */
export function planFault({ expr }: Parsed): string | undefined {
  let found: string | undefined;
  visitNodes(expr, (one) => {
    if (one.exprKind.case !== "callExpr") return;
    const { function: name, args, target } = one.exprKind.value;
    const wanted = { matches: 2, find: 1, findAll: 1 }[name];
    if (wanted === undefined || (name === "matches") !== (target === undefined)) return;
    const pattern = textOf(args[name === "matches" ? 1 : 0]);
    if (pattern !== undefined) found ??= patternFault(pattern);
  });
  return found;
}

function textOf(expr: Expr | undefined): string | undefined {
  if (expr?.exprKind.case !== "constExpr") return undefined;
  const { value } = expr.exprKind.value.constantKind;
  return typeof value === "string" ? value : undefined;
}
