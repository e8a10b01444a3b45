// The part of Kubernetes' JSONPath that printer columns and scale paths use: fields, quoted fields, indexes, wildcards
// and filters that compare one field with one value.
import type { JsonValue } from "../contract.ts";
import { isObject, valueAt } from "../json.ts";

type Step = (values: JsonValue[]) => JsonValue[];

const TOKEN =
  /\.\.|\.?\[\?\(\s*@((?:\.[\w-]+|\['[^']*'\])+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*\)\]|\.?\['((?:[^'\\]|\\.)*)'\]|\.?\["([^"]*)"\]|\[(-?\d+)\]|\.?\[\*\]|\.\*|\.((?:[\w-]|\\.)+)/y;

const cache = new Map<string, (root: JsonValue) => JsonValue[]>();

/** All values at `path`, such as `.status.conditions[?(@.type=="Ready")].status`; none for a path it cannot read. */
export function jsonPath(path: string, root: JsonValue): JsonValue[] {
  let reader = cache.get(path);
  if (reader === undefined) {
    reader = compile(path);
    cache.set(path, reader);
  }
  return reader(root);
}

function compile(path: string): (root: JsonValue) => JsonValue[] {
  const text = path.startsWith(".") || path.startsWith("[") || path === "" ? path : `.${path}`;
  const steps: Step[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) return () => [];
    steps.push(stepOf(match));
  }
  return (root) => steps.reduce((values, step) => step(values), [root]);
}

function stepOf(match: RegExpExecArray): Step {
  const [whole, filterPath, operator, double, single, bare, quoted, doubleQuoted, index, field] = match;
  if (filterPath !== undefined) {
    return filter(filterPath, operator === "!=", double ?? single ?? bare ?? "");
  }
  if (index !== undefined) {
    const at = Number(index);
    return (values) => values.flatMap((value) => (Array.isArray(value) ? (value.at(at) ?? []) : []));
  }
  const name = quoted ?? doubleQuoted ?? field;
  if (name !== undefined) {
    const key = name.replaceAll("\\", "");
    return (values) =>
      values.flatMap((value) => (isObject(value) && Object.hasOwn(value, key) ? [value[key] ?? null] : []));
  }
  if (whole === "..") return (values) => values;
  return (values) =>
    values.flatMap((value) => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []));
}

function filter(path: string, negative: boolean, wanted: string): Step {
  const steps = [...path.matchAll(/\.([\w-]+)|\['([^']*)'\]/g)].map((part) => part[1] ?? part[2] ?? "");
  const test = (value: JsonValue) => {
    const found = valueAt(value, ...steps);
    return found !== undefined && (String(found) === wanted) !== negative;
  };
  return (values) => values.flatMap((value) => (Array.isArray(value) ? value.filter(test) : []));
}
