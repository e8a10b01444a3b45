// Amounts such as 250m, 1.5Gi or 1e3, exact, and written as Kubernetes writes them.

type Base = "binary" | "decimal" | "exponent";

/** `value` counts nano-units. */
export interface Quantity {
  readonly value: bigint;
  readonly form: Base;
}

const NANO = 1_000_000_000n;
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;
const LARGEST = (2n ** 63n - 1n) * NANO;

/** Undefined for a text that is no quantity. Fractions below a nano-unit are rounded up, as Kubernetes does. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = SHAPE.exec(text);
  const [, sign, whole = "", fraction = "", suffix = ""] = match ?? [];
  if (match === null || whole + fraction === "") return undefined;
  const digits = BigInt(whole + fraction);
  const binary = BINARY.indexOf(suffix);
  const exponent = /^[eE]/.test(suffix) && suffix.length > 1;
  const form: Base = binary > 0 ? "binary" : exponent ? "exponent" : "decimal";
  const power = 9 - fraction.length + (exponent ? Number(suffix.slice(1)) : (DECIMAL[suffix] ?? 0));
  const scaled = binary > 0 ? digits * 1024n ** BigInt(binary) : digits;
  const magnitude = power >= 0 ? scaled * 10n ** BigInt(Math.min(power, 60)) : divideUp(scaled, 10n ** BigInt(-power));
  const capped = magnitude > LARGEST ? LARGEST : magnitude;
  return { value: sign === "-" ? -capped : capped, form };
}

const divideUp = (value: bigint, by: bigint) => (value + by - 1n) / by;

/** The canonical text: no fraction, the largest suffix that needs none. */
export function formatQuantity({ value, form }: Quantity): string {
  const magnitude = value < 0n ? -value : value;
  const sign = value < 0n ? "-" : "";
  if (magnitude === 0n) return "0";
  // Binary suffixes cannot tell less than 1024 or fractions.
  if (form === "binary" && magnitude >= 1024n * NANO && magnitude % NANO === 0n)
    return sign + inBinary(magnitude / NANO);
  return sign + inDecimal(magnitude, form === "exponent");
}

function inBinary(value: bigint): string {
  let [rest, step] = [value, 0];
  while (step < BINARY.length - 1 && rest % 1024n === 0n) {
    rest /= 1024n;
    step++;
  }
  return `${rest}${BINARY[step] ?? ""}`;
}

const DECIMAL_SUFFIX = new Map(Object.entries(DECIMAL).map(([suffix, power]) => [power, suffix]));

function inDecimal(nano: bigint, exponent: boolean): string {
  let [rest, power] = [nano, -9];
  while (power < 18 && rest % 1000n === 0n) {
    rest /= 1000n;
    power += 3;
  }
  if (exponent) return power === 0 ? `${rest}` : `${rest}e${power}`;
  return `${rest}${DECIMAL_SUFFIX.get(power) ?? ""}`;
}

/** The canonical form of a text, or the text itself when it is no quantity. */
export function canonicalQuantity(text: string): string {
  const parsed = parseQuantity(text);
  return parsed === undefined ? text : formatQuantity(parsed);
}

/** Nano-units of a text; 0 for what is no quantity. */
export const nanoUnits = (text: unknown): bigint => parseQuantity(String(text ?? ""))?.value ?? 0n;

export const isWhole = (text: unknown): boolean => nanoUnits(text) % NANO === 0n;
