// Finds mistakes in an expression before it ever runs: unknown names and fields, functions that do not take what they are
// given. The sentences are those of CEL's own compiler.
import { type CelType, DYN, fits, listOf, mapOf, scalar, settled, typeText } from "./cel-type.ts";
import type { Expr, Parsed } from "./expr.ts";
import { macroMisuse } from "./macro-misuse.ts";
import { overloadsOf } from "./overloads.ts";

export interface TypeIssue {
  /** Where in the text. */
  readonly offset: number;
  readonly message: string;
}

export interface TypeCheck {
  readonly type: CelType;
  readonly issues: readonly TypeIssue[];
  /** Names of the variables that the expression reads. */
  readonly reads: ReadonlySet<string>;
  /** Of the nodes, by their ids. */
  readonly types: ReadonlyMap<string, CelType>;
}

type Scope = ReadonlyMap<string, CelType>;

export function checkTypes(parsed: Parsed, variables: Readonly<Record<string, CelType>>): TypeCheck {
  const checker = new Checker(parsed);
  const type = checker.visit(parsed.expr, new Map(Object.entries(variables)));
  const issues = checker.misuses.length > 0 ? checker.misuses : checker.issues;
  return { type, issues, reads: checker.reads, types: checker.types };
}

const TYPE_NAMES = new Set(["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"]);
const CONSTANTS: Readonly<Record<string, string>> = {
  boolValue: "bool",
  bytesValue: "bytes",
  doubleValue: "double",
  int64Value: "int",
  uint64Value: "uint",
  stringValue: "string",
  nullValue: "null_type",
};

class Checker {
  readonly issues: TypeIssue[] = [];
  /** Of macros: with one of them no type is looked at. */
  readonly misuses: TypeIssue[] = [];
  readonly reads = new Set<string>();
  readonly types = new Map<string, CelType>();
  readonly #parsed: Parsed;

  constructor(parsed: Parsed) {
    this.#parsed = parsed;
  }

  visit(expr: Expr, scope: Scope): CelType {
    const type = this.#typeOf(expr, scope);
    this.types.set(String(expr.id), type);
    return type;
  }

  #typeOf(expr: Expr, scope: Scope): CelType {
    const kind = expr.exprKind;
    switch (kind.case) {
      case "constExpr":
        return scalar(CONSTANTS[kind.value.constantKind.case ?? ""] ?? "dyn");
      case "identExpr":
        return this.#ident(expr, kind.value.name, scope);
      case "selectExpr":
        return this.#select(expr, kind.value, scope);
      case "callExpr":
        return this.#call(expr, kind.value, scope);
      case "listExpr":
        return listOf(this.#common(kind.value.elements, scope));
      case "structExpr":
        return this.#struct(kind.value.entries, scope);
      case "comprehensionExpr":
        return this.#comprehension(kind.value, scope);
      default:
        return DYN;
    }
  }

  #issue(expr: Expr, message: string): CelType {
    this.issues.push({ offset: this.#offset(expr), message });
    return DYN;
  }

  /** The compiler's messages point at the operator, or at the parenthesis of a call. */
  #offset(expr: Expr): number {
    const at = this.#parsed.positions[String(expr.id)] ?? 0;
    if (expr.exprKind.case !== "callExpr") return at;
    const rest = this.#parsed.text.slice(at);
    if (expr.exprKind.value.function === "_?_:_") return at + Math.max(0, questionMark(rest));
    const call = /^\.?\s*[A-Za-z_]\w*\s*(?=\()/.exec(rest);
    return at + (call?.[0].length ?? /^\s*/.exec(rest)?.[0].length ?? 0);
  }

  #ident(expr: Expr, name: string, scope: Scope): CelType {
    const type = scope.get(name);
    if (type !== undefined) {
      this.reads.add(name);
      return type;
    }
    if (TYPE_NAMES.has(name)) return scalar("type");
    return this.#issue(expr, `undeclared reference to '${name}' (in container '')`);
  }

  #select(expr: Expr, select: { operand?: Expr | undefined; field: string; testOnly: boolean }, scope: Scope): CelType {
    const own = select.operand === undefined ? DYN : this.visit(select.operand, scope);
    const found = this.#fieldOf(expr, own, select.field);
    return select.testOnly ? scalar("bool") : found;
  }

  #fieldOf(expr: Expr, own: CelType, field: string): CelType {
    if (own.name === "dyn") return DYN;
    if (own.name === "map") return own.of[1] ?? DYN;
    if (own.name === "object") {
      const fields = own.fields?.() ?? {};
      const type = Object.hasOwn(fields, field) ? fields[field] : undefined;
      return type ?? this.#issue(expr, `undefined field '${field}'`);
    }
    return this.#issue(expr, `type '${typeText(own)}' does not support field selection`);
  }

  #call(
    expr: Expr,
    call: { target?: Expr | undefined; function: string; args: readonly Expr[] },
    scope: Scope,
  ): CelType {
    const misuse = macroMisuse(call);
    if (misuse !== undefined) this.misuses.push({ offset: this.#offset(misuse.argument), message: misuse.message });
    const macro = this.#macro(call, scope);
    if (macro !== undefined) return macro;
    const space = call.target?.exprKind.case === "identExpr" ? call.target.exprKind.value.name : "";
    const full = `${space}.${call.function}`;
    const qualified = space !== "" && !scope.has(space) && overloadsOf(full) !== undefined;
    const name = qualified ? full : call.function;
    const target = call.target === undefined || qualified ? undefined : this.visit(call.target, scope);
    const args = call.args.map((arg) => this.visit(arg, scope));
    const overloads = overloadsOf(name);
    if (overloads === undefined) return this.#issue(expr, `undeclared reference to '${name}' (in container '')`);
    const fitting = overloads.flatMap((overload) => {
      const bound = new Map<string, CelType>();
      const targets = overload.target === undefined ? target === undefined : target !== undefined;
      if (!targets || overload.takes.length !== args.length) return [];
      const takes = overload.target === undefined ? overload.takes : [overload.target, ...overload.takes];
      const all = target === undefined ? args : [target, ...args];
      const fit = all.every((arg, index) => fits(takes[index] ?? DYN, arg, bound));
      return fit ? [settled(overload.gives, bound)] : [];
    });
    const [first, ...rest] = fitting;
    if (first === undefined) {
      const shown = `(${args.map(typeText).join(", ")})`;
      const applied = target === undefined ? shown : `${typeText(target)}.${shown}`;
      return this.#issue(expr, `found no matching overload for '${name}' applied to '${applied}'`);
    }
    return rest.every((type) => typeText(type) === typeText(first)) ? first : DYN;
  }

  /** Macros that the parser leaves as calls. */
  #macro(
    call: { target?: Expr | undefined; function: string; args: readonly Expr[] },
    scope: Scope,
  ): CelType | undefined {
    const [first, second, third] = call.args;
    if (first === undefined || second === undefined || third === undefined || call.target === undefined)
      return undefined;
    const [a, b] = [nameOf(first), nameOf(second)];
    if (call.function === "bind" && nameOf(call.target) === "cel") {
      return this.visit(third, new Map([...scope, [a, this.visit(second, scope)]]));
    }
    if (!["all", "exists", "existsOne", "exists_one", "transformList"].includes(call.function)) return undefined;
    const range = this.visit(call.target, scope);
    const key = range.name === "list" ? scalar("int") : (range.of[0] ?? DYN);
    const value = range.name === "list" ? (range.of[0] ?? DYN) : (range.of[1] ?? DYN);
    const body = this.visit(third, new Map([...scope, [a, key], [b, value]]));
    return call.function === "transformList" ? listOf(body) : scalar("bool");
  }

  /** The one type of all, or dyn. */
  #common(exprs: readonly Expr[], scope: Scope): CelType {
    const types = exprs.map((expr) => this.visit(expr, scope));
    const [first] = types;
    if (first === undefined) return scalar("A");
    return types.every((type) => typeText(type) === typeText(first)) ? first : DYN;
  }

  #struct(
    entries: readonly { keyKind: { case?: string | undefined; value?: unknown }; value?: Expr | undefined }[],
    scope: Scope,
  ): CelType {
    const keys = entries.flatMap(({ keyKind }) => (keyKind.case === "mapKey" ? [keyKind.value as Expr] : []));
    const values = entries.flatMap(({ value }) => (value === undefined ? [] : [value]));
    return mapOf(this.#common(keys, scope), this.#common(values, scope));
  }

  #comprehension(
    fold: {
      iterVar: string;
      iterRange?: Expr | undefined;
      accuVar: string;
      accuInit?: Expr | undefined;
      loopCondition?: Expr | undefined;
      loopStep?: Expr | undefined;
      result?: Expr | undefined;
    },
    scope: Scope,
  ): CelType {
    const { iterRange, accuInit, loopStep, result } = fold;
    if (iterRange === undefined || accuInit === undefined || loopStep === undefined || result === undefined) return DYN;
    const range = this.visit(iterRange, scope);
    const known = range.name === "list" || range.name === "map";
    if (!known && range.name !== "dyn") {
      this.#issue(
        iterRange,
        `expression of type '${typeText(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
      );
    }
    const item = known ? (range.of[0] ?? DYN) : DYN;
    const start = this.visit(accuInit, scope);
    const inside = new Map([...scope, [fold.iterVar, item]]);
    const step = this.visit(loopStep, new Map([...inside, [fold.accuVar, start]]));
    return this.visit(result, new Map([...scope, [fold.accuVar, open(start) ? step : start]]));
  }
}

/** Where the mark of a condition stands behind the condition: outside texts and parentheses. */
function questionMark(text: string): number {
  let depth = 0;
  for (const match of text.matchAll(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[()[\]{}?]/g)) {
    if ("([{".includes(match[0])) depth++;
    else if (")]}".includes(match[0])) depth--;
    else if (match[0] === "?" && depth === 0) return match.index;
  }
  return -1;
}

const open = (type: CelType) => type.name === "list" && type.of[0]?.name === "A";

const nameOf = (expr: Expr) => (expr.exprKind.case === "identExpr" ? expr.exprKind.value.name : "");
