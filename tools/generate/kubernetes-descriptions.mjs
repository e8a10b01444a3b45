// Writes gen/descriptions.json: what stands between the words of Kubernetes' descriptions, and which sentence
// tells of which value of an enumeration. The words themselves come from packages whenever the project is set up.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashOf, packageWords, withValues } from "../descriptions/description-texts.mjs";
import { layoutOf, textOf } from "../descriptions/white-space.mjs";
import { fetchModels } from "../kubernetes-descriptions.mjs";

export async function recordDescriptions(get, root) {
  const { words, values } = packageWords({ root, ...(await fetchModels()) });
  const real = realTexts(await get("/openapi/v2", "application/json"));
  const facts = { enumerations: {}, layouts: {} };
  const texts = {};
  const told = { equal: 0, values: 0, missing: [], others: [] };
  for (const [key, own] of words) {
    const candidates = real.get(key) ?? [];
    const found = candidates.map((text) => fitted(own, text, values)).find(({ layout }) => layout !== undefined);
    if (found === undefined) {
      told.others.push(key);
      words.delete(key);
      continue;
    }
    if (found.enumeration !== undefined) facts.enumerations[key] = found.enumeration;
    if (found.layout !== "") facts.layouts[key] = found.layout;
    texts[key] = textOf(withValues(own, found.enumeration, values), found.layout);
    if (texts[key] === found.text) told.equal++;
    else told.values++;
  }
  for (const key of real.keys()) if (!key.startsWith("parameters") && !words.has(key)) told.missing.push(key);
  const unequal = told.others
    .map((key) => `\n  other words: ${key}`)
    .concat(told.missing.map((key) => `\n  none: ${key}`));
  process.stderr.write(
    `descriptions: ${told.equal} equal, ${told.values} without what is said of some values${unequal.join("")}\n`,
  );
  facts.sha256 = hashOf(texts);
  writeFileSync(join(root, "tools/generate/gen/descriptions.json"), `${JSON.stringify(facts, null, 1)}\n`);
}

/** The layout of a real text; of what it says of values, only what `values` has is kept. */
function fitted(own, text, values) {
  const [base, list] = text.split("Possible enum values:\n");
  if (list === undefined) return { text, layout: layoutOf(own, text) };
  const items = list.split(/\n(?= - `")/).map((item) => itemOf(item, values));
  const kept = `${base}Possible enum values:\n${items.map(({ line }) => line).join("\n")}`;
  const enumeration = items.map(({ value, source }) => [value, source]);
  return { text, enumeration, layout: layoutOf(withValues(own, enumeration, values), kept) };
}

function itemOf(item, values) {
  const [, line, value, comment] = /^( - `"([^`]*)"`)\s*([\s\S]*)$/.exec(item);
  if (comment === "") return { line: item, value, source: null };
  const wanted = comment.replace(/\s+/g, "");
  for (const [source, told] of values) if (told.get(value)?.join("") === wanted) return { line: item, value, source };
  return { line, value, source: null };
}

/** All texts that a key has: parameters of one name differ from path to path. */
function realTexts({ definitions, parameters, paths }) {
  const found = new Map();
  const add = (key, text) => found.set(key, [...(found.get(key) ?? []), text]);
  for (const [name, { description, properties = {} }] of Object.entries(definitions)) {
    if (description !== undefined) add(name, description);
    for (const [field, told] of Object.entries(properties))
      if (told.description !== undefined) add(`${name}.${field}`, told.description);
  }
  const operations = Object.values(paths).flatMap((item) => [item, ...Object.values(item)]);
  const all = [...Object.values(parameters), ...operations.flatMap((operation) => operation.parameters ?? [])];
  for (const { name, description } of all) {
    if (description === undefined) continue;
    for (const action of ACTIONS)
      for (const ending of ["", "2"]) add(`parameters ${action}.${name}${ending}`, description);
  }
  return found;
}

const ACTIONS = [
  ...["list", "post", "patch", "deletecollection", "log", "attach", "exec", "portforward"],
  ...["proxy.Pod", "proxy.Service", "proxy.Node", "path"],
];
