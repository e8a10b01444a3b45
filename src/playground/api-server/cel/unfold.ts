// Macros that the parser leaves as calls: tests over keys and values, and those of optional values. They become what the
// planner knows.
import { parse } from "@bufbuild/cel";
import type { Expr } from "./expr.ts";
import { called, picksOptional } from "./optional-nodes.ts";
import { withChildren } from "./with-children.ts";

type Call = Extract<Expr["exprKind"], { case: "callExpr" }>["value"];

const nameOf = (expr: Expr | undefined) => (expr?.exprKind.case === "identExpr" ? expr.exprKind.value.name : "");

/** The expression with its macros unfolded; ids stay as they are. */
export function unfold(expr: Expr): Expr {
  const inner = withChildren(expr, unfold);
  if (inner.exprKind.case === "listExpr" || inner.exprKind.case === "structExpr") return withOptionals(inner);
  if (inner.exprKind.case !== "callExpr") return picked(inner, expr);
  const call = inner.exprKind.value;
  if (call.target !== undefined) {
    if (PAIRS[`${call.function}/${call.args.length}`] !== undefined) return pairs(inner, call);
    const [name, body] = call.args;
    const template = NAMED[`${call.function}/${call.args.length}`];
    if (template !== undefined && name !== undefined && body !== undefined)
      return filled(template, { RANGE: call.target, BODY: body }, nameOf(name));
  }
  return picked(inner, expr);
}

/** Macros over one name. An optional value is looked at twice. */
const NAMED: Readonly<Record<string, string>> = {
  "sortBy/2": "SORTED(RANGE, RANGE.map(NAME, BODY))",
  "optMap/2": "RANGE.hasValue() ? optional.of([RANGE.value()].map(NAME, BODY)[0]) : optional.none()",
  "optFlatMap/2": "RANGE.hasValue() ? [RANGE.value()].map(NAME, BODY)[0] : optional.none()",
};

/** What is taken out of an optional value may not be there either. */
function picked(inner: Expr, before: Expr): Expr {
  if (!picksOptional(before)) return inner;
  const kind = inner.exprKind;
  if (kind.case === "callExpr") {
    const [from, key] = kind.value.args;
    return from === undefined || key === undefined ? inner : called(inner, "@optionalSelect", [from, key]);
  }
  if (kind.case !== "selectExpr" || kind.value.operand === undefined) return inner;
  return called(inner, "@optionalSelect", [kind.value.operand, literal(JSON.stringify(kind.value.field))]);
}

/** Lists and maps with entries that are there only when their value is. */
function withOptionals(expr: Expr): Expr {
  const kind = expr.exprKind;
  if (kind.case === "listExpr" && kind.value.optionalIndices.length > 0) {
    const which = literal(`[${kind.value.optionalIndices.join(", ")}]`);
    return called(expr, "@optionalList", [expr, which]);
  }
  if (kind.case !== "structExpr" || !kind.value.entries.some(({ optionalEntry }) => optionalEntry)) return expr;
  const rows = kind.value.entries.flatMap(({ keyKind, value, optionalEntry }) => {
    if (keyKind.case !== "mapKey" || value === undefined) return [];
    return [filled(`[KEY, BODY, ${optionalEntry}]`, { KEY: keyKind.value, BODY: value }, "")];
  });
  const list = literal("[]");
  if (list.exprKind.case !== "listExpr") return expr;
  const value = { ...list.exprKind.value, elements: rows };
  return called(expr, "@optionalMap", [{ ...list, exprKind: { case: "listExpr", value } }]);
}

function literal(text: string): Expr {
  const { expr } = parse(text);
  if (expr === undefined) throw new Error("a literal is no expression");
  return expr;
}

const PAIRS: Readonly<Record<string, string>> = {
  "all/3": "ENTRIES(RANGE).all(NAME, BODY)",
  "exists/3": "ENTRIES(RANGE).exists(NAME, BODY)",
  "existsOne/3": "ENTRIES(RANGE).exists_one(NAME, BODY)",
  "exists_one/3": "ENTRIES(RANGE).exists_one(NAME, BODY)",
  "transformList/3": "ENTRIES(RANGE).map(NAME, BODY)",
  "transformList/4": "ENTRIES(RANGE).map(NAME, CONDITION, BODY)",
  "transformMap/3": "TO_MAP(ENTRIES(RANGE).map(NAME, {'k': NAME.k, 'v': BODY}))",
  "transformMap/4": "TO_MAP(ENTRIES(RANGE).map(NAME, CONDITION, {'k': NAME.k, 'v': BODY}))",
  "transformMapEntry/3": "MERGED(ENTRIES(RANGE).map(NAME, BODY))",
  "transformMapEntry/4": "MERGED(ENTRIES(RANGE).map(NAME, CONDITION, BODY))",
};

function pairs(expr: Expr, call: Call): Expr {
  const [key, value, third, fourth] = call.args;
  const template = PAIRS[`${call.function}/${call.args.length}`];
  if (template === undefined || call.target === undefined || third === undefined) return expr;
  const name = `entry_${String(expr.id).replace("-", "_")}`;
  const names = { [nameOf(key)]: [name, "k"], [nameOf(value)]: [name, "v"] } as const;
  const seen = replaced(fourth ?? third, names);
  const condition = fourth === undefined ? {} : { CONDITION: replaced(third, names) };
  return filled(template, { RANGE: call.target, BODY: seen, ...condition }, name);
}

/** Functions of our own that no text can name. */
const OWN_FUNCTIONS: Readonly<Record<string, string>> = {
  ENTRIES: "@entries",
  TO_MAP: "@toMap",
  MERGED: "@merged",
  SORTED: "@sortByKeys",
};

/** A template with its capital names replaced. */
function filled(template: string, parts: Readonly<Record<string, Expr>>, name: string): Expr {
  const { expr } = parse(template.replaceAll("NAME", name));
  if (expr === undefined) throw new Error("a template is no expression");
  const visit = (one: Expr): Expr => {
    const part = parts[nameOf(one)];
    if (part !== undefined) return part;
    const inner = withChildren(one, visit);
    if (inner.exprKind.case !== "callExpr") return inner;
    const own = OWN_FUNCTIONS[inner.exprKind.value.function];
    if (own === undefined) return inner;
    return { ...inner, exprKind: { case: "callExpr", value: { ...inner.exprKind.value, function: own } } };
  };
  return visit(expr);
}

/** Names become fields of another name. */
function replaced(expr: Expr, names: Readonly<Record<string, readonly [string, string]>>): Expr {
  const name = nameOf(expr);
  const found = Object.hasOwn(names, name) ? names[name] : undefined;
  if (found === undefined) return withChildren(expr, (child) => replaced(child, names));
  const { expr: field } = parse(`${found[0]}.${found[1]}`);
  return field ?? expr;
}
