// Finds where a column's description has its words from: a field of which the same is said, or fields that have nearly all
// of its words between them.
import { layoutOf } from "../descriptions/white-space.mjs";

/** Shorter texts are labels, whoever else has the same words. */
const LABEL_WORDS = 3;
/** No shorter run of words is taken for a field's. */
const PIECE_WORDS = 4;
/** Text of pieces has a longer one among them. */
const LONGEST_WORDS = 8;
/** At most so much of it may be its own. */
const OWN_SHARE = 1 / 4;

/** `words` as `fieldWords` gives them. The function answers undefined for what is a printer's own. */
export function createSources(words) {
  const runs = [...words].map(([field, told]) => [field, ` ${told.join(" ")} `, told]);
  return (text, path) => {
    const own = text.split(/\s+/).filter((word) => word !== "");
    if (own.length < LABEL_WORDS) return undefined;
    const source = sameField(own, path, words) ?? piecesOf(own, runs);
    if (source === undefined) return undefined;
    const layout = layoutOf(own, text);
    return { ...source, ...(layout === "" ? {} : { layout }) };
  };
}

/** Of several fields the one of the release, of the resource itself, with the shortest name. */
function sameField(own, path, words) {
  const kind = path.split("/").at(-1).slice(0, -3);
  const order = [...words.keys()];
  const rank = (field) => [
    field.includes(" "),
    !field.split(".").at(-2).toLowerCase().startsWith(kind),
    field.length,
    order.indexOf(field),
  ];
  const same = [...words].filter(([, told]) => told.length === own.length && told.join() === own.join());
  const [best] = same.map(([field]) => [field, rank(field)]).sort(([, a], [, b]) => compare(a, b));
  return best === undefined ? undefined : { field: best[0] };
}

function compare(a, b) {
  const index = a.findIndex((value, at) => value !== b[at]);
  if (index < 0) return 0;
  return a[index] < b[index] ? -1 : 1;
}

/** Longest runs first to last; named after the field that has the first of them. */
function piecesOf(own, runs) {
  const pieces = [];
  let alone = 0;
  for (let at = 0; at < own.length; ) {
    const run = longestRun(own.slice(at), runs);
    if (run !== undefined) {
      pieces.push(run);
      at += run[2] - run[1];
      continue;
    }
    if (typeof pieces.at(-1) === "string") pieces.push(`${pieces.pop()} ${own[at]}`);
    else pieces.push(own[at]);
    alone += 1;
    at += 1;
  }
  if (alone > own.length * OWN_SHARE) return undefined;
  const fields = pieces.filter((piece) => typeof piece !== "string");
  return fields.some(([, from, to]) => to - from >= LONGEST_WORDS) ? { field: fields[0][0], pieces } : undefined;
}

/** `[field, from, to]` of the longest beginning of `own` that some field has. */
function longestRun(own, runs) {
  let candidates = runs;
  let length = PIECE_WORDS;
  let found;
  for (; length <= own.length; length += 1) {
    const run = ` ${own.slice(0, length).join(" ")} `;
    candidates = candidates.filter(([, text]) => text.includes(run));
    if (candidates.length === 0) break;
    found = { run, candidate: candidates[0] };
  }
  if (found === undefined) return undefined;
  const [field, text] = found.candidate;
  const from = text.slice(0, text.indexOf(found.run)).split(" ").length - 1;
  return [field, from, from + length - 1];
}
