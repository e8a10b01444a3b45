/** Closes a switch over a tagged union: the compiler refuses a forgotten case, and a foreign value throws at once. */
export function assertNever(value: never, what: string): never {
  throw new Error(`unexpected ${what}: ${JSON.stringify(value)}`);
}
