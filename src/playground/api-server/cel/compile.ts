// An expression with the types of its variables: what is wrong with it, and how it runs.
import { type CelType, DYN } from "./cel-type.ts";
import { checkTypes, type TypeIssue } from "./check-types.ts";
import { estimateCost } from "./estimate-cost.ts";
import { literalFaults, planFault } from "./literal-faults.ts";
import { CelSyntaxError, INVALID_NUMBER, type Program, parseExpression, planExpression } from "./program.ts";
import type { SizedType } from "./sized-type.ts";
import { syntaxFaults } from "./syntax-faults.ts";

export interface Compiled {
  readonly program: Program | undefined;
  /** In the compiler's words, each with the line and a mark under it; "" when the expression is sound. */
  readonly issues: string;
  /** What keeps a sound expression from being run; "" when nothing does. */
  readonly planFault: string;
  readonly type: CelType;
  readonly reads: ReadonlySet<string>;
  /** The most that one run costs, when `self` and `oldSelf` are of a type. */
  readonly cost: (self: SizedType) => number;
}

export function compileExpression(text: string, variables: Readonly<Record<string, CelType>>): Compiled {
  try {
    const parsed = parseExpression(text);
    const checked = checkTypes(parsed, variables);
    const { type, reads, types } = checked;
    const issues = checked.issues.length > 0 ? checked.issues : literalFaults(parsed, types);
    const cost = (self: SizedType) => estimateCost({ expr: parsed.expr, types, self });
    const fault = issues.length === 0 ? (planFault(parsed) ?? "") : "";
    const program = issues.length === 0 && fault === "" ? planExpression(parsed) : undefined;
    const told = issues.map((issue) => issueText(text, issue)).join("\n");
    return { program, issues: told, planFault: fault, type, reads, cost };
  } catch (thrown) {
    if (!(thrown instanceof CelSyntaxError)) throw thrown;
    const found = syntaxFaults(text);
    const faults = found.length > 0 ? found : [unexplained(text, thrown)];
    const issues = faults.map((fault) => issueText(text, fault)).join("\n");
    return { program: undefined, issues, planFault: "", type: DYN, reads: new Set(), cost: () => 0 };
  }
}

/** What the grammar allows and an expression may not hold. */
function unexplained(text: string, { offset, message }: CelSyntaxError): TypeIssue {
  if (message === INVALID_NUMBER) return { offset, message };
  if (!message.endsWith("reserved identifier")) return { offset, message: `Syntax error: ${message}` };
  return { offset, message: `reserved identifier: ${/^\w*/.exec(text.slice(offset))?.[0] ?? ""}` };
}

function issueText(text: string, { offset, message }: TypeIssue): string {
  // There is no line to show of nothing, and no column.
  if (text === "") return `ERROR: <input>:1:0: ${message}`;
  const before = text.slice(0, offset).split("\n");
  const line = text.split("\n")[before.length - 1] ?? "";
  const column = before.at(-1)?.length ?? 0;
  const wide = (letter: string) => letter.codePointAt(0) ?? 0;
  const dots = [...(before.at(-1) ?? "")].map((letter) => (wide(letter) > 0x7f ? "．" : "."));
  const mark = wide(line.slice(column)) > 0x7f ? "＾" : "^";
  const shown = line.replaceAll("\t", " ");
  return `ERROR: <input>:${before.length}:${[...dots].length + 1}: ${message}\n | ${shown}\n | ${dots.join("")}${mark}`;
}
