import type { Expr } from "./expr.ts";

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
    const entries = kind.value.entries.map((entry) => {
      const key =
        entry.keyKind.case === "mapKey"
          ? ({ case: "mapKey", value: change(entry.keyKind.value) } as const)
          : entry.keyKind;
      return { ...entry, keyKind: key, ...given("value", maybe(entry.value, change)) };
    });
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

/** Calls `see` with every node, inner ones first. */
export function visitNodes(expr: Expr, see: (expr: Expr) => void): void {
  withChildren(expr, (child) => {
    visitNodes(child, see);
    return child;
  });
  see(expr);
}
