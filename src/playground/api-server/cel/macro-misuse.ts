// Macros on what they do not take: the parser refuses those before any type is looked at.
import type { Expr } from "./expr.ts";

interface Call {
  readonly target?: Expr | undefined;
  readonly function: string;
  readonly args: readonly Expr[];
}

interface Misuse {
  readonly argument: Expr;
  readonly message: string;
}

const SIMPLE = "argument must be a simple name";
const IDENTIFIER = "argument is not an identifier";

/** What is said of a first argument that is no name, by the macro and the count of its arguments. */
const WANT_NAME: Readonly<Record<string, string>> = {
  "all/2": SIMPLE,
  "exists/2": SIMPLE,
  "existsOne/2": SIMPLE,
  "exists_one/2": SIMPLE,
  "filter/2": IDENTIFIER,
  "map/2": IDENTIFIER,
  "map/3": IDENTIFIER,
};

const PAIRED = new Set([
  ...["all", "exists", "existsOne", "exists_one", "transformList", "transformMap", "transformMapEntry"].map(
    (name) => `${name}/3`,
  ),
  ...["transformList", "transformMap", "transformMapEntry"].map((name) => `${name}/4`),
]);

const nameOf = (expr: Expr | undefined) => (expr?.exprKind.case === "identExpr" ? expr.exprKind.value.name : "");

/** Macros over keys and values want two names. */
function pairMisuse([key, value]: readonly Expr[]): Misuse | undefined {
  if (key === undefined || value === undefined) return undefined;
  if (nameOf(key) === "") return { argument: key, message: SIMPLE };
  if (nameOf(value) === "") return { argument: value, message: SIMPLE };
  return nameOf(key) === nameOf(value)
    ? { argument: value, message: `duplicate variable name: ${nameOf(key)}` }
    : undefined;
}

/** The argument that stands in the way of a macro; undefined for other calls and sound ones. */
export function macroMisuse(call: Call): Misuse | undefined {
  const [argument] = call.args;
  if (argument === undefined) return undefined;
  const kind = argument.exprKind.case;
  if (call.target === undefined) {
    const has = call.function === "has" && call.args.length === 1 && kind !== "selectExpr";
    return has ? { argument, message: "invalid argument to has() macro" } : undefined;
  }
  if (PAIRED.has(`${call.function}/${call.args.length}`)) return pairMisuse(call.args);
  const message = WANT_NAME[`${call.function}/${call.args.length}`];
  if (message !== undefined) return kind === "identExpr" ? undefined : { argument, message };
  const optional = (call.function === "optMap" || call.function === "optFlatMap") && call.args.length === 2;
  if (!optional || kind === "identExpr") return undefined;
  return { argument, message: `${call.function}() variable name must be a simple identifier` };
}
