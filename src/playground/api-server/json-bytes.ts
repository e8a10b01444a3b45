import type { JsonObject } from "./contract.ts";

const bytes = new WeakMap<JsonObject, Buffer>();

/** The object as JSON; the same buffer for the same object, which must never change: for answers, watches and the journal. */
export function bytesOf(object: JsonObject): Buffer {
  let known = bytes.get(object);
  if (known === undefined) {
    known = serialize(object);
    bytes.set(object, known);
  }
  return known;
}

/** Says what `bytesOf` shall give for a tree that was read from these bytes. */
export function rememberBytes(object: JsonObject, known: Buffer): void {
  bytes.set(object, known);
}

/** A buffer of its own: one out of Node's pool would keep its neighbours in memory for as long as it lives. */
export function serialize(object: JsonObject): Buffer {
  const text = JSON.stringify(object);
  const made = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  made.write(text);
  return made;
}
