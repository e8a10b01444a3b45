// Typed reading of YAML and JSON that people wrote: a wrong type counts as absent.

export type RawObject = Readonly<Record<string, unknown>>;

export function isRawObject(value: unknown): value is RawObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Walks `a.b.c`; undefined when a step is missing. */
export function readPath(root: unknown, path: string): unknown {
  let here: unknown = root;
  for (const step of path.split(".")) {
    if (!isRawObject(here)) return undefined;
    here = here[step];
  }
  return here;
}

export function readObject(root: unknown, path: string): RawObject {
  const value = readPath(root, path);
  return isRawObject(value) ? value : {};
}

/** Numbers count as text: `tag: 1.31` is the tag "1.31". Empty text counts as absent. */
export function readText(root: unknown, path: string): string | undefined {
  const value = readPath(root, path);
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function readNumber(root: unknown, path: string): number | undefined {
  const value = readPath(root, path);
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

export function readBoolean(root: unknown, path: string): boolean | undefined {
  const value = readPath(root, path);
  if (value === "true") return true;
  if (value === "false") return false;
  return typeof value === "boolean" ? value : undefined;
}

export function readTexts(root: unknown, path: string): string[] | undefined {
  const value = readPath(root, path);
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : undefined;
}

/** Every entry as text: annotations and proxy metadata hold text only, YAML writers leave the quotes away. */
export function readTextMap(root: unknown, path: string): Record<string, string> {
  const entries = Object.entries(readObject(root, path)).filter(
    ([, value]) => value !== null && typeof value !== "object",
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
}
