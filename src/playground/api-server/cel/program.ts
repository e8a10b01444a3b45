// An expression ready to run: parsed, its macros unfolded, run with all of Kubernetes' functions.
import {
  type CelEnv,
  type CelInput,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  isCelError,
  isCelList,
  isCelMap,
  isCelUint,
  parse,
  plan,
} from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { authorizerFunctions } from "./authorizer-functions.ts";
import type { Parsed } from "./expr.ts";
import { kubernetesFunctions } from "./kubernetes-functions.ts";
import { type Hook, type Meter, metered } from "./metered.ts";
import { networkFunctions } from "./network-functions.ts";
import { formatFunctions } from "./format-functions.ts";
import { withMarks, withoutMarks } from "./optional-syntax.ts";
import { optionalFunctions } from "./optional-functions.ts";
import { quantityFunctions } from "./quantity-functions.ts";
import { semverFunctions } from "./semver-functions.ts";
import { type Token, tokensOf } from "./syntax-tokens.ts";
import { unfold } from "./unfold.ts";

/** Thrown for a text that is no expression. */
export class CelSyntaxError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const known = new Map<string, Parsed>();
/** Definitions say the same rules again and again, for each of their versions and of many fields. */
const MOST_KNOWN = 500;

/** Throws CelSyntaxError. The same text gives the same tree, which is never changed. */
export function parseExpression(text: string): Parsed {
  let parsed = known.get(text);
  if (parsed === undefined) {
    parsed = parseAnew(text);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, parsed);
  }
  return parsed;
}

/** What is said of a number that 64 bits do not hold. */
export const INVALID_NUMBER = "invalid int literal";
const MOST_INTEGER = 2n ** 63n - 1n;

/** A number that is one too large may be the least one. */
const isTooLarge = ({ sort, text }: Token, index: number, tokens: readonly Token[]) =>
  sort === "NUM_INT" && BigInt(text) > MOST_INTEGER + (tokens[index - 1]?.sort === "-" ? 1n : 0n);

function parseAnew(text: string): Parsed {
  // The parser takes escapes such as \d that CEL does not know.
  const { faults, tokens } = tokensOf(text);
  const [lost] = faults;
  if (lost !== undefined) throw new CelSyntaxError(lost.message, lost.offset);
  const large = tokens.find(isTooLarge);
  if (large !== undefined) throw new CelSyntaxError(INVALID_NUMBER, large.offset);
  const plain = withoutMarks(text);
  try {
    // The parser wants a line to end behind a comment.
    const { expr, sourceInfo } = parse(`${plain?.text ?? text}${text.includes("//") ? "\n" : ""}`);
    if (expr === undefined) throw new Error("empty expression");
    const parsed = { text, expr, positions: sourceInfo?.positions ?? {} };
    return plain === undefined ? parsed : { ...parsed, expr: withMarks(parsed, plain.marks) };
  } catch (thrown) {
    const at = thrown as { location?: { start?: { offset?: number } }; message?: string };
    throw new CelSyntaxError(at.message ?? "syntax error", at.location?.start?.offset ?? 0);
  }
}

export type Bindings = Readonly<Record<string, CelInput>>;

export interface Program {
  /**
   * Throws an Error with CEL's words when the expression fails. With a meter it counts what the run costs, also of one
   * that fails, and throws CelCostError when that is more than the meter's limit.
   */
  run(bindings: Bindings, meter?: Meter): CelValue;
}

/** An expression was stopped because it cost too much. */
export class CelCostError extends Error {
  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}

let environment: CelEnv | undefined;

function shared(): CelEnv {
  environment ??= celEnv({
    funcs: [
      ...strings,
      ...kubernetesFunctions,
      ...optionalFunctions,
      ...networkFunctions,
      ...quantityFunctions,
      ...semverFunctions,
      ...formatFunctions,
      ...authorizerFunctions,
      seen,
    ],
  });
  return environment;
}

/** Planned when it first runs: most rules of definitions never do. */
export function planExpression(parsed: Parsed): Program {
  let evaluate: ReturnType<typeof plan> | undefined;
  let counting: ReturnType<typeof planCounting> | undefined;
  return {
    run(bindings, meter) {
      if (meter === undefined) {
        evaluate ??= plan(shared(), unfold(parsed.expr));
        return checked(evaluate({ ...bindings }));
      }
      counting ??= planCounting(parsed);
      return counting(bindings, meter);
    },
  };
}

function checked(result: ReturnType<ReturnType<typeof plan>>): CelValue {
  if (isCelError(result)) throw new Error(goWords(result.message));
  return result;
}

/** Of the run that goes on: expressions run one after another, never one inside another. */
let running: { readonly hooks: readonly Hook[]; readonly meter: Meter } | undefined;

/** The place where a run is looked at. */
const seen = celFunc("@seen", [CelScalar.INT, CelScalar.DYN], CelScalar.DYN, (index, value) => {
  const hook = running?.hooks[Number(index)];
  return running === undefined || hook === undefined ? (value as CelInput) : hook(value, running.meter);
});

function planCounting(parsed: Parsed): (bindings: Bindings, meter: Meter) => CelValue {
  const { expr, hooks, base } = metered(unfold(parsed.expr));
  const evaluate = plan(shared(), expr);
  return (bindings, meter) => {
    const before = running;
    running = { hooks, meter };
    meter.spent += base;
    try {
      const result = evaluate({ ...bindings });
      if (meter.spent > meter.limit) throw new CelCostError();
      return checked(result);
    } finally {
      running = before;
    }
  };
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^field not found: (.*)$/s, "no such key: $1"],
  [/^key not found: (.*)$/s, "no such key: $1"],
  [/^no such key:? ?"?([^"]*)"?$/s, "no such key: $1"],
  [/^index (-?\d+) out of bounds.*$/s, "index out of bounds: $1"],
  [/^(int|uint) divide by zero$/, "division by zero"],
  [/^(int|uint) modulus by zero$/, "modulus by zero"],
  [/^found no matching overload.*$/s, "no such overload"],
  [/^unbound function: .*$/s, "no such overload"],
  [/^Cannot convert .* to a BigInt$/s, "type conversion error from 'string' to 'int'"],
  [/^Unable to convert string .* to bool$/s, "type conversion error from 'string' to 'bool'"],
];

/** The words that Kubernetes' messages have for what goes wrong. */
function goWords(message: string): string {
  for (const [pattern, words] of WORDS) if (pattern.test(message)) return message.replace(pattern, words);
  return message;
}

/** A result as JSON: for messages and patches. */
export function toJson(value: CelValue): unknown {
  if (typeof value === "bigint") return Number(value);
  if (isCelUint(value)) return Number(value.value);
  if (isCelList(value)) return [...value].map(toJson);
  if (isCelMap(value)) return Object.fromEntries([...value].map(([key, child]) => [String(key), toJson(child)]));
  return value;
}
