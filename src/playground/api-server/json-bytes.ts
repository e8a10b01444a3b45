import type { JsonObject } from "./contract.ts";

const bytes = new WeakMap<JsonObject, Buffer>();

/** The object as JSON; the same buffer for the same object, which must never change: for answers, watches and the journal. */
export function bytesOf(object: JsonObject): Buffer {
  let known = bytes.get(object);
  if (known === undefined) {
    known = Buffer.from(JSON.stringify(object));
    bytes.set(object, known);
  }
  return known;
}
