// `timeout` of the query: how long a client is ready to wait. Only its form is checked here.
import { badRequest } from "../api-errors.ts";
import type { RequestInfo } from "../contract.ts";

const LASTING = new Set(["watch", "proxy"]);
const LASTING_DOORS = new Set(["attach", "exec", "proxy", "log", "portforward"]);

/** Throws 400 for a timeout that is none; requests without an end have no timeout. */
export function checkTimeout(info: RequestInfo, query: URLSearchParams): void {
  const lasting = LASTING.has(info.verb) || LASTING_DOORS.has(info.subresource.split("/")[0] ?? "");
  const text = query.get("timeout") ?? "";
  if (text === "" || (info.isResource && lasting)) return;
  const fault = durationFault(text);
  if (fault !== undefined) throw badRequest(`invalid timeout specified in the request URL - time: ${fault}`);
}

const HOURS: Readonly<Record<string, number>> = {
  ns: 1 / 3.6e12,
  us: 1 / 3.6e9,
  µs: 1 / 3.6e9,
  μs: 1 / 3.6e9,
  ms: 1 / 3.6e6,
  s: 1 / 3600,
  m: 1 / 60,
  h: 1,
};
/** 2^63 nanoseconds. */
const MOST_HOURS = 2 ** 63 / 3.6e12;

/** What Go says of a text that is no duration. */
function durationFault(text: string): string | undefined {
  const shown = JSON.stringify(text);
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return undefined;
  if (rest === "") return `invalid duration ${shown}`;
  let hours = 0;
  while (rest !== "") {
    const [whole, number = "", unit = ""] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest) ?? [];
    if (whole === undefined) return `invalid duration ${shown}`;
    if (unit === "") return `missing unit in duration ${shown}`;
    const scale = HOURS[unit];
    if (scale === undefined) return `unknown unit ${JSON.stringify(unit)} in duration ${shown}`;
    hours += Number(number) * scale;
    rest = rest.slice(whole.length);
  }
  return hours >= MOST_HOURS ? `invalid duration ${shown}` : undefined;
}
