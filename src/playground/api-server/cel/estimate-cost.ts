// What an expression may cost at most, without running it: Kubernetes refuses rules that could keep it busy for long.
import { callCost, type Operand } from "./call-costs.ts";
import type { CelType } from "./cel-type.ts";
import type { Expr } from "./expr.ts";
import type { SizedType } from "./sized-type.ts";
import { either, fixed, plus, type Range, times, UNKNOWN } from "./sizes.ts";

type Kind<Case extends string> =
  Extract<Expr["exprKind"], { case: Case }> extends { value: infer Value } ? Value : never;

interface Local {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  /** Of items, for lists made in the expression itself. */
  readonly entries: Range | undefined;
}

export interface Estimate {
  readonly expr: Expr;
  /** Types of the nodes, by id. */
  readonly types: ReadonlyMap<string, CelType>;
  /** Of `self` and `oldSelf`. */
  readonly self: SizedType;
}

/** The most that one run costs. */
export function estimateCost(estimate: Estimate): number {
  return new Coster(estimate).cost(estimate.expr).max;
}

const NOTHING = fixed(0);
const ONE = fixed(1);
const LIST = fixed(10);
const MAP = fixed(30);
const STRUCT = fixed(40);
const FIXED_SIZE = new Set(["bool", "double", "duration", "int", "timestamp", "uint"]);

class Coster {
  readonly #types: Estimate["types"];
  readonly #self: SizedType;
  readonly #locals = new Map<string, Local[]>();
  readonly #paths = new Map<string, readonly string[]>();
  readonly #sizes = new Map<string, Range>();
  readonly #entries = new Map<string, Range>();

  constructor({ types, self }: Estimate) {
    this.#types = types;
    this.#self = self;
  }

  cost(expr: Expr | undefined): Range {
    if (expr === undefined) return NOTHING;
    const kind = expr.exprKind;
    switch (kind.case) {
      case "identExpr":
        this.#paths.set(String(expr.id), this.#local(kind.value.name)?.path ?? [kind.value.name]);
        return ONE;
      case "selectExpr":
        return this.#select(expr, kind.value);
      case "callExpr":
        return this.#call(expr, kind.value);
      case "listExpr":
        return this.#list(expr, kind.value.elements);
      case "structExpr":
        return this.#struct(kind.value);
      case "comprehensionExpr":
        return this.#fold(expr, kind.value);
      default:
        return NOTHING;
    }
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #push(name: string, local: Local): void {
    this.#locals.set(name, [...(this.#locals.get(name) ?? []), local]);
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop();
  }

  #typeOf(expr: Expr): CelType | undefined {
    return this.#types.get(String(expr.id));
  }

  #pathOf(expr: Expr): readonly string[] {
    if (expr.exprKind.case === "identExpr") {
      const local = this.#local(expr.exprKind.value.name);
      if (local !== undefined) return local.path;
    }
    return this.#paths.get(String(expr.id)) ?? [];
  }

  #select(expr: Expr, select: Kind<"selectExpr">): Range {
    const { operand, field, testOnly } = select;
    const cost = this.cost(operand);
    if (testOnly || operand === undefined) return cost;
    this.#paths.set(String(expr.id), [...this.#pathOf(operand), field]);
    const name = this.#typeOf(operand)?.name ?? "";
    return name === "map" || name === "object" ? plus(cost, ONE) : cost;
  }

  #call(expr: Expr, call: Kind<"callExpr">): Range {
    const [first] = call.args;
    if (PAIRED.has(call.function) && call.args.length === 3 && call.target !== undefined)
      return this.#pairs(expr, call);
    const costs = call.args.map((arg) => this.cost(arg));
    if (call.function === "dyn" && first !== undefined) {
      this.#copySizes(expr, first);
      return plus(ONE, ...costs);
    }
    const named = call.target === undefined || this.#typeOf(call.target) === undefined;
    const target = named ? undefined : call.target;
    const targetCost = this.cost(target);
    const args = call.args.map((arg) => this.#operand(arg));
    const space = named && call.target?.exprKind.case === "identExpr" ? `${call.target.exprKind.value.name}.` : "";
    const { cost, size } = callCost(`${space}${call.function}`, {
      target: target === undefined ? undefined : this.#operand(target),
      args,
      costs,
    });
    let result = size;
    if (call.function === "_[_]" && first !== undefined) {
      result = this.#entriesOf(first);
      const inside = this.#typeOf(first)?.name === "list" ? "@items" : "@values";
      this.#paths.set(String(expr.id), [...this.#pathOf(first), inside]);
    }
    result ??= this.#sizeOf(expr);
    if (result !== undefined) this.#sizes.set(String(expr.id), result);
    this.#carryEntries(expr, call);
    return plus(targetCost, cost);
  }

  /** The items of lists that are joined, or of whichever is chosen. */
  #carryEntries(expr: Expr, { function: name, args }: Kind<"callExpr">): void {
    const [a, b] = name === "_?_:_" ? args.slice(1) : name === "_+_" ? args : [];
    if (a === undefined || b === undefined) return;
    const [one, other] = [this.#entriesOf(a), this.#entriesOf(b)];
    if (one !== undefined && other !== undefined) this.#entries.set(String(expr.id), either(one, other));
  }

  #operand(expr: Expr): Operand {
    return {
      expr,
      type: this.#typeOf(expr),
      size: this.#sizeOf(expr) ?? UNKNOWN,
      items: this.#sizeAt([...this.#pathOf(expr), "@items"]) ?? UNKNOWN,
    };
  }

  #list(expr: Expr, elements: readonly Expr[]): Range {
    const costs = elements.map((element) => this.cost(element));
    const sizes = elements.map((element) => this.#sizeOf(element) ?? UNKNOWN);
    this.#entries.set(String(expr.id), sizes.reduce<Range | undefined>(union, undefined) ?? NOTHING);
    return plus(...costs, LIST);
  }

  #struct({ messageName, entries }: Kind<"structExpr">): Range {
    const costs = entries.flatMap(({ keyKind, value }) => [
      keyKind.case === "mapKey" ? this.cost(keyKind.value) : NOTHING,
      this.cost(value),
    ]);
    return plus(...costs, messageName === "" ? MAP : STRUCT);
  }

  #copySizes(to: Expr, from: Expr): void {
    const [size, entries] = [this.#sizeOf(from), this.#entriesOf(from)];
    if (size !== undefined) this.#sizes.set(String(to.id), size);
    if (entries !== undefined) this.#entries.set(String(to.id), entries);
  }

  #fold(expr: Expr, fold: Kind<"comprehensionExpr">): Range {
    const { iterRange, accuInit, loopStep } = fold;
    if (iterRange === undefined || accuInit === undefined || loopStep === undefined) return NOTHING;
    const before = plus(this.cost(iterRange), this.cost(accuInit));
    this.#push(fold.accuVar, {
      path: this.#pathOf(accuInit),
      size: this.#sizeOf(accuInit),
      entries: this.#entriesOf(accuInit),
    });
    this.#push(fold.iterVar, this.#item(iterRange));
    const each = plus(this.cost(fold.loopCondition), this.cost(loopStep));
    this.#pop(fold.iterVar);
    const result = this.cost(fold.result);
    this.#pop(fold.accuVar);
    const count = this.#sizeOf(iterRange) ?? UNKNOWN;
    const start = accuInit.exprKind.case;
    if (start === "constExpr") this.#sizes.set(String(expr.id), ONE);
    if (start === "listExpr" || start === "structExpr") {
      this.#sizes.set(String(expr.id), count);
      const entries = this.#entriesOf(loopStep);
      if (entries !== undefined) this.#entries.set(String(expr.id), entries);
    }
    return plus(before, result, times(count, each));
  }

  /** One item of a list, one key of a map. */
  #item(range: Expr): Local {
    const isList = this.#entriesOf(range) !== undefined || this.#typeOf(range)?.name === "list";
    const path = [...this.#pathOf(range), isList ? "@items" : "@keys"];
    return { path, size: this.#entriesOf(range), entries: undefined };
  }

  /** Macros over keys and values: the step that they unfold to is priced with the body. */
  #pairs(expr: Expr, { function: name, target, args }: Kind<"callExpr">): Range {
    const [key, value, body] = args;
    if (target === undefined || key === undefined || value === undefined || body === undefined) return NOTHING;
    const before = plus(this.cost(target), name === "transformList" ? LIST : NOTHING);
    const isList = this.#typeOf(target)?.name === "list";
    const path = this.#pathOf(target);
    const names = [key, value].map((one) => (one.exprKind.case === "identExpr" ? one.exprKind.value.name : ""));
    const places = isList ? ["@indices", "@items"] : ["@keys", "@values"];
    for (const [index, one] of names.entries())
      this.#push(one, { path: [...path, places[index] ?? ""], size: undefined, entries: undefined });
    const each = plus(this.cost(body), PAIRED.get(name) ?? ONE);
    for (const one of names) this.#pop(one);
    const count = this.#sizeOf(target) ?? UNKNOWN;
    this.#sizes.set(String(expr.id), name === "transformList" ? count : ONE);
    return plus(before, ONE, times(count, each));
  }

  #entriesOf(expr: Expr): Range | undefined {
    const known = this.#entries.get(String(expr.id));
    if (known !== undefined || expr.exprKind.case !== "identExpr") return known;
    return this.#local(expr.exprKind.value.name)?.entries;
  }

  #sizeOf(expr: Expr): Range | undefined {
    const known = this.#sizes.get(String(expr.id)) ?? literalSize(expr) ?? this.#sizeAt(this.#pathOf(expr));
    if (known !== undefined) return known;
    const type = this.#typeOf(expr);
    const scalar = type?.name === "optional_type" ? type.of[0]?.name : type?.name;
    if (FIXED_SIZE.has(scalar ?? "")) return ONE;
    return expr.exprKind.case === "identExpr" ? this.#local(expr.exprKind.value.name)?.size : undefined;
  }

  /** What the schema says of a path; its first step is `self` or `oldSelf`. */
  #sizeAt(path: readonly string[]): Range | undefined {
    if (path.length === 0) return undefined;
    let at: SizedType | undefined = this.#self;
    for (const step of path.slice(1)) {
      if (step === "@items" || step === "@values") at = at?.item;
      else if (step === "@keys") at = at?.item === undefined || at.fields !== undefined ? undefined : KEY;
      else at = at?.fields?.[step];
      if (at === undefined) return undefined;
    }
    return at === undefined ? undefined : { min: 0, max: at.most };
  }
}

const KEY: SizedType = { most: 0, minBytes: 2 };
/** What the step of such a macro costs beside its body. */
const PAIRED: ReadonlyMap<string, Range> = new Map([
  ["all", fixed(3)],
  ["exists", fixed(4)],
  ["existsOne", fixed(3)],
  ["exists_one", fixed(3)],
  ["transformList", fixed(12)],
]);

const union = (all: Range | undefined, one: Range): Range => (all === undefined ? one : either(all, one));

function literalSize({ exprKind }: Expr): Range | undefined {
  if (exprKind.case === "listExpr") return fixed(exprKind.value.elements.length);
  if (exprKind.case === "structExpr") return fixed(exprKind.value.entries.length);
  if (exprKind.case !== "constExpr") return undefined;
  const { value } = exprKind.value.constantKind;
  if (typeof value === "string") return fixed([...value].length);
  return fixed(value instanceof Uint8Array ? value.length : 1);
}
