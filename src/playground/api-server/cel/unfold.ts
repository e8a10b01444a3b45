// Macros that the parser leaves as calls: `cel.bind`, and tests over keys and values. They become what the planner knows.
import { parse } from "@bufbuild/cel";
import type { Expr } from "./expr.ts";

type Call = Extract<Expr["exprKind"], { case: "callExpr" }>["value"];

const nameOf = (expr: Expr | undefined) => (expr?.exprKind.case === "identExpr" ? expr.exprKind.value.name : "");

/** The expression with its macros unfolded; ids stay as they are. */
export function unfold(expr: Expr): Expr {
  const inner = withChildren(expr, unfold);
  if (inner.exprKind.case !== "callExpr") return inner;
  const call = inner.exprKind.value;
  if (call.function === "bind" && nameOf(call.target) === "cel") return bound(inner, call);
  if (call.args.length === 3 && PAIRS[call.function] !== undefined && call.target !== undefined)
    return pairs(inner, call);
  return inner;
}

/** `cel.bind(x, value, body)`: a list of one, whose only item is x. */
function bound(expr: Expr, call: Call): Expr {
  const [name, value, body] = call.args;
  if (name === undefined || value === undefined || body === undefined) return expr;
  return filled("[VALUE].map(NAME, BODY)[0]", { VALUE: value, BODY: body }, nameOf(name));
}

const PAIRS: Readonly<Record<string, string>> = {
  all: "@entries(RANGE).all(NAME, BODY)",
  exists: "@entries(RANGE).exists(NAME, BODY)",
  existsOne: "@entries(RANGE).exists_one(NAME, BODY)",
  exists_one: "@entries(RANGE).exists_one(NAME, BODY)",
  transformList: "@entries(RANGE).map(NAME, BODY)",
};

function pairs(expr: Expr, call: Call): Expr {
  const [key, value, body] = call.args;
  const template = PAIRS[call.function];
  if (template === undefined || call.target === undefined || body === undefined) return expr;
  const name = `entry_${String(expr.id)}`;
  const seen = replaced(body, { [nameOf(key)]: [name, "k"], [nameOf(value)]: [name, "v"] });
  return filled(template.replace("@entries", "ENTRIES"), { RANGE: call.target, BODY: seen }, name);
}

/** A template with its capital names replaced. */
function filled(template: string, parts: Readonly<Record<string, Expr>>, name: string): Expr {
  const { expr } = parse(template.replaceAll("NAME", name));
  if (expr === undefined) throw new Error("a template is no expression");
  const visit = (one: Expr): Expr => {
    const part = parts[nameOf(one)];
    if (part !== undefined) return part;
    const inner = withChildren(one, visit);
    if (inner.exprKind.case !== "callExpr" || inner.exprKind.value.function !== "ENTRIES") return inner;
    return { ...inner, exprKind: { case: "callExpr", value: { ...inner.exprKind.value, function: "@entries" } } };
  };
  return visit(expr);
}

/** Names become fields of another name. */
function replaced(expr: Expr, names: Readonly<Record<string, readonly [string, string]>>): Expr {
  const found = names[nameOf(expr)];
  if (found === undefined) return withChildren(expr, (child) => replaced(child, names));
  const { expr: field } = parse(`${found[0]}.${found[1]}`);
  return field ?? expr;
}

type Change = (expr: Expr) => Expr;

const maybe = (expr: Expr | undefined, change: Change) => (expr === undefined ? undefined : change(expr));

const given = (key: string, value: Expr | undefined) => (value === undefined ? {} : { [key]: value });

/** A copy with every child changed. */
export function withChildren(expr: Expr, change: Change): Expr {
  const kind = expr.exprKind;
  if (kind.case === "selectExpr") {
    const value = { ...kind.value, ...given("operand", maybe(kind.value.operand, change)) };
    return { ...expr, exprKind: { case: "selectExpr", value } };
  }
  if (kind.case === "callExpr") {
    const { target, args } = kind.value;
    const value = { ...kind.value, ...given("target", maybe(target, change)), args: args.map(change) };
    return { ...expr, exprKind: { case: "callExpr", value } };
  }
  if (kind.case === "listExpr") {
    const value = { ...kind.value, elements: kind.value.elements.map(change) };
    return { ...expr, exprKind: { case: "listExpr", value } };
  }
  if (kind.case === "structExpr") {
    const entries = kind.value.entries.map((entry) => ({ ...entry, ...given("value", maybe(entry.value, change)) }));
    return { ...expr, exprKind: { case: "structExpr", value: { ...kind.value, entries } } };
  }
  if (kind.case === "comprehensionExpr") {
    const parts = ["iterRange", "accuInit", "loopCondition", "loopStep", "result"] as const;
    const changed = parts.map((part) => given(part, maybe(kind.value[part], change)));
    const value = Object.assign({}, kind.value, ...changed);
    return { ...expr, exprKind: { case: "comprehensionExpr", value } };
  }
  return expr;
}
