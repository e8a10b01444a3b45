// Kubernetes' functions on versions such as 1.2.3-rc.1.
import { type CelFunc, type CelMap, CelScalar, celFunc, celMethod, mapType } from "@bufbuild/cel";
import { opaque, opened, textOf } from "./opaque.ts";

const { DYN, STRING, INT, BOOL } = CelScalar;
const MAP = mapType(DYN, DYN);

interface Semver {
  readonly numbers: readonly bigint[];
  readonly before: readonly string[];
}

const PARTS = /^([^-+]*)(?:-([^+]*))?(?:\+(.*))?$/s;
const WORDS = ["major", "minor", "patch"];

/** Throws what Kubernetes' reader says. */
function parse(text: string): Semver {
  if (text === "") throw new Error("Version string empty");
  const pieces = text.split(".");
  if (pieces.length < 3) throw new Error("No Major.Minor.Patch elements found");
  const [, numbers = "", before, build] = PARTS.exec(text) ?? [];
  const read = numbers.split(".");
  for (const [index, word] of WORDS.entries()) checkNumber(read[index] ?? "", word);
  const prerelease = before?.split(".") ?? [];
  for (const piece of prerelease) checkPiece(piece, "Prerelease", "prerelease");
  for (const piece of build?.split(".") ?? []) checkPiece(piece, "Build meta data", "build meta data");
  return { numbers: read.map(BigInt), before: prerelease };
}

function checkNumber(piece: string, word: string): void {
  const shown = JSON.stringify(piece);
  if (!/^\d*$/.test(piece)) throw new Error(`Invalid character(s) found in ${word} number ${shown}`);
  if (piece.length > 1 && piece.startsWith("0"))
    throw new Error(`${word[0]?.toUpperCase()}${word.slice(1)} number must not contain leading zeroes ${shown}`);
  if (piece === "") throw new Error(`strconv.ParseUint: parsing "": invalid syntax`);
}

function checkPiece(piece: string, word: string, lower: string): void {
  if (piece === "") throw new Error(`${word} is empty`);
  if (!/^[0-9A-Za-z-]*$/.test(piece))
    throw new Error(`Invalid character(s) found in ${lower} ${JSON.stringify(piece)}`);
  if (word === "Prerelease" && /^0\d+$/.test(piece))
    throw new Error(`Numeric PreRelease version must not contain leading zeroes ${JSON.stringify(piece)}`);
}

/** Without a v, with what is missing, and without zeros before numbers. */
function normalised(text: string): string {
  const bare = text.startsWith("v") ? text.slice(1) : text;
  const [, numbers = "", before, build] = PARTS.exec(bare) ?? [];
  const pieces = numbers.split(".").map((piece) => piece.replace(/^0+(?=.)/, ""));
  const full =
    pieces.length < 3 && before === undefined && build === undefined ? [...pieces, "0", "0"].slice(0, 3) : pieces;
  return full.join(".") + (before === undefined ? "" : `-${before}`) + (build === undefined ? "" : `+${build}`);
}

function toSemver(text: string): CelMap {
  parse(text);
  return opaque("semver", { text });
}

function isSemver(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

const versionOf = (value: unknown) => parse(textOf(opened(value, "semver"), "text"));

/** -1, 0 or 1. Throws for what is no version. */
export function compareSemvers(one: unknown, other: unknown): bigint {
  const [a, b] = [versionOf(one), versionOf(other)];
  for (const [index, number] of a.numbers.entries()) {
    const second = b.numbers[index] ?? 0n;
    if (number !== second) return number < second ? -1n : 1n;
  }
  return compareBefore(a.before, b.before);
}

/** A version before its release is less than the release. */
function compareBefore(a: readonly string[], b: readonly string[]): bigint {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 0n : a.length === 0 ? 1n : -1n;
  for (const [index, piece] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1n;
    if (piece !== other) return isLess(piece, other) ? -1n : 1n;
  }
  return a.length < b.length ? -1n : 0n;
}

function isLess(a: string, b: string): boolean {
  const [one, other] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (one && other) return BigInt(a) < BigInt(b);
  return one === other ? a < b : one;
}

const number = (name: string, index: number): CelFunc =>
  celMethod(name, MAP, [], INT, function () {
    return versionOf(this).numbers[index] ?? 0n;
  });

export const semverFunctions: readonly CelFunc[] = [
  celFunc("semver", [STRING], MAP, toSemver),
  celFunc("semver", [STRING, BOOL], MAP, (text, normal) => toSemver(normal ? normalised(text) : text)),
  celFunc("isSemver", [STRING], BOOL, isSemver),
  celFunc("isSemver", [STRING, BOOL], BOOL, (text, normal) => isSemver(normal ? normalised(text) : text)),
  number("major", 0),
  number("minor", 1),
  number("patch", 2),
];
