// What tables say of their columns is mostly what is said of a field, of this release or of a version of its group that
// is served no more. tools/generate/gen/columns.json names the fields; their words come from the wheels.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hashOf } from "./description-texts.mjs";
import { modelWords } from "./package-texts.mjs";
import { textOf } from "./white-space.mjs";

/**
 * Words by field: `core_v1.PodStatus.podIP` of the release, `1.23 core_v1.PodStatus.podIP` of an earlier one. The
 * release comes first, then the later ones.
 */
export function fieldWords({ models, oldModels, olderModels }) {
  const before = (release, folder) => [...modelWords(folder)].map(([field, words]) => [`${release} ${field}`, words]);
  return new Map([...modelWords(models), ...before("1.23", oldModels), ...before("1.21", olderModels)]);
}

/**
 * `columns`: definitions by path of the resource, whose descriptions are a printer's own words, or
 * `{ field, pieces?, layout? }`: the field's words, or pieces of the words of several fields. `sha256`: of all texts.
 */
export function readColumns(root) {
  return JSON.parse(readFileSync(join(root, "tools", "generate", "gen", "columns.json"), "utf8"));
}

/** Texts by field, of all fields that describe a column. */
export function columnTexts({ root, ...folders }) {
  const { columns, sha256 } = readColumns(root);
  const texts = textsOf(columns, fieldWords(folders));
  const found = hashOf(texts);
  if (found !== sha256) throw new Error(`descriptions of columns have sha256 ${found}, expected ${sha256}`);
  return texts;
}

export function textsOf(columns, words) {
  const told = Object.values(columns).flatMap((row) => row.map(({ description }) => description));
  const fields = told.filter((description) => typeof description !== "string");
  const texts = new Map();
  for (const source of fields) {
    const text = textOf(wordsFrom(source, words), source.layout);
    if ((texts.get(source.field) ?? text) !== text)
      throw new Error(`${source.field} names two descriptions of columns`);
    texts.set(source.field, text);
  }
  return Object.fromEntries([...texts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A piece is words of its own, or those of a field from one to before another. */
function wordsFrom({ field, pieces = [[field]] }, words) {
  return pieces.flatMap((piece) => {
    if (typeof piece === "string") return piece.split(" ");
    const [of, from, to] = piece;
    return (words.get(of) ?? []).slice(from, to);
  });
}
