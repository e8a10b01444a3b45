// Nodes of a tree that take fields and items out of optional values.
import type { Expr } from "./expr.ts";

/** `_?._(operand, "field")` and `_[?_](operand, key)`, as Kubernetes' own parser calls them. */
export const OPTIONAL_SELECT = "_?._";
export const OPTIONAL_INDEX = "_[?_]";

type CallValue = Extract<Expr["exprKind"], { case: "callExpr" }>["value"];

/** A call in the place of another node, with its id. */
export function called(from: Expr, name: string, args: readonly Expr[], target?: Expr): Expr {
  const value: CallValue = {
    $typeName: "cel.expr.Expr.Call",
    function: name,
    args: [...args],
    ...(target === undefined ? {} : { target }),
  };
  return { ...from, exprKind: { case: "callExpr", value } };
}

let made = 0n;

/** An id that no other node has; such nodes have no place in the text. */
export const newId = () => {
  made -= 1n;
  return made;
};

/** Whether an expression picks from an optional value without asking whether it is there. */
export function picksOptional(expr: Expr): boolean {
  const kind = expr.exprKind;
  if (kind.case === "selectExpr" && kind.value.operand !== undefined) return picksOptional(kind.value.operand);
  if (kind.case !== "callExpr") return false;
  const { function: name, args } = kind.value;
  if (name === OPTIONAL_SELECT || name === OPTIONAL_INDEX) return true;
  const [first] = args;
  return name === "_[_]" && first !== undefined && picksOptional(first);
}
