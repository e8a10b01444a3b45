// Writes the table by which the playground's API server reads protobuf bodies (kubectl >= 1.32 sends them): field
// numbers and types from the generated.proto files of Kubernetes' Go modules, JSON behaviour (inlined structs, what
// omitempty drops) from the tags of the Go structs beside them. Names and numbers only.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VERSION = "v0.35.4";
const MODULES = ["k8s.io/api", "k8s.io/apimachinery"];
const MACHINERY_PACKAGES = ["pkg/apis/meta/v1", "pkg/runtime", "pkg/util/intstr", "pkg/api/resource"];
const SCALARS = new Set(["string", "bytes", "bool", "int32", "int64", "uint32", "uint64", "double"]);

export function generateKubernetesProtobuf(root, cache) {
  const folders = moduleFolders(cache);
  const packages = [
    ...apiPackages(folders["k8s.io/api"]),
    ...MACHINERY_PACKAGES.map((path) => join(folders["k8s.io/apimachinery"], path)),
  ];
  const table = { groups: {}, messages: {} };
  for (const folder of packages) readPackage(folder, table);
  const target = join(root, "src/playground/api-server/protobuf/gen");
  mkdirSync(target, { recursive: true });
  const head = `// Written by tools/generate/kubernetes-protobuf.mjs from k8s.io/api ${VERSION}. Do not edit.\n`;
  const rows = (entries) => entries.map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},`);
  const sorted = (record) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(
    join(target, "messages.ts"),
    [
      head,
      "/** Go package of each `group/version`, such as k8s.io.api.apps.v1 for apps/v1. */",
      "export const PACKAGES: Readonly<Record<string, string>> = {",
      ...rows(sorted(table.groups)),
      "};\n",
      "/** Fields as `number name type flags`: * repeated, % map, ^ inlined into the parent, 0 kept when zero. A string */",
      "/** instead of a list is a message that is only a list: the type of its items. */",
      "export const MESSAGES: Readonly<Record<string, readonly string[] | string>> = {",
      ...rows(sorted(table.messages)),
      "};",
      "",
    ].join("\n"),
  );
}

function moduleFolders(cache) {
  const work = join(cache, "kubernetes-protobuf");
  mkdirSync(work, { recursive: true });
  if (!existsSync(join(work, "go.mod"))) writeFileSync(join(work, "go.mod"), "module generate\n");
  const wanted = MODULES.map((name) => `${name}@${VERSION}`);
  const text = execFileSync("go", ["mod", "download", "-json", ...wanted], { cwd: work, encoding: "utf8" });
  const rows = JSON.parse(`[${text.replaceAll(/\}\s*\{/g, "},{")}]`);
  return Object.fromEntries(rows.map((row) => [row.Path, row.Dir]));
}

/** The stable versions only: beta and alpha kinds are not created by any kubectl generator. */
function apiPackages(folder) {
  return readdirSync(folder)
    .flatMap((group) => ["v1", "v2"].map((version) => join(folder, group, version)))
    .filter((path) => existsSync(join(path, "generated.proto")));
}

function readPackage(folder, table) {
  const proto = stripComments(readFileSync(join(folder, "generated.proto"), "utf8"));
  const name = /^package\s+([\w.]+);/m.exec(proto)?.[1];
  const go = readdirSync(folder)
    .filter((file) => file.endsWith(".go") && !file.endsWith("_test.go") && !file.startsWith("generated"))
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
  const group = /^const GroupName = "(.*)"/m.exec(go)?.[1];
  if (group !== undefined && name.startsWith("k8s.io.api.")) {
    const version = name.slice(name.lastIndexOf(".") + 1);
    table.groups[group === "" ? version : `${group}/${version}`] = name;
  }
  const tags = goTags(go);
  for (const [, message, body] of proto.matchAll(/^message\s+(\w+)\s*\{([^}]*)\}/gm)) {
    const fields = protoFields(body, name);
    const wrapper = new RegExp(`^type ${message} \\[\\]`, "m").test(go) && fields[0]?.name === "items";
    table.messages[`${name}.${message}`] = wrapper
      ? fields[0].type
      : fields.map((field) => renderField(field, tags.get(message)?.get(field.number)));
  }
}

function stripComments(text) {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
}

function protoFields(body, packageName) {
  const resolve = (type) => {
    if (SCALARS.has(type)) return type;
    return type.startsWith(".") ? type.slice(1) : `${packageName}.${type}`;
  };
  const plain = /(optional|repeated|required)\s+([\w.]+)\s+(\w+)\s*=\s*(\d+)/g;
  const map = /map<\s*string\s*,\s*([\w.]+)\s*>\s+(\w+)\s*=\s*(\d+)/g;
  return [
    ...[...body.matchAll(plain)].map(([, label, type, name, number]) => ({
      number,
      name,
      type: resolve(type),
      mark: label === "repeated" ? "*" : "",
    })),
    ...[...body.matchAll(map)].map(([, type, name, number]) => ({ number, name, type: resolve(type), mark: "%" })),
  ];
}

/** For each struct and field number: its JSON name, whether it is inlined, and whether its zero value is written. */
function goTags(go) {
  const structs = new Map();
  for (const [, name, body] of go.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
    const fields = new Map();
    for (const line of body.split("\n")) {
      const json = /json:"([^"]*)"/.exec(line)?.[1];
      const number = /protobuf:"\w+,(\d+)/.exec(line)?.[1];
      if (json === undefined || number === undefined) continue;
      const [jsonName, ...options] = json.split(",");
      const pointer = /^\s*(\w+\s+)?\*/.test(line);
      const omits = options.includes("omitempty") || options.includes("omitzero");
      fields.set(number, { name: jsonName, inline: options.includes("inline"), keepsZero: pointer || !omits });
    }
    structs.set(name, fields);
  }
  return structs;
}

function renderField(field, tag) {
  const flags = `${field.mark}${tag?.inline ? "^" : ""}${tag?.keepsZero ? "0" : ""}`;
  return `${field.number} ${tag?.name || field.name} ${field.type} ${flags}`.trimEnd();
}
