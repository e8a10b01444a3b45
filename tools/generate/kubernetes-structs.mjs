// Which fields of Kubernetes' kinds hold a Go struct itself instead of a pointer to one: such a field is always there, so
// no writer makes it. From the Go sources of the modules of the release; names only.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VERSION = "v0.35.4";
/** Module, and its packages with the prefix of their definitions. */
const PACKAGES = [
  ["k8s.io/apimachinery", "pkg/apis/meta/v1", "io.k8s.apimachinery.pkg.apis.meta.v1"],
  [
    "k8s.io/apiextensions-apiserver",
    "pkg/apis/apiextensions/v1",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
  ],
  ["k8s.io/kube-aggregator", "pkg/apis/apiregistration/v1", "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1"],
];

/** `definition.field` of every such field. */
export function structFields(cache) {
  const found = new Set();
  for (const [folder, prefix] of packageFolders(cache)) {
    readStructs(folder, (struct, field) => found.add(`${prefix}.${struct}.${field}`));
  }
  return found;
}

/** Each package's folder, with the prefix of its definitions. */
export function packageFolders(cache) {
  const folders = moduleFolders(cache, ["k8s.io/api", ...PACKAGES.map(([module]) => module)]);
  const api = readdirSync(folders["k8s.io/api"]).flatMap((group) =>
    ["v1", "v2"].map((version) => [join(folders["k8s.io/api"], group, version), `io.k8s.api.${group}.${version}`]),
  );
  const others = PACKAGES.map(([module, path, prefix]) => [join(folders[module], path), prefix]);
  return [...api, ...others].filter(([folder]) => existsSync(folder));
}

function moduleFolders(cache, modules) {
  const work = join(cache, "kubernetes-structs");
  mkdirSync(work, { recursive: true });
  if (!existsSync(join(work, "go.mod"))) writeFileSync(join(work, "go.mod"), "module generate\n");
  const wanted = modules.map((name) => `${name}@${VERSION}`);
  const text = execFileSync("go", ["mod", "download", "-json", ...wanted], { cwd: work, encoding: "utf8" });
  const rows = JSON.parse(`[${text.replaceAll(/\}\s*\{/g, "},{")}]`);
  return Object.fromEntries(rows.map((row) => [row.Path, row.Dir]));
}

function readStructs(folder, found) {
  const go = readdirSync(folder)
    .filter((file) => file.endsWith(".go") && !file.endsWith("_test.go") && !file.startsWith("generated"))
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
  const structs = new Map();
  for (const [, name, body] of go.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) structs.set(name, fieldsOf(body));
  const visit = (name, outer) => {
    for (const { type, json, inline } of structs.get(name) ?? []) {
      if (inline) visit(type, outer);
      else if (json !== "") found(outer, json);
    }
  };
  for (const name of structs.keys()) visit(name, name);
}

/** Fields that are no pointer, list or map. */
function fieldsOf(body) {
  return [...body.matchAll(/^\t(?:\w+[ \t]+)?([\w.]+)[ \t]+`json:"([^",]*)(,[^"]*)?"/gm)].map(
    ([, type, json, options = ""]) => ({ type, json, inline: options.includes("inline") }),
  );
}
