/** What no escape can stand in for: a character after a backslash, and the text of a raw template. */
const RAW = /(?<!\\)(?:\\\\)*\\\P{ASCII}|String\.raw`[^`]*?(?!`)\P{ASCII}/u;

/**
 * The same program with an escape for each character beyond ASCII; strings, templates, patterns and names may hold them.
 * Throws an Error that shows the first place where none would do.
 */
export function inAscii(code) {
  const [found] = RAW.exec(code) ?? [];
  if (found !== undefined) throw new Error(`this cannot be written in ASCII: ${found.slice(0, 80)}`);
  return code.replace(/\P{ASCII}/gu, (character) => character.split("").map(escapeOf).join(""));
}

function escapeOf(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
