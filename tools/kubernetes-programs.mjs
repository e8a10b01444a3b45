// The programs of a Kubernetes release: found in KUBE_BIN, on PATH or in the cache, else built once into the cache from
// the Go modules below tools/kubernetes. Without dependencies, idempotent, safe when two run at once.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SetupError } from "./fetch-wheel.mjs";
import { buildProgram } from "./kubernetes/build-program.mjs";
import { findGo } from "./kubernetes/go-toolchain.mjs";
import { DEFAULT_RELEASE, RELEASES } from "./kubernetes/releases.mjs";
import { oneOf, readFlags } from "./read-flags.mjs";
import { cacheFolder } from "./setup.mjs";
import { withLock } from "./with-lock.mjs";

const say = (text) => process.stderr.write(`kubernetes: ${text}\n`);

const HELP = `usage: npm run kubernetes -- [PROGRAM ...] [--version RELEASE] [--find] [-o text|json]

Finds the programs of a Kubernetes release and etcd: in the folder KUBE_BIN, on PATH if they are of the same minor
version, in the cache (\${XDG_CACHE_HOME:-~/.cache}/isthmus/kubernetes/RELEASE). What is missing is built into the cache:
about 4 minutes and 4 GB of Go's caches on two cores, once. Prints where they are.

  PROGRAM ...              only these (default: all of the release)
  --version RELEASE        ${Object.keys(RELEASES).join(" or ")} (default ${DEFAULT_RELEASE})
  --find                   build nothing; exit with 1 when one is missing
  -o, --output text|json   how to print (default text)
  -h, --help               this text

Example: npm run kubernetes -- etcd kube-apiserver -o json
`;

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

export function releaseFolder(version) {
  return join(cacheFolder(), "kubernetes", version);
}

/** What a program says when it is asked for its version. */
function versionText(file, { says }) {
  const { stdout, stderr } = spawnSync(file, says.args, { encoding: "utf8", timeout: 20_000 });
  return `${stdout ?? ""}${stderr ?? ""}`.trim();
}

/** Whether a program on PATH is of the wanted minor version; one that cannot tell is not. */
function isWanted(file, program) {
  return program.says.match.test(versionText(file, program));
}

/** The folder KUBE_BIN, undefined without one. Throws SetupError when it is none. */
function chosenFolder() {
  const chosen = process.env.KUBE_BIN;
  if (!chosen) return undefined;
  const folder = resolve(chosen);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw new SetupError(`KUBE_BIN=${chosen} is no folder: name one that holds kube-apiserver and etcd, or unset it`);
}

/**
 * Holds what a person has put into KUBE_BIN against what was meant, as a fault there shows much later and elsewhere. Any
 * release is the person's choice. Throws SetupError for what is no such program; says what else is remarkable.
 */
function checkChosen(version, found) {
  const folder = chosenFolder();
  if (folder === undefined) return;
  for (const [name, file] of Object.entries(found)) {
    const own = join(folder, name);
    if (file !== own) {
      if (existsSync(own)) throw new SetupError(`${own} (of KUBE_BIN) cannot be run: chmod +x it, or remove it`);
      say(`KUBE_BIN=${folder} has no ${name}: ${file} takes its place`);
      continue;
    }
    const text = versionText(own, RELEASES[version][name]);
    const { match, args } = RELEASES[version][name].says;
    if (!/\d+\.\d+\.\d+/.test(text)) {
      throw new SetupError(`${own} (of KUBE_BIN) is no ${name}: "${name} ${args.join(" ")}" tells no version`);
    }
    if (!match.test(text)) say(`${own} is of another release than ${version}: ${text.split("\n")[0]}`);
  }
}

/** Absolute path of one program; undefined when it is nowhere. What stands in KUBE_BIN is the person's own choice. */
function findProgram(version, name) {
  const chosen = chosenFolder();
  if (chosen && isExecutable(join(chosen, name))) return join(chosen, name);
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
  const candidates = folders.map((folder) => join(folder, name)).filter(isExecutable);
  const onPath = candidates.find((file) => isWanted(file, RELEASES[version][name]));
  const cached = join(releaseFolder(version), name);
  return onPath ?? (isExecutable(cached) ? cached : undefined);
}

/** Path by name of those that are there. */
function findPrograms(version, names) {
  const found = names.map((name) => [name, findProgram(version, name)]);
  return Object.fromEntries(found.filter(([, file]) => file !== undefined));
}

/** The same, and what stands in KUBE_BIN is checked. Throws SetupError. */
function findChecked(version, names) {
  const found = findPrograms(version, names);
  checkChosen(version, found);
  return found;
}

/**
 * Path by name of all `names`, built when they are missing. Throws SetupError when there is neither Go nor a way to get
 * it, or when a build fails.
 */
export async function ensurePrograms(version, names) {
  const found = findChecked(version, names);
  const missing = names.filter((name) => found[name] === undefined);
  if (missing.length === 0) return found;
  const folder = releaseFolder(version);
  mkdirSync(folder, { recursive: true });
  const onWait = () => say("another process is building them: waiting for it ...");
  await withLock({ file: `${folder}.lock`, onWait }, () => buildMissing(version, missing, folder));
  return { ...found, ...findPrograms(version, missing) };
}

async function buildMissing(version, names, folder) {
  const missing = names.filter((name) => findProgram(version, name) === undefined);
  if (missing.length === 0) return;
  const begin = Date.now();
  for (const name of readdirSync(folder)) {
    // Of a build that was killed; none other runs while the lock is ours.
    if (name.startsWith(".build-")) rmSync(join(folder, name), { recursive: true, force: true });
  }
  say(`${missing.join(", ")} of release ${version} not found: building once into ${folder}`);
  const go = findGo({ cache: cacheFolder(), say });
  for (const [index, name] of missing.entries()) {
    const program = RELEASES[version][name];
    const title = `${name} ${program.version} (${index + 1} of ${missing.length})`;
    await buildProgram({ go, name, program, folder, title, say });
  }
  say(`built in ${Math.round((Date.now() - begin) / 1000)} s`);
}

const readOptions = () =>
  readFlags({
    name: "kubernetes",
    help: HELP,
    positionals: true,
    options: {
      version: { type: "string", default: DEFAULT_RELEASE },
      find: { type: "boolean", default: false },
      output: { type: "string", short: "o", default: "text" },
    },
    convert({ values: { version, find, output }, positionals }) {
      const programs = RELEASES[oneOf("--version", version, Object.keys(RELEASES))];
      for (const name of positionals) oneOf("program", name, Object.keys(programs));
      const names = positionals.length > 0 ? positionals : Object.keys(programs);
      return { version, find, output: oneOf("-o", output, ["text", "json"]), names };
    },
  });

async function main() {
  const { version, names, find, output } = readOptions();
  const found = await (find ? findChecked(version, names) : ensurePrograms(version, names));
  const lines = Object.entries(found).map(([name, file]) => `${name} ${file}`);
  const text = output === "json" ? JSON.stringify(found, undefined, 2) : lines.join("\n");
  if (text !== "") process.stdout.write(`${text}\n`);
  const missing = names.filter((name) => found[name] === undefined);
  if (missing.length > 0) say(`missing: ${missing.join(", ")}; build them: npm run kubernetes`);
  return missing.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
  try {
    process.exitCode = await main();
  } catch (error) {
    say(error instanceof SetupError ? error.message : (error.stack ?? String(error)));
    process.exitCode = 1;
  }
}
