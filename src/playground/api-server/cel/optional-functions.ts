// Values that may not be there, and the fields and items that are taken out of them.
import {
  type CelFunc,
  type CelInput,
  type CelMap,
  CelScalar,
  type CelValue,
  celFunc,
  celMethod,
  isCelList,
  isCelMap,
  listType,
  mapType,
} from "@bufbuild/cel";
import { isOpaque, NONE, opened, some } from "./opaque.ts";

const { DYN, BOOL } = CelScalar;
const LIST = listType(DYN);
const MAP = mapType(DYN, DYN);

/** The field or item, when there is one; of an optional value, when that is there. */
function pick(from: CelValue, key: CelValue): CelMap {
  if (isOpaque(from, "optional")) {
    const inner = from.get("value");
    return inner === undefined ? NONE : pick(inner, key);
  }
  if (isCelList(from)) {
    const item = typeof key === "bigint" || typeof key === "number" ? from.get(Number(key)) : undefined;
    return item === undefined ? NONE : some(item as CelInput);
  }
  if (!isCelMap(from)) throw new Error("no such overload");
  const value = from.get(key as string);
  return value === undefined ? NONE : some(value as CelInput);
}

/** None or one. */
function present(value: CelValue | undefined): CelInput[] {
  const inner = opened(value, "optional").get("value");
  return inner === undefined ? [] : [inner as CelInput];
}

const isZero = (value: CelValue) =>
  value === null ||
  value === "" ||
  value === false ||
  value === 0n ||
  value === 0 ||
  ((isCelList(value) || isCelMap(value)) && value.size === 0);

export const optionalFunctions: readonly CelFunc[] = [
  celFunc("optional.of", [DYN], MAP, (value) => some(value as CelInput)),
  celFunc("optional.none", [], MAP, () => NONE),
  celFunc("optional.ofNonZeroValue", [DYN], MAP, (value) => (isZero(value) ? NONE : some(value as CelInput))),
  celMethod("hasValue", MAP, [], BOOL, function () {
    return opened(this, "optional").has("value") || opened(this, "optional").get("value") === null;
  }),
  celMethod("value", MAP, [], DYN, function () {
    const value = opened(this, "optional").get("value");
    if (value === undefined) throw new Error("optional.none() dereference");
    return value as CelInput;
  }),
  celMethod("orValue", MAP, [DYN], DYN, function (other) {
    const value = opened(this, "optional").get("value");
    return (value === undefined ? other : value) as CelInput;
  }),
  celFunc("@optionalSelect", [DYN, DYN], MAP, pick),
  celFunc("@optionalList", [LIST, LIST], LIST, (items, which) => {
    const optional = new Set([...which].map(Number));
    return [...items].flatMap((item, index) => (optional.has(index) ? present(item) : [item as CelInput]));
  }),
  /** Of lists of a key, a value and whether the value is optional. */
  celFunc("@optionalMap", [LIST], MAP, (rows) => {
    const out = new Map<string, CelInput>();
    for (const row of rows) {
      if (!isCelList(row)) throw new Error("no such overload");
      const [key, value, optional] = [...row];
      const found = optional === true ? present(value) : [value as CelInput];
      for (const one of found) out.set(key as string, one);
    }
    return out;
  }),
  celFunc("optional.unwrap", [LIST], LIST, (list) => [...list].flatMap(present)),
  celMethod("unwrapOpt", LIST, [], LIST, function () {
    return [...this].flatMap(present);
  }),
  celMethod("or", MAP, [MAP], MAP, function (other) {
    return opened(this, "optional").get("value") === undefined ? other : this;
  }),
];
