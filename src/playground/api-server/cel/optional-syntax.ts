// Optional fields, items and entries: `a.?b`, `a[?b]`, `[?a]`, `{?a: b}`. The parser knows none of them: it reads a text of
// the same length without the marks, and the tree gets back what they mean.
import type { Expr, Parsed } from "./expr.ts";
import { tokensOf } from "./syntax-tokens.ts";
import { called, newId, OPTIONAL_INDEX, OPTIONAL_SELECT } from "./optional-nodes.ts";
import { withChildren } from "./with-children.ts";

interface Marks {
  /** Where the dots before optional fields stand. */
  readonly selects: ReadonlySet<number>;
  /** Where the brackets of optional items and of lists and maps with optional entries stand; which of their entries. */
  readonly entries: ReadonlyMap<number, ReadonlySet<number>>;
}

interface Plain {
  readonly text: string;
  readonly marks: Marks;
}

/** The text for the parser; undefined when it has no marks. */
export function withoutMarks(text: string): Plain | undefined {
  if (!text.includes("?")) return undefined;
  const { tokens } = tokensOf(text);
  const letters = [...text.split("")];
  const selects = new Set<number>();
  const entries = new Map<number, Set<number>>();
  const open: { readonly offset: number; index: number }[] = [];
  for (const [at, { sort, offset }] of tokens.entries()) {
    const before = tokens[at - 1];
    const next = tokens[at + 1];
    if ("([{".includes(sort)) open.push({ offset, index: 0 });
    else if (")]}".includes(sort)) open.pop();
    const around = open.at(-1);
    if (sort === "," && around !== undefined) around.index += 1;
    if (sort !== "?" || before === undefined) continue;
    if (before.sort === "." && next?.sort === "IDENTIFIER") {
      selects.add(before.offset);
      const name = `_${next.text}`.padEnd(next.offset + next.text.length - offset);
      letters.splice(offset, name.length, ...name.split(""));
    } else if (around !== undefined && ["[", "{", ","].includes(before.sort)) {
      entries.set(around.offset, (entries.get(around.offset) ?? new Set()).add(around.index));
      letters[offset] = " ";
    }
  }
  return selects.size + entries.size === 0 ? undefined : { text: letters.join(""), marks: { selects, entries } };
}

/** The tree with what the marks mean. */
export function withMarks({ text, expr, positions }: Parsed, { selects, entries }: Marks): Expr {
  const at = (one: Expr) => positions[String(one.id)] ?? -1;
  const visit = (one: Expr): Expr => {
    const inner = withChildren(one, visit);
    const kind = inner.exprKind;
    if (kind.case === "selectExpr" && kind.value.operand !== undefined && selects.has(at(one)))
      return called(inner, OPTIONAL_SELECT, [kind.value.operand, constant(inner, kind.value.field.slice(1))]);
    const which = entries.get(at(one));
    if (which === undefined) return inner;
    if (kind.case === "callExpr" && kind.value.function === "_[_]")
      return called(inner, OPTIONAL_INDEX, kind.value.args);
    if (kind.case === "listExpr") {
      const value = { ...kind.value, optionalIndices: [...which] };
      return { ...inner, exprKind: { case: "listExpr", value } };
    }
    if (kind.case !== "structExpr") return inner;
    const all = kind.value.entries.map((entry, index) => ({ ...entry, optionalEntry: which.has(index) }));
    return { ...inner, exprKind: { case: "structExpr", value: { ...kind.value, entries: all } } };
  };
  return text === "" ? expr : visit(expr);
}

/** A text as a node of its own. */
function constant(from: Expr, text: string): Expr {
  const constantKind = { case: "stringValue", value: text } as const;
  const value = { $typeName: "cel.expr.Constant", constantKind } as const;
  return { ...from, id: newId(), exprKind: { case: "constExpr", value } };
}
