// Where the programs are that a playground runs: ours in this clone, Envoy wherever the person or the set-up put it.
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MeshError } from "#base/mesh-error";
import type { Environment } from "./playground-paths.ts";

export const ENVOY_VERSION = "1.40.0";
/** Where a person's PATH may lack what root needs. */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"];

export type ProgramName =
  | "playground-supervisor"
  | "playground-cluster"
  | "playground-kubernetes"
  | "playground-node"
  | "playground-kubelet";

/** The folder of the clone: the nearest one above this file that holds our package.json. */
export function installationRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && /"name":\s*"isthmus"/.test(readFileSync(manifest, "utf8"))) return folder;
    if (dirname(folder) === folder) throw new MeshError("BROKEN_INSTALLATION", "package.json of isthmus was not found");
    folder = dirname(folder);
  }
}

/** Half of what Node would take for young objects: an API server waits for its clients more than for its collector. */
export const CLUSTER_NODE_FLAGS: readonly string[] = ["--max-semi-space-size=8"];

/**
 * The command line of one of our programs. A program that runs from its sources starts the others from theirs; a built
 * one starts built ones. Throws MeshError NOT_BUILT.
 */
export function programCommand(name: ProgramName, root = installationRoot()): readonly string[] {
  if (import.meta.url.endsWith(".ts")) {
    const source = join(root, "src", "bin", `${name}.ts`);
    return [process.execPath, "--import", createRequire(import.meta.url).resolve("tsx"), "--conditions=source", source];
  }
  const bundle = join(root, "dist", "bin", `${name}.cjs`);
  if (!existsSync(bundle)) {
    throw new MeshError("NOT_BUILT", `${bundle} is missing: isthmus is not built`, { hint: "run: npm run build" });
  }
  return [process.execPath, ...(name === "playground-cluster" ? CLUSTER_NODE_FLAGS : []), bundle];
}

/** The person's PATH and the folders of system tools. */
export function toolPath(env: Environment): string {
  const own = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...new Set([...own, ...SYSTEM_FOLDERS])].join(delimiter);
}

/** Absolute path of an executable on `path`; undefined when there is none. */
export function findExecutable(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** ENVOY_BIN, then PATH, then the cache that the set-up fills. Throws MeshError NO_ENVOY. */
export function findEnvoy(env: Environment): string {
  const chosen = env["ENVOY_BIN"];
  if (chosen) {
    if (isExecutable(chosen)) return chosen;
    throw new MeshError("NO_ENVOY", `ENVOY_BIN is ${chosen}, which is no executable file`, {
      hint: "correct ENVOY_BIN, or unset it and run: npm run setup",
    });
  }
  const cache = env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache");
  const cached = join(cache, "isthmus", "envoy", ENVOY_VERSION, "envoy");
  const found = findExecutable("envoy", env["PATH"] ?? "") ?? (isExecutable(cached) ? cached : undefined);
  if (found !== undefined) return found;
  throw new MeshError("NO_ENVOY", `Envoy is neither on PATH nor at ${cached}`, {
    hint: "run: npm run setup (or set ENVOY_BIN to an Envoy of your own)",
  });
}
