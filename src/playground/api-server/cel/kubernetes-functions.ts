// Kubernetes' own functions on lists, texts and sets.
import {
  type CelFunc,
  type CelInput,
  type CelList,
  CelScalar,
  type CelValue,
  celFunc,
  celMethod,
  isCelList,
  isCelMap,
  listType,
  mapType,
  run,
} from "@bufbuild/cel";
import { NONE, some } from "./opaque.ts";

const { DYN, STRING, INT, BOOL } = CelScalar;
const LIST = listType(DYN);
const MAP = mapType(DYN, DYN);

/** Equality and order are CEL's own. */
const equal = (a: CelValue, b: CelValue) => run("a == b", { a: a as CelInput, b: b as CelInput }) === true;

function less(a: CelValue, b: CelValue): boolean {
  const result = run("a < b", { a: a as CelInput, b: b as CelInput });
  if (typeof result !== "boolean") throw new Error("no such overload");
  return result;
}

const contains = (list: CelList, item: CelValue) => [...list].some((one) => equal(one, item));
const containsAll = (list: CelList, others: CelList) => [...others].every((item) => contains(list, item));

function extreme(list: CelList, name: string, better: (a: CelValue, b: CelValue) => boolean): CelInput {
  const [first, ...rest] = [...list];
  if (first === undefined) throw new Error(`${name} called on empty list`);
  return rest.reduce((best, one) => (better(one, best) ? one : best), first) as CelInput;
}

function indexOf(values: readonly CelValue[], wanted: CelValue): bigint {
  return BigInt(values.findIndex((one) => equal(one, wanted)));
}

const optionalItem = (item: CelValue | undefined) => (item === undefined ? NONE : some(item as CelInput));

const flattened = (list: CelList, depth: number): CelInput[] =>
  [...list].flatMap((item) => (depth > 0 && isCelList(item) ? flattened(item, depth - 1) : [item as CelInput]));

const listFunctions: readonly CelFunc[] = [
  celMethod("isSorted", LIST, [], BOOL, function () {
    const items = [...this];
    return items.every((item, index) => index === 0 || !less(item, items[index - 1] as CelValue));
  }),
  celMethod("sum", LIST, [], DYN, function () {
    const items = [...this];
    if (items.length === 0) return 0n;
    const total = items.reduce((a, b) => run("a + b", { a: a as CelInput, b: b as CelInput }) as CelValue);
    return total as CelInput;
  }),
  celMethod("min", LIST, [], DYN, function () {
    return extreme(this, "min", less);
  }),
  celMethod("max", LIST, [], DYN, function () {
    return extreme(this, "max", (a, b) => less(b, a));
  }),
  celMethod("indexOf", LIST, [DYN], INT, function (wanted) {
    return indexOf([...this], wanted);
  }),
  celMethod("lastIndexOf", LIST, [DYN], INT, function (wanted) {
    const items = [...this];
    const found = indexOf(items.toReversed(), wanted);
    return found < 0n ? found : BigInt(items.length - 1) - found;
  }),
  celMethod("slice", LIST, [INT, INT], LIST, function (from, to) {
    return [...this].slice(Number(from), Number(to)) as CelInput[];
  }),
  celMethod("flatten", LIST, [], LIST, function () {
    return flattened(this, 1);
  }),
  celMethod("flatten", LIST, [INT], LIST, function (depth) {
    if (depth < 0n) throw new Error("level must be non-negative");
    return flattened(this, Number(depth));
  }),
  celMethod("first", LIST, [], MAP, function () {
    return optionalItem([...this].at(0));
  }),
  celMethod("last", LIST, [], MAP, function () {
    return optionalItem([...this].at(-1));
  }),
  celFunc("lists.range", [INT], LIST, (count) => Array.from({ length: Number(count) }, (_, index) => BigInt(index))),
  celFunc("@sortByKeys", [LIST, LIST], LIST, (list, keys) => {
    const sorted = [...keys].map((key, index) => ({ key, index }));
    sorted.sort((a, b) => (less(a.key, b.key) ? -1 : less(b.key, a.key) ? 1 : a.index - b.index));
    return sorted.map(({ index }) => list.get(index) as CelInput);
  }),
  celMethod("sort", LIST, [], LIST, function () {
    return [...this].toSorted((a, b) => (less(a, b) ? -1 : 1)) as CelInput[];
  }),
  celMethod("distinct", LIST, [], LIST, function () {
    const items = [...this];
    return items.filter((item, index) => items.findIndex((one) => equal(one, item)) === index) as CelInput[];
  }),
  celMethod("reverse", LIST, [], LIST, function () {
    return [...this].toReversed() as CelInput[];
  }),
  celFunc("@entries", [DYN], LIST, (value) => {
    if (isCelList(value))
      return [...value].map(
        (v, k) =>
          new Map<string, CelInput>([
            ["k", BigInt(k)],
            ["v", v as CelInput],
          ]),
      );
    if (!isCelMap(value)) throw new Error("no such overload");
    return [...value].map(
      ([k, v]) =>
        new Map<string, CelInput>([
          ["k", k as CelInput],
          ["v", v as CelInput],
        ]),
    );
  }),
  celFunc("@toMap", [LIST], MAP, (pairs) => {
    const out = new Map<string, CelInput>();
    for (const pair of pairs) if (isCelMap(pair)) out.set(pair.get("k") as string, pair.get("v") as CelInput);
    return out;
  }),
  celFunc("@merged", [LIST], MAP, (maps) => {
    const out = new Map<string, CelInput>();
    for (const one of maps) {
      if (!isCelMap(one)) throw new Error("no such overload");
      for (const [key, value] of one) {
        if (out.has(key as string)) throw new Error(`insert failed: key ${String(key)} already exists`);
        out.set(key as string, value as CelInput);
      }
    }
    return out;
  }),
  celFunc("sets.contains", [LIST, LIST], BOOL, (a, b) => containsAll(a, b)),
  celFunc("sets.equivalent", [LIST, LIST], BOOL, (a, b) => containsAll(a, b) && containsAll(b, a)),
  celFunc("sets.intersects", [LIST, LIST], BOOL, (a, b) => [...b].some((item) => contains(a, item))),
];

const regexFunctions: readonly CelFunc[] = [
  celMethod("find", STRING, [STRING], STRING, function (pattern) {
    return new RegExp(pattern).exec(String(this))?.[0] ?? "";
  }),
  celMethod("findAll", STRING, [STRING], LIST, function (pattern) {
    return [...String(this).matchAll(new RegExp(pattern, "g"))].map(([found]) => found);
  }),
  celMethod("findAll", STRING, [STRING, INT], LIST, function (pattern, most) {
    const all = [...String(this).matchAll(new RegExp(pattern, "g"))].map(([found]) => found);
    return most < 0n ? all : all.slice(0, Number(most));
  }),
];

export const kubernetesFunctions: readonly CelFunc[] = [...listFunctions, ...regexFunctions];
