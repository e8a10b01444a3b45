// An expression that counts what it costs while it runs. What always costs the same is summed once and spent at the
// places where a run may turn: the second half of `&&`, a branch, a step of a loop. Only the values of calls whose price
// depends on them are looked at.
import type { CelInput, CelValue } from "@bufbuild/cel";
import { CALL_PRICES, type CallPrice } from "./call-prices.ts";
import type { Expr } from "./expr.ts";
import { called } from "./optional-nodes.ts";

/** What one run may spend, and what it has spent. */
export interface Meter {
  readonly limit: number;
  spent: number;
}

/** Sees a value on its way; gives what goes on in its place. */
export type Hook = (value: CelValue, meter: Meter) => CelInput;

interface Metered {
  /** Calls `@seen(index of a hook, value)` where something is to be counted. */
  readonly expr: Expr;
  readonly hooks: readonly Hook[];
  /** Of what runs in any case. */
  readonly base: number;
}

/** Of an unfolded expression. */
export function metered(expr: Expr): Metered {
  const metering = new Metering();
  const whole = metering.visit(expr);
  return { expr: whole.expr, hooks: metering.hooks, base: whole.cost };
}

interface Priced {
  readonly expr: Expr;
  /** What is not spent in the expression itself. */
  readonly cost: number;
}

type Kind<Case extends string> =
  Extract<Expr["exprKind"], { case: Case }> extends { value: infer Value } ? Value : never;
type Call = Kind<"callExpr">;

const LIST = 10;
const MAP = 30;
const STRUCT = 40;

class Metering {
  readonly hooks: Hook[] = [];
  /** Values of arguments, of the call that comes next. */
  readonly #kept: CelValue[] = [];

  visit(expr: Expr): Priced {
    const kind = expr.exprKind;
    if (kind.case === "constExpr" || isConstant(expr)) return { expr, cost: 0 };
    if (kind.case === "identExpr") return { expr, cost: TYPE_NAMES.has(kind.value.name) ? 0 : 1 };
    if (kind.case === "selectExpr") return this.#select(expr, kind.value);
    if (kind.case === "callExpr") return this.#call(expr, kind.value);
    if (kind.case === "listExpr") {
      const elements = kind.value.elements.map((one) => this.visit(one));
      const value = { ...kind.value, elements: elements.map((one) => one.expr) };
      return { expr: { ...expr, exprKind: { case: "listExpr", value } }, cost: LIST + sum(elements) };
    }
    if (kind.case === "structExpr") return this.#struct(expr, kind.value);
    return kind.case === "comprehensionExpr" ? this.#fold(expr, kind.value) : { expr, cost: 0 };
  }

  #seen(expr: Expr, hook: Hook): Expr {
    this.hooks.push(hook);
    return called(expr, "@seen", [constant(expr, BigInt(this.hooks.length - 1)), expr]);
  }

  /** An expression that may not run, and spends its cost itself when it does. */
  #gated({ expr, cost }: Priced): Expr {
    if (cost === 0) return expr;
    return this.#seen(expr, (value, meter) => {
      spend(meter, cost);
      return value as CelInput;
    });
  }

  #select(expr: Expr, select: Kind<"selectExpr">): Priced {
    const { operand, testOnly } = select;
    if (operand === undefined) return { expr, cost: 1 };
    // The key and the value of macros over both are fields of an entry here, and variables of their own for Kubernetes.
    if (operand.exprKind.case === "identExpr" && ENTRY.test(operand.exprKind.value.name)) return { expr, cost: 1 };
    const inner = this.visit(operand);
    const own = (isAttribute(operand) ? 0 : 1) + (testOnly ? 0 : 1);
    const value = { ...select, operand: inner.expr };
    return { expr: { ...expr, exprKind: { case: "selectExpr", value } }, cost: inner.cost + own };
  }

  #struct(expr: Expr, struct: Kind<"structExpr">): Priced {
    let cost = struct.messageName === "" ? MAP : STRUCT;
    const visited = (one: Expr): Expr => {
      const inner = this.visit(one);
      cost += inner.cost;
      return inner.expr;
    };
    const entries = struct.entries.map((entry) => {
      const { keyKind, value } = entry;
      const key = keyKind.case === "mapKey" ? ({ case: "mapKey", value: visited(keyKind.value) } as const) : keyKind;
      return { ...entry, keyKind: key, ...(value === undefined ? {} : { value: visited(value) }) };
    });
    return { expr: { ...expr, exprKind: { case: "structExpr", value: { ...struct, entries } } }, cost };
  }

  #fold(expr: Expr, fold: Kind<"comprehensionExpr">): Priced {
    const { iterRange, accuInit, loopCondition, loopStep, result } = fold;
    if (iterRange === undefined || accuInit === undefined) return { expr, cost: 0 };
    if (loopCondition === undefined || loopStep === undefined || result === undefined) return { expr, cost: 0 };
    const [range, start, end] = [this.visit(iterRange), this.visit(accuInit), this.visit(result)];
    const [condition, step] = [this.visit(loopCondition), this.visit(loopStep)];
    const value = {
      ...fold,
      iterRange: range.expr,
      accuInit: start.expr,
      result: end.expr,
      loopStep: step.expr,
      loopCondition: this.#seen(condition.expr, (goesOn, meter) => {
        spend(meter, condition.cost + (goesOn === true ? step.cost : 0));
        // With nothing left to spend every loop ends.
        return meter.spent > meter.limit ? false : (goesOn as CelInput);
      }),
    };
    return { expr: { ...expr, exprKind: { case: "comprehensionExpr", value } }, cost: sum([range, start, end]) };
  }

  #call(expr: Expr, call: Call): Priced {
    const { function: name, args } = call;
    if (name === "_&&_" || name === "_||_") {
      const [first, ...rest] = args.map((arg) => this.visit(arg));
      if (first === undefined) return { expr, cost: 0 };
      return { expr: withArgs(expr, call, [first.expr, ...rest.map((one) => this.#gated(one))]), cost: first.cost };
    }
    if (name === "_?_:_") {
      const [test, ...branches] = args.map((arg, index) => this.#branch(arg, index));
      if (test === undefined) return { expr, cost: 0 };
      return { expr: withArgs(expr, call, [test.expr, ...branches.map((one) => this.#gated(one))]), cost: test.cost };
    }
    if (name === "_[_]" || name === "@optionalSelect") return this.#index(expr, call);
    return this.#priced(expr, call);
  }

  /** Reading what a branch names is not counted, only what is read of it. */
  #branch(arg: Expr, index: number): Priced {
    const { expr, cost } = this.visit(arg);
    return { expr, cost: index > 0 && isAttribute(arg) ? cost - 1 : cost };
  }

  #index(expr: Expr, call: Call): Priced {
    const [from, key] = call.args;
    if (from === undefined || key === undefined) return { expr, cost: 1 };
    const [inner, index] = [this.visit(from), this.visit(key)];
    const own = (isAttribute(from) ? 0 : 1) + (isAttribute(key) ? 0 : 1);
    return { expr: withArgs(expr, call, [inner.expr, index.expr]), cost: inner.cost + index.cost + own };
  }

  #priced(expr: Expr, call: Call): Priced {
    const space = spaceOf(call);
    const price = CALL_PRICES.get(`${space}${call.function}`);
    const target = space === "" ? call.target : undefined;
    const given = [...(target === undefined ? [] : [target]), ...call.args];
    const visited = given.map((one) => this.visit(one));
    const known = price === undefined ? 1 : knownPrice(call.function, given, price);
    const exprs = visited.map((one) => one.expr);
    if (price === undefined || known !== undefined) {
      return { expr: withGiven(expr, call, exprs, target !== undefined), cost: sum(visited) + (known ?? 1) };
    }
    const slots = given.map((one) => constantOf(one) ?? this.#kept.push("") - 1);
    const keeping = exprs.map((one, index) => {
      const slot = slots[index];
      return typeof slot === "number" ? this.#keep(one, slot) : one;
    });
    const valueAt = (slot: number | Constant | undefined): CelValue =>
      typeof slot === "number" ? (this.#kept[slot] ?? null) : (slot?.value ?? null);
    const counted = this.#seen(withGiven(expr, call, keeping, target !== undefined), (result, meter) => {
      spend(meter, price(slots.map(valueAt), result));
      for (const slot of slots) if (typeof slot === "number") this.#kept[slot] = null;
      return result as CelInput;
    });
    return { expr: counted, cost: sum(visited) };
  }

  #keep(expr: Expr, slot: number): Expr {
    return this.#seen(expr, (value) => {
      this.#kept[slot] = value;
      return value as CelInput;
    });
  }
}

function spend(meter: Meter, amount: number): void {
  meter.spent += amount;
}

const sum = (parts: readonly Priced[]) => parts.reduce((total, { cost }) => total + cost, 0);

const ENTRY = /^entry_\d+$/;
const TYPE_NAMES = new Set(["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"]);
const CONVERSIONS = new Set("bool bytes double dyn duration int string timestamp type uint".split(" "));
const SPACES = new Set(["format", "optional", "sets", "ip", "lists", "math", "strings", "jsonpatch"]);

/** What a run computes beforehand. */
function isConstant({ exprKind: kind }: Expr): boolean {
  if (kind.case === "constExpr") return true;
  if (kind.case === "listExpr") return kind.value.elements.every(isConstant);
  if (kind.case === "structExpr")
    return kind.value.entries.every(
      ({ keyKind, value }) => (keyKind.case !== "mapKey" || isConstant(keyKind.value)) && (!value || isConstant(value)),
    );
  if (kind.case !== "callExpr" || kind.value.target !== undefined) return false;
  const { function: name, args } = kind.value;
  const [first, second] = args;
  if (first === undefined) return false;
  // A list that is known is looked up at once.
  if (name === "@in") return false;
  return second === undefined && CONVERSIONS.has(name) && isConstant(first);
}

/** Whether Kubernetes adds a field or an index to what the expression reads already. */
function isAttribute({ exprKind: kind }: Expr): boolean {
  if (kind.case === "identExpr") return true;
  if (kind.case === "selectExpr") return !kind.value.testOnly;
  return kind.case === "callExpr" && ["_[_]", "@optionalSelect", "_?_:_"].includes(kind.value.function);
}

function spaceOf({ target }: Call): string {
  if (target?.exprKind.case !== "identExpr") return "";
  const { name } = target.exprKind.value;
  return SPACES.has(name) ? `${name}.` : "";
}

interface Constant {
  readonly value: CelValue;
}

function constantOf({ exprKind: kind }: Expr): Constant | undefined {
  if (kind.case !== "constExpr") return undefined;
  const { value } = kind.value.constantKind;
  return value === undefined ? undefined : { value: value as CelValue };
}

const EQUALITIES = new Set(["_==_", "_!=_"]);
const ORDERS = new Set(["_<_", "_<=_", "_>_", "_>=_", "_+_"]);
/** Of so many characters a look at all costs 1. */
const SHORT = 10;

/** A price that no value changes. */
function knownPrice(name: string, given: readonly Expr[], price: CallPrice): number | undefined {
  const all = given.map(constantOf);
  if (all.every((one) => one !== undefined) && name !== "join") {
    return price(
      all.map((one) => one.value),
      null,
    );
  }
  if (name === "@in" && given[1] !== undefined && isConstant(given[1])) return 0;
  const isComparison = EQUALITIES.has(name);
  if (!isComparison && !ORDERS.has(name)) return undefined;
  const isScalar = all.some((one) => one !== undefined && typeof one.value !== "string" && !isBytes(one.value));
  if (isScalar || given.some(givesNumber)) return 1;
  const isShort = (one: Constant | undefined) =>
    typeof one?.value === "string" && one.value !== "" && one.value.length <= SHORT;
  return isComparison && all.some(isShort) ? 1 : undefined;
}

const isBytes = (value: CelValue) => value instanceof Uint8Array;
const NUMBERS = new Set(["size", "int", "uint", "double", "indexOf", "lastIndexOf", "_-_", "_*_", "_/_", "_%_"]);

const givesNumber = ({ exprKind: kind }: Expr) => kind.case === "callExpr" && NUMBERS.has(kind.value.function);

function constant(from: Expr, value: bigint): Expr {
  const constantKind = { case: "int64Value", value } as const;
  return { ...from, exprKind: { case: "constExpr", value: { $typeName: "cel.expr.Constant", constantKind } } };
}

const withArgs = (expr: Expr, call: Call, args: readonly Expr[]): Expr => ({
  ...expr,
  exprKind: { case: "callExpr", value: { ...call, args: [...args] } },
});

function withGiven(expr: Expr, call: Call, given: readonly Expr[], hasTarget: boolean): Expr {
  const [target, ...rest] = given;
  return withArgs(expr, hasTarget && target !== undefined ? { ...call, target } : call, hasTarget ? rest : given);
}
