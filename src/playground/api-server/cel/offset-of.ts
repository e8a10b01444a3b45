import type { Expr, Parsed } from "./expr.ts";

/** Where messages say that a node is: at its operator, or at the parenthesis of a call. */
export function offsetOf({ text, positions }: Parsed, expr: Expr): number {
  const at = positions[String(expr.id)] ?? 0;
  if (expr.exprKind.case !== "callExpr") return at;
  const rest = text.slice(at);
  if (expr.exprKind.value.function === "_?_:_") return at + Math.max(0, questionMark(rest));
  const call = /^\.?\s*[A-Za-z_]\w*\s*(?=\()/.exec(rest);
  return at + (call?.[0].length ?? /^\s*/.exec(rest)?.[0].length ?? 0);
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
