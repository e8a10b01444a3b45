// How large values may be and what work on them may cost: ranges that never overflow, as Kubernetes reckons them.

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What an unsigned number of 64 bits holds: more is not told apart. */
const MOST = 2 ** 64;

export const fixed = (value: number): Range => ({ min: value, max: value });
export const UNKNOWN: Range = { min: 0, max: MOST };

const capped = (value: number) => Math.min(value, MOST);

export const plus = (...ranges: readonly Range[]): Range => ({
  min: capped(ranges.reduce((sum, { min }) => sum + min, 0)),
  max: capped(ranges.reduce((sum, { max }) => sum + max, 0)),
});

export const times = (a: Range, b: Range): Range => ({ min: capped(a.min * b.min), max: capped(a.max * b.max) });

export const either = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });

/** Times a price for each unit, rounded up. */
export const priced = ({ min, max }: Range, price: number): Range => ({
  min: capped(Math.ceil(min * price)),
  max: capped(Math.ceil(max * price)),
});

/** The price of a look at one character. */
export const LOOK = 0.1;
/** The price of one character of a regular expression. */
export const PATTERN = 0.25;
