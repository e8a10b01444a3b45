// Times as Go reads them by a layout, with what it says of those that it cannot read.

export const SECONDS_LAYOUT = "2006-01-02T15:04:05Z07:00";
export const MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00";

export interface GoTime {
  /** As Kubernetes writes it: in UTC, with the precision of the layout. "" when there is a fault. */
  readonly text: string;
  readonly fault: string;
}

class Fault extends Error {}

interface Reader {
  readonly text: string;
  readonly layout: string;
  rest: string;
}

/** Two digits of a place in the layout, or one where Go takes that. */
interface Field {
  readonly element: string;
  readonly oneDigit?: boolean;
  readonly least: number;
  readonly most: number;
  readonly name: string;
}

const MONTH: Field = { element: "01", least: 1, most: 12, name: "month" };
const DAY: Field = { element: "02", least: 0, most: 99, name: "day" };
const HOUR: Field = { element: "15", oneDigit: true, least: 0, most: 23, name: "hour" };
const MINUTE: Field = { element: "04", least: 0, most: 59, name: "minute" };
const SECOND: Field = { element: "05", least: 0, most: 59, name: "second" };

export function readGoTime(text: string, layout: string): GoTime {
  try {
    return { text: read({ text, layout, rest: text }), fault: "" };
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return { text: "", fault: `parsing time ${quoted(text)}${thrown.message}` };
  }
}

function read(reader: Reader): string {
  const year = readYear(reader);
  literal(reader, "-");
  const month = number(reader, MONTH);
  literal(reader, "-");
  const day = number(reader, DAY);
  literal(reader, "T");
  const hour = number(reader, HOUR);
  literal(reader, ":");
  const minute = number(reader, MINUTE);
  literal(reader, ":");
  const second = number(reader, SECOND);
  const nanos = readFraction(reader);
  const offset = readOffset(reader);
  if (reader.rest !== "") throw new Fault(`: extra text: ${quoted(reader.rest)}`);
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate())
    throw new Fault(": day out of range");
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  at.setUTCHours(hour, minute - offset, second);
  const whole = at.toISOString().slice(0, 19);
  return reader.layout === MICRO_LAYOUT ? `${whole}.${nanos.slice(0, 6)}Z` : `${whole}Z`;
}

function refuse({ text: _, layout }: Reader, rest: string, element: string): never {
  throw new Fault(` as ${quoted(layout)}: cannot parse ${quoted(rest)} as ${quoted(element)}`);
}

function literal(reader: Reader, sign: string): void {
  if (!reader.rest.startsWith(sign)) refuse(reader, reader.rest, sign);
  reader.rest = reader.rest.slice(1);
}

function readYear(reader: Reader): number {
  const digits = /^\d{4}/.exec(reader.rest)?.[0];
  if (digits === undefined) refuse(reader, reader.rest, "2006");
  reader.rest = reader.rest.slice(4);
  return Number(digits);
}

function number(reader: Reader, { element, oneDigit, least, most, name }: Field): number {
  const digits = (oneDigit === true ? /^\d\d?/ : /^\d\d/).exec(reader.rest)?.[0];
  if (digits === undefined) refuse(reader, reader.rest, element);
  reader.rest = reader.rest.slice(digits.length);
  const value = Number(digits);
  if (value < least || value > most) throw new Fault(`: ${name} out of range`);
  return value;
}

/** Nine digits. A layout without a fraction takes any, one with six takes six. */
function readFraction(reader: Reader): string {
  const isMicro = reader.layout === MICRO_LAYOUT;
  const found = (isMicro ? /^[.,](\d{6})/ : /^[.,](\d+)/).exec(reader.rest);
  if (found === null && isMicro) refuse(reader, reader.rest, ".000000");
  reader.rest = reader.rest.slice(found?.[0].length ?? 0);
  return (found?.[1] ?? "").padEnd(9, "0").slice(0, 9);
}

/** Minutes east of UTC. */
function readOffset(reader: Reader): number {
  if (reader.rest.startsWith("Z")) {
    reader.rest = reader.rest.slice(1);
    return 0;
  }
  const [whole, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)/.exec(reader.rest) ?? [];
  if (whole === undefined) refuse(reader, reader.rest, "Z07:00");
  if (Number(hours) > 24) throw new Fault(": time zone offset hour out of range");
  if (Number(minutes) > 60) throw new Fault(": time zone offset minute out of range");
  reader.rest = reader.rest.slice(6);
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** As Go's package of times quotes. */
function quoted(text: string): string {
  const shown = [...Buffer.from(text)].map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x80 || byte < 0x20 ? `\\x${byte.toString(16).padStart(2, "0")}` : String.fromCharCode(byte);
  });
  return `"${shown.join("")}"`;
}
