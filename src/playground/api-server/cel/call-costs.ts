// What one call costs beside its target: its arguments, and work on them that grows with their size.
import type { CelType } from "./cel-type.ts";
import type { Expr } from "./expr.ts";
import { either, fixed, LOOK, PATTERN, plus, priced, type Range, times, UNKNOWN } from "./sizes.ts";

export interface Operand {
  readonly expr: Expr;
  readonly type: CelType | undefined;
  readonly size: Range;
  /** Of its items, when it is a list. */
  readonly items: Range;
}

export interface CallOf {
  readonly target: Operand | undefined;
  readonly args: readonly Operand[];
  readonly costs: readonly Range[];
}

export interface CallCost {
  readonly cost: Range;
  /** Of the result, where it is known. */
  readonly size?: Range;
}

type Price = (call: CallOf) => CallCost | undefined;

const ONE = fixed(1);
const NONE = fixed(0);

export function callCost(name: string, call: CallOf): CallCost {
  const all = plus(...call.costs);
  const special = ARGUMENTS[name]?.(call);
  if (special !== undefined) return special;
  const work = PRICES[name]?.(call);
  return work === undefined ? { cost: plus(ONE, all) } : { ...work, cost: plus(work.cost, all) };
}

const sizeOf = (operand: Operand | undefined) => operand?.size ?? UNKNOWN;
const isText = (operand: Operand | undefined) => ["string", "bytes", "dyn"].includes(operand?.type?.name ?? "dyn");

/** Calls that do not evaluate all of their arguments. */
const ARGUMENTS: Readonly<Record<string, Price>> = {
  "_&&_": ({ costs: [left = NONE, right = NONE] }) => ({ cost: { min: left.min, max: plus(left, right).max } }),
  "_||_": ({ costs: [left = NONE, right = NONE] }) => ({ cost: { min: left.min, max: plus(left, right).max } }),
  "_?_:_": ({ args: [, one, other], costs: [test = NONE, yes = NONE, no = NONE] }) => ({
    cost: plus(test, either(yes, no)),
    size: either(sizeOf(one), sizeOf(other)),
  }),
};

const looked =
  (which: "target" | "argument", factor = LOOK, sized = false): Price =>
  ({ target, args }) => {
    const operand = which === "target" ? target : args[0];
    if (operand === undefined) return undefined;
    return { cost: priced(operand.size, factor), ...(sized ? { size: operand.size } : {}) };
  };
const nominal: Price = () => ({ cost: ONE });

/** The shorter of the two is looked through. */
const equality: Price = ({ args: [left, right] }) => {
  if (left?.type?.name === right?.type?.name && OPAQUE.has(left?.type?.name ?? "")) return { cost: ONE };
  const max = Math.min(sizeOf(left).max, sizeOf(right).max);
  return { cost: priced({ min: max > 0 ? 1 : 0, max }, LOOK) };
};
const OPAQUE = new Set(["quantity", "ip", "cidr", "semver"].flatMap((name) => [name, name.toUpperCase()]));

const ordering: Price = (call) => {
  const [left, right] = call.args;
  if (!isText(left) || !isText(right)) return undefined;
  const texts = equality(call);
  const dynamic = left?.type?.name === "dyn" || right?.type?.name === "dyn";
  return texts === undefined || !dynamic ? texts : { cost: either(texts.cost, ONE) };
};

const sum: Price = ({ args: [left, right] }) => {
  const names = [left?.type?.name, right?.type?.name];
  const size = plus(sizeOf(left), sizeOf(right));
  if (names.includes("list")) return { cost: ONE, size };
  if (!isText(left) || !isText(right)) return undefined;
  const cost = priced(size, LOOK);
  return { cost: names.includes("dyn") ? either(cost, ONE) : cost, size };
};

const matches: Price = ({ target, args }) => {
  const [text, pattern] = target === undefined ? args : [target, args[0]];
  if (target === undefined) return undefined;
  return { cost: times(priced(plus(sizeOf(text), ONE), LOOK), priced(sizeOf(pattern), PATTERN)) };
};

const found: Price = ({ target, args: [pattern] }) => {
  if (target === undefined || pattern === undefined) return undefined;
  const cost = times(priced(plus(target.size, ONE), LOOK), priced(pattern.size, PATTERN));
  return { cost, size: { min: 0, max: target.size.max } };
};

/** Of the items of a list: texts are looked through for each comparison. */
const perItem: Price = ({ target }) => {
  if (target === undefined) return undefined;
  const [item] = target.type?.of ?? [];
  if (item === undefined) return { cost: priced(target.size, LOOK) };
  const each = item.name === "string" || item.name === "bytes" ? plus(ONE, priced(target.items, LOOK)) : ONE;
  return { cost: times(target.size, each) };
};

const replaced: Price = ({ target, args: [what, by] }) => {
  if (target === undefined || what === undefined || by === undefined) return undefined;
  const { size } = target;
  const most =
    what.size.min === 0
      ? { count: size.max + 1, kept: size.max }
      : by.size.max <= what.size.min
        ? { count: 0, kept: size.max }
        : { count: Math.ceil(size.max / what.size.min), kept: 0 };
  const least =
    what.size.max === 0
      ? { count: size.min + 1, kept: size.min }
      : what.size.max <= by.size.min
        ? { count: 0, kept: size.min }
        : { count: Math.ceil(size.min / what.size.max), kept: 0 };
  const count = times({ min: least.count, max: most.count }, by.size);
  return { cost: priced(size, 2 * LOOK), size: plus(count, { min: least.kept, max: most.kept }) };
};

const joined: Price = ({ target, args: [separator] }) => {
  if (target === undefined) return undefined;
  const items = target.type?.of[0] === undefined ? NONE : times(target.size, target.items);
  const gaps = { min: Math.max(0, target.size.min - 1), max: Math.max(0, target.size.max - 1) };
  const size = separator === undefined ? items : plus(items, times(separator.size, gaps));
  return { cost: priced(size, LOOK), size };
};

const split: Price = ({ target, args: [, limit] }) => {
  if (target === undefined) return undefined;
  const kind = limit?.expr.exprKind;
  const value = kind?.case === "constExpr" ? kind.value.constantKind.value : undefined;
  const max = typeof value === "bigint" ? Number(value) : target.size.max;
  return { cost: priced(target.size, 2 * LOOK), size: { min: 0, max } };
};

/** Texts in and out of bytes. */
const toBytes: Price = ({ args: [text] }) =>
  text?.type?.name === "string"
    ? { cost: priced(text.size, LOOK), size: times(text.size, { min: 1, max: 4 }) }
    : undefined;
const toText: Price = ({ args: [bytes] }) =>
  bytes?.type?.name === "bytes"
    ? { cost: priced(bytes.size, LOOK), size: { min: Math.trunc(bytes.size.min / 4), max: bytes.size.max } }
    : undefined;

const AUTHORIZATION = fixed(350_000);
const ADDRESS = { min: 4, max: 16 };

const containsAddress =
  (network: boolean): Price =>
  ({ args: [other] }) => {
    const parts = [priced(plus(ADDRESS, ADDRESS), LOOK)];
    if (network) parts.push(priced(ADDRESS, LOOK), ONE);
    if (other?.type?.name === "string") parts.push(priced(other.size, LOOK));
    return { cost: plus(...parts) };
  };

const each = (names: readonly string[], price: Price) => Object.fromEntries(names.map((name) => [name, price]));

const PRICES: Readonly<Record<string, Price>> = {
  ...each(["_==_", "_!=_"], equality),
  ...each(["_<_", "_<=_", "_>_", "_>=_"], ordering),
  ...each(["lowerAscii", "upperAscii", "substring", "trim"], looked("target", LOOK, true)),
  ...each(["url", "jsonpatch.escapeKey"], looked("argument", LOOK, true)),
  ...each(["cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"], looked("argument")),
  ...each(["startsWith", "endsWith"], looked("argument")),
  ...each(["isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"], perItem),
  ...each(["find", "findAll"], found),
  "_+_": sum,
  matches,
  contains: ({ target, args: [part] }) =>
    target === undefined || part === undefined
      ? undefined
      : { cost: times(priced(target.size, LOOK), priced(part.size, LOOK)) },
  "@in": ({ args: [, all] }) => (all?.type?.name === "map" ? undefined : { cost: sizeOf(all) }),
  format: looked("target"),
  replace: replaced,
  join: joined,
  split,
  bytes: toBytes,
  string: toText,
  check: () => ({ cost: AUTHORIZATION }),
  ip: ({ target, args: [text] }) => ({ cost: target === undefined ? priced(sizeOf(text), LOOK) : ONE }),
  "ip.isCanonical": looked("argument", 2 * LOOK),
  containsIP: containsAddress(false),
  containsCIDR: containsAddress(true),
  validate: ({ args: [text] }) => ({ cost: priced(priced(sizeOf(text), LOOK), 128 * PATTERN) }),
  ...each(["fieldSelector", "labelSelector"], nominal),
};
