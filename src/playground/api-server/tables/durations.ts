// Times as kubectl prints them: two units at most.
const UNITS = [
  ["y", 365 * 86400],
  ["d", 86400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
] as const;

/** How many of a unit are shown together with the next smaller one, beyond which the smaller is left out. */
const WITH_REST: Readonly<Record<string, number>> = { y: 8, d: 8, h: 8, m: 10, s: 0 };

/** `5s`, `2m10s`, `3h12m`, `45h`, `2d4h`, `9d`. Below two minutes in seconds, as kubectl does. */
export function shortDuration(seconds: number): string {
  if (seconds < 0) return seconds < -2 ? "<invalid>" : "0s";
  if (seconds < 120) return `${Math.floor(seconds)}s`;
  if (seconds < 3 * 3600) return pair(seconds, "m");
  if (seconds < 48 * 3600) return pair(seconds, "h");
  if (seconds < 2 * 365 * 86400) return pair(seconds, "d");
  return pair(seconds, "y");
}

function pair(seconds: number, unit: string): string {
  const at = UNITS.findIndex(([name]) => name === unit);
  const size = UNITS[at]?.[1] ?? 1;
  const smaller = unit === "y" ? UNITS[1] : UNITS[at + 1];
  const whole = Math.floor(seconds / size);
  const rest = smaller === undefined ? 0 : Math.floor((seconds % size) / smaller[1]);
  if (smaller === undefined || rest === 0 || whole >= (WITH_REST[unit] ?? 0)) return `${whole}${unit}`;
  return `${whole}${unit}${rest}${smaller[0]}`;
}

/** Since an RFC 3339 time; `<unknown>` for none. */
export function age(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? "<unknown>" : shortDuration((Date.now() - at) / 1000);
}
