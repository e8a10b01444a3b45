// The words of Kubernetes' descriptions as published packages carry them: of definitions and fields in lightkube-models,
// of definitions that are no classes in kubernetes-types, of parameters in @kubernetes/client-node. All of them change
// white space, which white-space.mjs puts back.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const wordsOf = (text) => text.split(/\s+/).filter((word) => word !== "");

/** `io.k8s.api.core.v1.Pod` stands in the module `core_v1` as the class `Pod`. */
export function modelName(definition) {
  const [third, second, name] = definition.split(".").slice(-3);
  const module = /^v\d/.test(second) || second === "intstr" ? `${third}_${second}` : second;
  return `${module}.${name}`;
}

/** Python's name of a field: no word of the language, no dollar, no dash. */
export function fieldName(field) {
  const plain = field.replace(/^\$/, "d_").replaceAll("-", "_");
  return PYTHON_WORDS.has(plain) ? `${plain}_` : plain;
}
const PYTHON_WORDS = new Set(["continue", "except", "from", "not"]);

/** Words by `core_v1.Pod` and `core_v1.Pod.spec`, of an unpacked wheel of lightkube-models. */
export function modelWords(folder) {
  const models = join(folder, "lightkube", "models");
  const found = new Map();
  for (const file of readdirSync(models).filter((name) => name.endsWith(".py"))) {
    const source = readFileSync(join(models, file), "utf8");
    for (const [, name, text] of source.matchAll(/^class (\w+)\(\w+\):\n {4}r?"""([\s\S]*?)"""$/gm))
      addClass(found, `${file.slice(0, -3)}.${name}`, text);
  }
  return found;
}

function addClass(found, name, text) {
  const [head, fields = ""] = text.split("\n\n      **parameters**\n");
  found.set(name, wordsOf(head));
  for (const [, field, told] of fields.matchAll(
    /^ {6}\* \*\*(\w+)\*\* ``.*?`` - ([\s\S]*?)(?=\n {6}\* \*\*|$(?![\s\S]))/gm,
  ))
    found.set(`${name}.${field}`, wordsOf(told.replace(/^\*\(optional\)\*/, "")));
}

/** Functions of CoreV1Api that have all parameters between them, by the action for which their texts are. */
const FUNCTIONS = {
  list: "listNamespacedPod",
  post: "createNamespacedPod",
  patch: "patchNamespacedPod",
  deletecollection: "deleteCollectionNamespacedPod",
  log: "readNamespacedPodLog",
  attach: "connectGetNamespacedPodAttach",
  exec: "connectGetNamespacedPodExec",
  portforward: "connectGetNamespacedPodPortforward",
  "proxy.Pod": "connectGetNamespacedPodProxy",
  "proxy.Service": "connectGetNamespacedServiceProxy",
  "proxy.Node": "connectGetNodeProxy",
  path: "connectGetNamespacedPodProxyWithPath",
};

const ESCAPES = { amp: "&", lt: "<", gt: ">", quot: '"' };

function unescaped(text) {
  return text
    .replace(/\\?&(?:#(\d+)|#x([0-9A-Fa-f]+)|(\w+));/g, (whole, decimal, hex, name) => {
      if (name !== undefined) return ESCAPES[name] ?? whole;
      return String.fromCharCode(decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal));
    })
    .replace(/\\(["'])/g, "$1");
}

/** Words by `list.limit`, from the type declarations in the folder of @kubernetes/client-node. */
export function parameterWords(folder) {
  const source = readFileSync(join(folder, "dist", "gen", "apis", "CoreV1Api.d.ts"), "utf8");
  const found = new Map();
  for (const [action, name] of Object.entries(FUNCTIONS)) {
    const end = source.indexOf(`\n    ${name}(`);
    const comment = source.slice(source.lastIndexOf("/**", end), end);
    for (const [, parameter, text] of comment.matchAll(/^ {5}\* @param (\w+) (.+)$/gm))
      found.set(`${action}.${parameter.replace(/^_/, "")}`, wordsOf(unescaped(text)));
  }
  return found;
}

const ITEM = /(?:^| )- `"([^"`]*)"`/;

/** What is said of each value of an enumeration, by `core_v1.Container.imagePullPolicy`, from the words of fields. */
export function enumerationWords(models) {
  const found = new Map();
  for (const [name, words] of models) {
    const [, list] = words.join(" ").split("Possible enum values:");
    if (list === undefined) continue;
    const [, ...parts] = list.split(ITEM);
    const values = parts.flatMap((part, index) => (index % 2 === 0 ? [[part, wordsOf(parts[index + 1])]] : []));
    found.set(name, new Map(values));
  }
  return found;
}

const COMMENTED = /^\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:type|interface) (\w+)/gm;

/** Words by `meta_v1.Time`, of what kubernetes-types declares as types. */
export function typeWords(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".d.ts"));
  const found = new Map();
  for (const file of files) {
    const module = file
      .slice(0, -".d.ts".length)
      .replace(/^api\//, "")
      .replaceAll("/", "_");
    const source = readFileSync(join(folder, file), "utf8");
    for (const [, comment, name] of source.matchAll(COMMENTED)) {
      found.set(`${module}.${name}`, wordsOf(comment.replace(/^ \* ?/gm, "")));
    }
  }
  return found;
}

/** `intstr` has no type of its own in any package; fields that hold one tell of it. */
export function intOrStringWords(folder) {
  const source = readFileSync(join(folder, "dist", "gen", "models", "V1ServicePort.d.ts"), "utf8");
  const [, text = ""] = /\* (IntOrString is .*)/.exec(source) ?? [];
  return wordsOf(unescaped(text));
}
