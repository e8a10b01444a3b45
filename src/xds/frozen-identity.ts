// A snapshot shares what did not change, so the same frozen object is the same content: its number can stand for it in
// a cache key, and comparing costs nothing.

const identities = new WeakMap<object, string>();
let counter = 0;

/** A number for an object, the same as long as the process lives. */
export function identityOf(frozen: object): string {
  const known = identities.get(frozen);
  if (known !== undefined) return known;
  counter += 1;
  const id = String(counter);
  identities.set(frozen, id);
  return id;
}
