// Puts the descriptions of Kubernetes' OpenAPI together: words from packages, what stands between them from
// tools/generate/gen/descriptions.json, which the generator writes beside a real server.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  enumerationWords,
  fieldName,
  intOrStringWords,
  modelName,
  modelWords,
  parameterWords,
  typeWords,
} from "./package-texts.mjs";
import { textOf } from "./white-space.mjs";

/**
 * Words of every text: of `io.k8s.api.core.v1.Pod`, `io.k8s.api.core.v1.Pod.spec` and `parameters list.limit`, without
 * those on values of enumerations, which `values` has. `models` and `oldModels` are folders of unpacked wheels: of the
 * release, and of the last one whose published description told of values.
 */
export function packageWords({ root, models, oldModels }) {
  const client = join(root, "node_modules", "@kubernetes", "client-node");
  const types = typeWords(join(root, "node_modules", "kubernetes-types"));
  const ofModels = modelWords(models);
  const recorded = JSON.parse(readFileSync(join(root, "tools", "generate", "gen", "open-api.json"), "utf8"));
  const words = new Map();
  for (const [definition, { properties = {} }] of Object.entries(recorded.definitions)) {
    const model = modelName(definition);
    set(words, definition, ofModels.get(model) ?? types.get(model));
    for (const field of Object.keys(properties))
      set(words, `${definition}.${field}`, ofModels.get(`${model}.${fieldName(field)}`));
  }
  set(words, "io.k8s.apimachinery.pkg.util.intstr.IntOrString", intOrStringWords(client));
  for (const [parameter, told] of parameterWords(client)) set(words, `parameters ${parameter}`, told);
  return { words, values: enumerationWords(modelWords(oldModels)) };
}

function set(words, key, told) {
  if (told !== undefined && told.length > 0) words.set(key, told);
}

/** `enumerations` names for each value where it is told of; null: nowhere, or nothing is said. */
export function withValues(words, enumeration, values) {
  if (enumeration === undefined) return words;
  const lines = enumeration.flatMap(([value, source]) => [
    "-",
    `\`"${value}"\``,
    ...(source === null ? [] : (values.get(source)?.get(value) ?? [])),
  ]);
  return [...words, "Possible", "enum", "values:", ...lines];
}

/** All texts by the same keys. */
export function descriptionTexts(folders) {
  const facts = readFacts(folders.root);
  const { words, values } = packageWords(folders);
  const texts = {};
  for (const [key, own] of words)
    texts[key] = textOf(withValues(own, facts.enumerations[key], values), facts.layouts[key]);
  const sha256 = hashOf(texts);
  if (sha256 !== facts.sha256) throw new Error(`descriptions have sha256 ${sha256}, expected ${facts.sha256}`);
  return texts;
}

export function readFacts(root) {
  return JSON.parse(readFileSync(join(root, "tools", "generate", "gen", "descriptions.json"), "utf8"));
}

export function hashOf(texts) {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}
