// Writes src/install/gen/crds.gen.json: the CustomResourceDefinitions of Istio's API, structure only. The Go module
// istio.io/api carries them; descriptions and messages are left out, so that no sentence of theirs stands in ours.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

export const ISTIO_API_VERSION = "v1.31.1";

/** Keys whose values are prose when they sit on a schema, a column or a validation rule. */
const PROSE = new Set(["description", "message"]);

/** A rule of several lines must bring a message; line breaks mean nothing to CEL. */
const onOneLine = (key, value) =>
  key === "rule" && typeof value === "string" ? value.replace(/\s*\n\s*/g, " ").trim() : value;

function structureOf(node, isPropertyMap = false) {
  if (Array.isArray(node)) return node.map((item) => structureOf(item));
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).filter(
    ([key, value]) => isPropertyMap || !PROSE.has(key) || typeof value !== "string",
  );
  return Object.fromEntries(
    entries.map(([key, value]) => [key, structureOf(onOneLine(key, value), key === "properties" && !isPropertyMap)]),
  );
}

export function generateIstioCrds(root) {
  const folder = mkdtempSync(join(tmpdir(), "istio-api-"));
  writeFileSync(join(folder, "go.mod"), "module generate\n\ngo 1.22\n");
  const answer = execFileSync("go", ["mod", "download", "-json", `istio.io/api@${ISTIO_API_VERSION}`], { cwd: folder });
  rmSync(folder, { recursive: true, force: true });
  const text = readFileSync(join(JSON.parse(answer).Dir, "kubernetes", "customresourcedefinitions.gen.yaml"), "utf8");
  const crds = parseAllDocuments(text)
    .map((document) => structureOf(document.toJS()))
    .filter((crd) => crd?.kind === "CustomResourceDefinition");
  for (const crd of crds) {
    crd.metadata = { name: crd.metadata.name };
    delete crd.status;
  }
  crds.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  mkdirSync(join(root, "src", "install", "gen"), { recursive: true });
  writeFileSync(
    join(root, "src", "install", "gen", "crds.gen.json"),
    `${JSON.stringify({ istioApi: ISTIO_API_VERSION, crds })}\n`,
  );
}
