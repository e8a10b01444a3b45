import type { Expr, Parsed } from "./expr.ts";

const HAS = /^has\s*(?=\()/;
const CHOICE = /^\.?\s*(?:map|filter)\s*\(/;

/** Where messages say that a node is: at its operator, or at the parenthesis of a call. */
export function offsetOf({ text, positions }: Parsed, expr: Expr): number {
  const at = positions[String(expr.id)] ?? 0;
  const kind = expr.exprKind;
  if (kind.case === "selectExpr" && kind.value.testOnly) return at + (HAS.exec(text.slice(at))?.[0].length ?? 0);
  if (kind.case !== "callExpr") return at;
  const rest = text.slice(at);
  // Macros that choose are conditions, and stand at their own parenthesis.
  if (kind.value.function === "_?_:_" && !CHOICE.test(rest)) return at + Math.max(0, questionMark(rest));
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
