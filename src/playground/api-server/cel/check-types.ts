// Finds mistakes in an expression before it ever runs: unknown names and fields, functions that do not take what they are
// given. The sentences are those of CEL's own compiler.
import { type CelType, DYN, fits, listOf, mapOf, optionalOf, scalar, settled, typeText } from "./cel-type.ts";
import type { Expr, Parsed } from "./expr.ts";
import { macroMisuse } from "./macro-misuse.ts";
import { offsetOf } from "./offset-of.ts";
import { COMPARED, CONSTANT_TYPES, fieldType, TYPE_NAMES } from "./named-types.ts";
import { OPTIONAL_SELECT } from "./optional-nodes.ts";
import { PAIRED } from "./paired-macros.ts";
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
  const found = checker.misuses.length > 0 ? checker.misuses : checker.issues;
  const issues = found.toSorted((a, b) => a.offset - b.offset);
  return { type, issues, reads: checker.reads, types: checker.types };
}

const NONE: ReadonlySet<number> = new Set();

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
        return scalar(CONSTANT_TYPES[kind.value.constantKind.case ?? ""] ?? "dyn");
      case "identExpr":
        return this.#ident(expr, kind.value.name, scope);
      case "selectExpr":
        return this.#select(expr, kind.value, scope);
      case "callExpr":
        return this.#call(expr, kind.value, scope);
      case "listExpr":
        return listOf(this.#common(kind.value.elements, scope, new Set(kind.value.optionalIndices)));
      case "structExpr":
        return this.#struct(kind.value.entries, scope);
      case "comprehensionExpr":
        return this.#comprehension(kind.value, scope);
      default:
        return DYN;
    }
  }

  #issue(expr: Expr, message: string): CelType {
    this.issues.push({ offset: offsetOf(this.#parsed, expr), message });
    return DYN;
  }

  #ident(expr: Expr, name: string, scope: Scope): CelType {
    const type = scope.get(name);
    if (type !== undefined) {
      this.reads.add(name);
      return type;
    }
    const named = TYPE_NAMES.get(name);
    if (named !== undefined) return { name: "type", of: [named] };
    return this.#issue(expr, `undeclared reference to '${name}' (in container '')`);
  }

  #select(expr: Expr, select: { operand?: Expr | undefined; field: string; testOnly: boolean }, scope: Scope): CelType {
    const own = select.operand === undefined ? DYN : this.visit(select.operand, scope);
    const [inner] = own.name === "optional_type" ? own.of : [];
    const found = this.#fieldOf(expr, inner ?? own, select.field);
    if (select.testOnly) return scalar("bool");
    return inner === undefined ? found : optionalOf(found);
  }

  /** `a.?b`. */
  #optionalSelect(expr: Expr, [operand, field]: readonly Expr[], scope: Scope): CelType {
    if (operand === undefined || field === undefined) return DYN;
    const own = this.visit(operand, scope);
    this.visit(field, scope);
    const [inner] = own.name === "optional_type" ? own.of : [];
    const name = field.exprKind.case === "constExpr" ? field.exprKind.value.constantKind.value : "";
    return optionalOf(this.#fieldOf(expr, inner ?? own, String(name)));
  }

  #fieldOf(expr: Expr, own: CelType, field: string): CelType {
    const found = fieldType(own, field);
    return typeof found === "string" ? this.#issue(expr, found) : found;
  }

  #call(
    expr: Expr,
    call: { target?: Expr | undefined; function: string; args: readonly Expr[] },
    scope: Scope,
  ): CelType {
    const misuse = macroMisuse(call);
    if (misuse !== undefined)
      this.misuses.push({ offset: offsetOf(this.#parsed, misuse.argument), message: misuse.message });
    const macro = this.#macro(expr, call, scope) ?? this.#optionalMacro(expr, call, scope);
    if (macro !== undefined) return macro;
    if (call.function === OPTIONAL_SELECT) return this.#optionalSelect(expr, call.args, scope);
    if (call.function === "_&&_" || call.function === "_||_") return this.#logical(call.args, scope);
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
    if (name === "type") return { name: "type", of: args };
    return rest.every((type) => typeText(type) === typeText(first)) ? first : DYN;
  }

  /** Macros that the parser leaves as calls. */
  #macro(
    expr: Expr,
    call: { target?: Expr | undefined; function: string; args: readonly Expr[] },
    scope: Scope,
  ): CelType | undefined {
    const [first, second, third, fourth] = call.args;
    if (first === undefined || second === undefined || call.target === undefined) return undefined;
    const [a, b] = [nameOf(first), nameOf(second)];
    if (call.function === "sortBy" && call.args.length === 2)
      return this.#sortBy(expr, call.target, [a, second], scope);
    if (third === undefined) return undefined;
    const gives = PAIRED[call.function];
    if (gives === undefined || (fourth !== undefined && !call.function.startsWith("transform"))) return undefined;
    const range = this.visit(call.target, scope);
    const key = range.name === "list" ? scalar("int") : (range.of[0] ?? DYN);
    const value = range.name === "list" ? (range.of[0] ?? DYN) : (range.of[1] ?? DYN);
    const inside = new Map([...scope, [a, key], [b, value]]);
    const body = this.visit(third, inside);
    if (fourth === undefined) return gives(body, key);
    const last = this.visit(fourth, inside);
    if (fits(scalar("bool"), body, new Map())) return gives(last, key);
    const shown = `(${[body, gives(last, key), gives(last, key)].map(typeText).join(", ")})`;
    return this.#issue(expr, `found no matching overload for '_?_:_' applied to '${shown}'`);
  }

  #sortBy(expr: Expr, target: Expr, [name, body]: readonly [string, Expr], scope: Scope): CelType {
    const range = this.visit(target, scope);
    const key = this.visit(body, new Map([...scope, [name, range.of[0] ?? DYN]]));
    if (key.name === "dyn" || COMPARED.has(key.name)) return range;
    const shown = `${typeText(range)}.(${typeText(listOf(key))})`;
    return this.#issue(expr, `found no matching overload for '@sortByAssociatedKeys' applied to '${shown}'`);
  }

  #optionalMacro(
    expr: Expr,
    call: { target?: Expr | undefined; function: string; args: readonly Expr[] },
    scope: Scope,
  ): CelType | undefined {
    const [first, body] = call.args;
    if ((call.function !== "optMap" && call.function !== "optFlatMap") || call.args.length !== 2) return undefined;
    if (first === undefined || body === undefined || call.target === undefined) return undefined;
    const own = this.visit(call.target, scope);
    const isOptional = own.name === "optional_type" || own.name === "dyn";
    // The macro asks for both.
    const asked = isOptional ? [] : ["hasValue", "value"];
    for (const name of asked)
      this.#issue(expr, `found no matching overload for '${name}' applied to '${typeText(own)}.()'`);
    const value = isOptional ? (own.of[0] ?? DYN) : DYN;
    const found = this.visit(body, new Map([...scope, [nameOf(first), value]]));
    if (call.function === "optMap") return { name: "optional_type", of: [found] };
    if (found.name === "optional_type" || found.name === "dyn") return found;
    const shown = `(bool, ${typeText(found)}, optional_type(dyn))`;
    return this.#issue(expr, `found no matching overload for '_?_:_' applied to '${shown}'`);
  }

  #logical(args: readonly Expr[], scope: Scope): CelType {
    for (const arg of args) {
      const type = this.visit(arg, scope);
      if (!fits(scalar("bool"), type, new Map())) this.#expected(arg, scalar("bool"), type);
    }
    return scalar("bool");
  }

  #expected(expr: Expr, wanted: CelType, given: CelType): CelType {
    return this.#issue(expr, `expected type '${typeText(wanted)}' but found '${typeText(given)}'`);
  }

  /** A list that begins empty, and takes what the chosen step of a loop adds. */
  #grown(start: CelType, { exprKind: step }: Expr, scope: Scope, { accuVar }: { accuVar: string }): CelType {
    const added = step.case === "callExpr" && step.value.function === "_?_:_" ? step.value.args[1] : undefined;
    if (!open(start) || added === undefined) return start;
    const before = this.issues.length;
    const type = this.visit(added, new Map([...scope, [accuVar, start]]));
    this.issues.length = before;
    return type;
  }

  /** The one type of all, or dyn. The values at `optional` may not be there. */
  #common(exprs: readonly Expr[], scope: Scope, optional: ReadonlySet<number> = NONE): CelType {
    let common = scalar("A");
    for (const [index, expr] of exprs.entries()) {
      const given = this.visit(expr, scope);
      const isOptional = optional.has(index);
      const isWrong = isOptional && given.name !== "optional_type" && given.name !== "dyn";
      const type = isOptional && !isWrong ? (given.of[0] ?? DYN) : given;
      if (isWrong) this.#expected(expr, { name: "optional_type", of: [given] }, given);
      if (common.name === "A") common = type;
      else if (common.name === "dyn" || typeText(common) !== typeText(type))
        common = fits(common, type, new Map()) && common.name !== "dyn" && type.name !== "dyn" ? common : DYN;
    }
    return common;
  }

  #struct(
    entries: readonly {
      keyKind: { case?: string | undefined; value?: unknown };
      value?: Expr | undefined;
      optionalEntry: boolean;
    }[],
    scope: Scope,
  ): CelType {
    const keys = entries.flatMap(({ keyKind }) => (keyKind.case === "mapKey" ? [keyKind.value as Expr] : []));
    const values = entries.flatMap(({ value }) => (value === undefined ? [] : [value]));
    const optional = new Set(entries.flatMap(({ optionalEntry }, index) => (optionalEntry ? [index] : [])));
    return mapOf(this.#common(keys, scope), this.#common(values, scope, optional));
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
    const step = this.visit(loopStep, new Map([...inside, [fold.accuVar, this.#grown(start, loopStep, inside, fold)]]));
    return this.visit(result, new Map([...scope, [fold.accuVar, open(start) ? step : start]]));
  }
}

const open = (type: CelType) => type.name === "list" && type.of[0]?.name === "A";

const nameOf = (expr: Expr) => (expr.exprKind.case === "identExpr" ? expr.exprKind.value.name : "");
