import type { IncomingHttpHeaders } from "node:http2";

/** Metadata of a call: lower-case names, one text each (repeated ones joined by a comma). */
export type Metadata = Readonly<Record<string, string>>;

/** Headers that belong to the transport, not to the caller. */
const TRANSPORT = new Set([
  "te",
  "content-type",
  "grpc-timeout",
  "grpc-accept-encoding",
  "grpc-encoding",
  "user-agent",
]);

export function metadataOf(headers: IncomingHttpHeaders): Metadata {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || TRANSPORT.has(name) || value === undefined) continue;
    metadata[name] = Array.isArray(value) ? value.join(",") : value;
  }
  return metadata;
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** `grpc-timeout` in milliseconds; undefined when absent or malformed. */
export function parseTimeout(text: string | string[] | undefined): number | undefined {
  const match = typeof text === "string" ? /^(\d{1,8})([HMSmun])$/.exec(text) : null;
  return match === null ? undefined : Number(match[1]) * (UNITS[match[2] ?? ""] ?? 1);
}

/** The `grpc-timeout` of a call; the field holds at most eight digits, so long times are told in seconds. */
export function formatTimeout(ms: number): string {
  const whole = Math.max(1, Math.ceil(ms));
  return whole < 100_000_000 ? `${whole}m` : `${Math.min(99_999_999, Math.ceil(whole / 1000))}S`;
}
