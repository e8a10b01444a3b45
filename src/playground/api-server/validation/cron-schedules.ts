// The five fields of a cron schedule, and time zones.
import type { FieldError } from "../api-errors.ts";
import type { JsonValue } from "../contract.ts";
import { invalid } from "./field-errors.ts";

interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: readonly Bounds[] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  { low: 1, high: 12, names: MONTHS },
  { low: 0, high: 6, names: DAYS },
];
const DESCRIPTORS = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/** What is wrong with a schedule, in the words of Kubernetes' parser; undefined when nothing is. */
function fault(schedule: string): string | undefined {
  const text = schedule.replace(/^(CRON_)?TZ=\S+\s+/, "").trim();
  if (text === "") return "empty spec string";
  if (text.startsWith("@every ")) {
    return /^([+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text.slice(7))
      ? undefined
      : `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(text.slice(7))}`;
  }
  if (text.startsWith("@")) return DESCRIPTORS.includes(text) ? undefined : `unrecognized descriptor: ${text}`;
  const fields = text.split(/\s+/);
  if (fields.length !== 5) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`;
  return FIELDS.map((bounds, index) => fieldFault(fields[index] ?? "", bounds)).find((one) => one !== undefined);
}

function fieldFault(field: string, bounds: Bounds): string | undefined {
  return field
    .split(",")
    .filter((part) => part !== "")
    .map((part) => rangeFault(part, bounds))
    .find((one) => one !== undefined);
}

function rangeFault(expression: string, { low, high, names }: Bounds): string | undefined {
  const [range = "", step, ...more] = expression.split("/");
  const [first = "", last, ...rest] = range.split("-");
  const isStar = first === "*" || first === "?";
  const number = (text: string): number | string => {
    const named = names?.indexOf(text.toLowerCase()) ?? -1;
    if (named >= 0) return named + (names === MONTHS ? 1 : 0);
    if (/^\d+$/.test(text)) return Number(text);
    if (/^[+-]\d+$/.test(text) && Number(text) < 0) return `negative number (${Number(text)}) not allowed: ${text}`;
    return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  };
  const start = isStar ? low : number(first);
  if (typeof start === "string") return start;
  if (!isStar && rest.length > 0) return `too many hyphens: ${expression}`;
  const end = isStar ? high : last === undefined ? (step === undefined ? start : high) : number(last);
  if (typeof end === "string") return end;
  if (more.length > 0) return `too many slashes: ${expression}`;
  const by = step === undefined ? 1 : number(step);
  if (typeof by === "string") return by;
  if (start < low) return `beginning of range (${start}) below minimum (${low}): ${expression}`;
  if (end > high) return `end of range (${end}) above maximum (${high}): ${expression}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${expression}`;
  return by === 0 ? `step of range should be a positive number: ${expression}` : undefined;
}

export function checkSchedule(
  field: string,
  schedule: string,
  { zone, former }: { readonly zone: JsonValue | undefined; readonly former: string },
): FieldError[] {
  const wrong = fault(schedule);
  const errors = wrong === undefined ? [] : [invalid(field, schedule, wrong)];
  if (!schedule.includes("TZ")) return errors;
  if (!former.includes("TZ"))
    errors.push(invalid(field, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  else if (zone !== undefined)
    errors.push(invalid(field, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  return errors;
}

export function checkTimeZone(field: string, zone: JsonValue | undefined): FieldError[] {
  if (typeof zone !== "string") return [];
  if (zone === "") return [invalid(field, zone, "timeZone must be nil or non-empty string")];
  const unknown = [invalid(field, zone, `unknown time zone ${zone}`)];
  const wellFormed = zone
    .split("/")
    .every((part) => part !== "." && part !== ".." && !part.startsWith("-") && /^[A-Za-z._0-9+-]{1,14}$/.test(part));
  if (!wellFormed) return unknown;
  if (zone.toLowerCase() === "local") {
    const why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
    return [invalid(field, zone, why), ...(zone === "Local" ? [] : unknown)];
  }
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return [];
  } catch {
    return unknown;
  }
}
