// Names of what operations share in OpenAPI v2: `limit-1NfNmdNH` ends in a hash of the parameter's JSON, FNV-1 of 64 bits.
import type { JsonObject } from "../contract.ts";

const PRIME = 0x100000001b3n;
const OFFSET = 0xcbf29ce484222325n;
const BYTES_SHOWN = 6;

/** There are some fifty, in thousands of places. */
const names = new Map<string, string>();

export function sharedParameterName(name: string, parameter: JsonObject): string {
  const text = JSON.stringify(parameter);
  const found = names.get(text) ?? `${name}-${hashOf(text)}`;
  names.set(text, found);
  return found;
}

function hashOf(text: string): string {
  let hash = OFFSET;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, hash * PRIME) ^ BigInt(byte);
  const whole = Buffer.alloc(8);
  whole.writeBigUInt64BE(hash);
  const shown = whole.subarray(0, BYTES_SHOWN).toString("base64");
  return shown.replaceAll("+", "-").replaceAll("/", "_");
}
