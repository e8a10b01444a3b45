// Kubernetes' functions on amounts such as 1.5Gi, and the comparisons that versions share with them.
import { type CelFunc, type CelMap, CelScalar, celFunc, celMethod, mapType } from "@bufbuild/cel";
import { parseQuantity } from "../quantity.ts";
import { isOpaque, opaque, opened } from "./opaque.ts";
import { compareSemvers } from "./semver-functions.ts";

const { DYN, STRING, INT, BOOL, DOUBLE } = CelScalar;
const MAP = mapType(DYN, DYN);
const NANO = 1_000_000_000n;

const made = (nano: bigint): CelMap => opaque("quantity", { nano });

function toQuantity(text: string): CelMap {
  const parsed = parseQuantity(text);
  if (parsed === undefined) {
    throw new Error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }
  return made(parsed.value);
}

const nanoOf = (value: unknown): bigint => {
  const nano = opened(value, "quantity").get("nano");
  return typeof nano === "bigint" ? nano : 0n;
};

const amountOf = (value: unknown): bigint => (typeof value === "bigint" ? value * NANO : nanoOf(value));

const sign = (value: bigint) => (value > 0n ? 1n : value < 0n ? -1n : 0n);

/** Amounts and versions are compared by functions of the same names. */
function compared(name: string, gives: typeof BOOL | typeof INT, read: (order: bigint) => boolean | bigint): CelFunc {
  return celMethod(name, MAP, [MAP], gives, function (other) {
    const order = isOpaque(this, "semver") ? compareSemvers(this, other) : sign(nanoOf(this) - nanoOf(other));
    return read(order) as never;
  });
}

export const quantityFunctions: readonly CelFunc[] = [
  celFunc("quantity", [STRING], MAP, toQuantity),
  celFunc("isQuantity", [STRING], BOOL, (text) => parseQuantity(text) !== undefined),
  celMethod("sign", MAP, [], INT, function () {
    return sign(nanoOf(this));
  }),
  celMethod("isInteger", MAP, [], BOOL, function () {
    return nanoOf(this) % NANO === 0n;
  }),
  celMethod("asInteger", MAP, [], INT, function () {
    const nano = nanoOf(this);
    if (nano % NANO !== 0n) throw new Error("cannot convert value to integer");
    return nano / NANO;
  }),
  celMethod("asApproximateFloat", MAP, [], DOUBLE, function () {
    return Number(nanoOf(this)) / 1e9;
  }),
  celMethod("add", MAP, [DYN], MAP, function (other) {
    return made(nanoOf(this) + amountOf(other));
  }),
  celMethod("sub", MAP, [DYN], MAP, function (other) {
    return made(nanoOf(this) - amountOf(other));
  }),
  compared("isLessThan", BOOL, (order) => order < 0n),
  compared("isGreaterThan", BOOL, (order) => order > 0n),
  compared("compareTo", INT, (order) => order),
];
