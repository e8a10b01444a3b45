// What stands between the words of a text. Packages that carry texts wrap their lines; where the text itself has
// anything but one blank is told by a layout: `12n 30-` is a line break before the word 12 and nothing before the 30.
const CODES = { "\n": "n", " ": "s", "\t": "t" };
const SPACES = { ...Object.fromEntries(Object.entries(CODES).map(([space, code]) => [code, space])), "-": "" };

/** The layout by which `words` become `text`; undefined when they are not its words. */
export function layoutOf(words, text) {
  const rows = [];
  let at = 0;
  const space = (index, usual) => {
    const [run] = /^\s*/.exec(text.slice(at));
    at += run.length;
    if (run !== usual) rows.push(`${index}${run === "" ? "-" : [...run].map((one) => CODES[one] ?? "?").join("")}`);
  };
  for (const [index, word] of words.entries()) {
    space(index, index === 0 ? "" : " ");
    if (!text.startsWith(word, at)) return undefined;
    at += word.length;
  }
  space(words.length, "");
  return at === text.length ? rows.join(" ") : undefined;
}

/** The text of these words. */
export function textOf(words, layout = "") {
  const before = words.map((_, index) => (index === 0 ? "" : " ")).concat("");
  for (const [, index, codes] of layout.matchAll(/(\d+)([a-z-]+)/g))
    before[Number(index)] = [...codes].map((code) => SPACES[code]).join("");
  return words.map((word, index) => before[index] + word).join("") + before[words.length];
}
