// What the runtime itself runs inside a container: a few of the node's own tools. A container that sees the node's system
// folders has them; one with a root file system of its own may have nothing at all, so they come along with their dynamic
// linker and libraries, in one folder that the image cannot have.
import { cp, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { runCommand, TOOL_ENVIRONMENT } from "../run-command.ts";

/** The words that run a tool of the node inside a container. */
export type ToolWords = (name: string) => readonly string[];

/** Of containers that see the node's system folders. */
export const nodeTools: ToolWords = (name) => [name];

const FOLDER = "/.isthmus";
const NAMES = ["cat", "env", "mkdir", "script", "setpriv", "sh", "umount"];

/** Of containers with a root file system of their own: what lies there is not found by name, only by these words. */
export const carriedTools: ToolWords = (name) => [
  `${FOLDER}/ld`,
  "--library-path",
  `${FOLDER}/lib`,
  `${FOLDER}/bin/${name}`,
];

const prepared = new Map<string, Promise<void>>();

/** Fills `layer`, a lower layer of such containers, once. Throws when a tool is missing on the node. */
export function prepareCarriedTools(layer: string): Promise<void> {
  const known = prepared.get(layer);
  if (known !== undefined) return known;
  const fresh = copyTools(join(layer, FOLDER));
  prepared.set(layer, fresh);
  fresh.catch(() => prepared.delete(layer));
  return fresh;
}

async function copyTools(folder: string): Promise<void> {
  for (const part of ["bin", "lib"]) await mkdir(join(folder, part), { recursive: true });
  const script = 'for name in "$@"; do command -v "$name"; done';
  const found = (await runCommand("sh", ["-c", script, "sh", ...NAMES])).trim().split("\n");
  const programs = new Map(found.map((path) => [basename(path), path]));
  const missing = NAMES.filter((name) => !programs.has(name));
  if (missing.length > 0) {
    throw new Error(`the node lacks ${missing.join(", ")} (looked in ${TOOL_ENVIRONMENT.PATH})`);
  }
  const libraries = new Set<string>();
  for (const [name, path] of programs) {
    await cp(path, join(folder, "bin", name), { dereference: true });
    for (const library of await librariesOf(path)) libraries.add(library);
  }
  for (const library of libraries) {
    const target = isLinker(library) ? join(folder, "ld") : join(folder, "lib", basename(library));
    await cp(library, target, { dereference: true });
  }
}

async function librariesOf(program: string): Promise<string[]> {
  const text = await runCommand("ldd", [program]);
  return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, path]) => path ?? []);
}

function isLinker(library: string): boolean {
  return /^ld(-linux.*|-musl.*|64)?\.so/.test(basename(library)) || /^ld-.*\.so/.test(basename(library));
}
