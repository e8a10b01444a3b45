// When an indexed Job has succeeded before all of its indexes have.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { isObject, numberAt, objectsAt } from "../json.ts";
import { invalid, nonnegatives, required, tooLong, tooMany } from "./field-errors.ts";

export function checkSuccessPolicy(path: string, spec: JsonObject): FieldError[] {
  const policy = spec["successPolicy"];
  if (!isObject(policy)) return [];
  const rules = objectsAt(policy, "rules");
  if (spec["completionMode"] !== "Indexed") {
    const shown = rules.map((rule) => ({
      SucceededIndexes: rule["succeededIndexes"] ?? null,
      SucceededCount: rule["succeededCount"] ?? null,
    }));
    return [
      invalid(path, { Rules: Array.isArray(policy["rules"]) ? shown : null }, "requires indexed completion mode"),
    ];
  }
  const why = "at least one rules must be specified when the successPolicy is specified";
  const errors = rules.length === 0 ? [required(`${path}.rules`, why)] : [];
  if (rules.length > 20) errors.push(tooMany(`${path}.rules`, rules.length, 20));
  return [
    ...errors,
    ...rules.flatMap((rule, index) =>
      checkSuccessRule(`${path}.rules[${index}]`, rule, numberAt(spec, "completions") ?? 0),
    ),
  ];
}

const LONGEST_INDEXES = 64 * 1024;

function checkSuccessRule(path: string, rule: JsonObject, completions: number): FieldError[] {
  const [count, indexes] = [numberAt(rule, "succeededCount"), rule["succeededIndexes"]];
  if (count === undefined && indexes === undefined)
    return [required(path, "at least one of succeededCount or succeededIndexes must be specified")];
  const errors: FieldError[] = [];
  let total = completions;
  if (typeof indexes === "string") {
    const field = `${path}.succeededIndexes`;
    const read = readIndexes(indexes, completions);
    if (indexes.length > LONGEST_INDEXES) errors.push(tooLong(field, LONGEST_INDEXES));
    if (typeof read === "string") errors.push(invalid(field, indexes, `error parsing succeededIndexes: ${read}`));
    total = typeof read === "string" ? 0 : read;
  }
  errors.push(...nonnegatives(path, rule, ["succeededCount"]));
  const tooHigh = (most: number, what: string) =>
    errors.push(
      invalid(`${path}.succeededCount`, count, `must be less than or equal to ${most} (the number of ${what})`),
    );
  if (count !== undefined && count > completions) tooHigh(completions, "specified completions");
  if (count !== undefined && typeof indexes === "string" && count > total)
    tooHigh(total, "indexes in the specified succeededIndexes field");
  return errors;
}

/** How many indexes `1,3-5` names, or what is wrong with it. */
function readIndexes(text: string, completions: number): number | string {
  let [last, total] = [-1, 0];
  for (const interval of text === "" ? [] : text.split(",")) {
    const ends = interval.split("-");
    if (ends.length > 2)
      return `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    const fault = ends.map((end) => indexFault(end, completions)).find((one) => one !== undefined);
    if (fault !== undefined) return fault;
    const [from = 0, to = from] = ends.map(Number);
    if (ends.length === 2 && from >= to) return notGrowing(from, to);
    if (total > 0 && last >= from) return notGrowing(last, from);
    total += to - from + 1;
    last = to;
  }
  return total;
}

const notGrowing = (previous: number, current: number) =>
  `non-increasing order, previous: ${previous}, current: ${current}`;

function indexFault(text: string, completions: number): string | undefined {
  if (!/^[+-]?\d+$/.test(text)) return `cannot convert string to integer for index: ${JSON.stringify(text)}`;
  return Number(text) >= completions ? `too large index: ${JSON.stringify(text)}` : undefined;
}
