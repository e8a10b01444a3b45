// An expression ready to run: parsed, its macros unfolded, run with all of Kubernetes' functions.
import {
  type CelEnv,
  type CelInput,
  type CelValue,
  celEnv,
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
import { networkFunctions } from "./network-functions.ts";
import { formatFunctions } from "./format-functions.ts";
import { withMarks, withoutMarks } from "./optional-syntax.ts";
import { optionalFunctions } from "./optional-functions.ts";
import { quantityFunctions } from "./quantity-functions.ts";
import { semverFunctions } from "./semver-functions.ts";
import { tokensOf } from "./syntax-tokens.ts";
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

function parseAnew(text: string): Parsed {
  // The parser takes escapes such as \d that CEL does not know.
  const [lost] = tokensOf(text).faults;
  if (lost !== undefined) throw new CelSyntaxError(lost.message, lost.offset);
  const plain = withoutMarks(text);
  try {
    const { expr, sourceInfo } = parse(plain?.text ?? text);
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
  /** Throws an Error with CEL's words when the expression fails. */
  run(bindings: Bindings): CelValue;
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
    ],
  });
  return environment;
}

/** Planned when it first runs: most rules of definitions never do. */
export function planExpression(parsed: Parsed): Program {
  let evaluate: ReturnType<typeof plan> | undefined;
  return {
    run(bindings) {
      evaluate ??= plan(shared(), unfold(parsed.expr));
      const result = evaluate({ ...bindings });
      if (isCelError(result)) throw new Error(goWords(result.message));
      return result;
    },
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
