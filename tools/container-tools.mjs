// What a real node needs besides Kubernetes: containerd, runc and the CNI plugins. On PATH, or Debian's packages unpacked
// into the cache: nothing is installed, no service is started. Idempotent, safe when two run at once.
import { execFileSync } from "node:child_process";
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { printFacts } from "./print-facts.mjs";
import { withLock } from "./with-lock.mjs";

const NAME = "container-tools";
const say = (text) => process.stderr.write(`${NAME}: ${text}\n`);

/** Counts up when what lies in the cache changes its form. */
const FORM = "1";
const PACKAGES = ["containerd", "runc", "containernetworking-plugins", "libseccomp2"];
const PROGRAMS = ["containerd", "containerd-shim-runc-v2", "ctr", "runc"];
/** The plugins that the playground's conflist names, and what they call. */
const PLUGINS = ["ptp", "host-local", "portmap", "loopback"];
const PLUGIN_FOLDERS = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

const HELP = `usage: node tools/container-tools.mjs [-o json]

Finds containerd, its shim, ctr, runc and the CNI plugins on PATH, or unpacks Debian's packages of them into the
cache (\${XDG_CACHE_HOME:-~/.cache}/isthmus/container-tools), and prints where they are.

  -o, --output json|text   how to print the folders (default text)
  -h, --help               this text

Example: node tools/container-tools.mjs -o json
`;

export class ContainerToolsError extends Error {}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "isthmus", "container-tools");
}

/**
 * Where the programs are: folders to put before PATH, the folder of the CNI plugins, and one for LD_LIBRARY_PATH that may
 * be missing. Undefined when neither PATH nor cache has all of them.
 */
export function findContainerTools() {
  const folders = [...(process.env.PATH ?? "").split(delimiter).filter(Boolean), ...SYSTEM_FOLDERS];
  const found = PROGRAMS.map((program) => folders.find((folder) => isExecutable(join(folder, program))));
  const plugins = PLUGIN_FOLDERS.find(hasPlugins);
  if (found.every((folder) => folder !== undefined) && plugins !== undefined) {
    return { bin: [...new Set(found)], cni: plugins };
  }
  const cached = join(cacheFolder(), FORM);
  if (!existsSync(cached)) return undefined;
  return { bin: [join(cached, "bin")], cni: join(cached, "cni"), lib: join(cached, "lib") };
}

function hasPlugins(folder) {
  return PLUGINS.every((plugin) => isExecutable(join(folder, plugin)));
}

/** Finds the tools and unpacks them first when need be. Throws ContainerToolsError with what to do. */
export async function ensureContainerTools() {
  const found = findContainerTools();
  if (found !== undefined) return found;
  mkdirSync(cacheFolder(), { recursive: true });
  const onWait = () => say("another process is fetching them: waiting for it ...");
  await withLock({ file: join(cacheFolder(), ".lock"), onWait }, async () => {
    if (findContainerTools() === undefined) fetchPackages();
  });
  return findContainerTools();
}

function fetchPackages() {
  const begin = Date.now();
  const work = mkdtempSync(join(cacheFolder(), ".download-"));
  try {
    say(`fetch ${PACKAGES.join(", ")} (35 MB) ...`);
    download(work);
    const unpacked = join(work, "unpacked");
    for (const file of readdirSync(work).filter((name) => name.endsWith(".deb"))) {
      run("dpkg", ["-x", join(work, file), unpacked]);
    }
    renameSync(arrange(unpacked, join(work, "fresh")), join(cacheFolder(), FORM));
    say(`fetched in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** apt's own user cannot write into a cache of ours; the packages are checked against the signed lists all the same. */
function download(folder) {
  const args = ["-q", "-o", "APT::Sandbox::User=root", "download", ...PACKAGES];
  try {
    run("apt-get", args, folder);
  } catch (first) {
    if (process.getuid?.() !== 0) throw first;
    say("read the package lists ...");
    run("apt-get", ["-qq", "update"], folder);
    run("apt-get", args, folder);
  }
}

/** Only the programs, side by side: packages carry services and settings that are not wanted here. */
function arrange(unpacked, fresh) {
  const place = (kind, sources, wanted) => {
    mkdirSync(join(fresh, kind), { recursive: true });
    for (const folder of sources.map((source) => join(unpacked, source)).filter(existsSync)) {
      for (const name of readdirSync(folder).filter(wanted)) {
        cpSync(join(folder, name), join(fresh, kind, name), { verbatimSymlinks: true });
      }
    }
  };
  place("bin", ["usr/bin", "usr/sbin"], (name) => PROGRAMS.includes(name));
  place("cni", ["usr/lib/cni", "opt/cni/bin"], (name) => PLUGINS.includes(name));
  const libraries = ["usr/lib", "lib"].flatMap((lib) =>
    existsSync(join(unpacked, lib)) ? readdirSync(join(unpacked, lib)).map((name) => join(lib, name)) : [],
  );
  place("lib", libraries, (name) => name.startsWith("libseccomp.so"));
  const missing = [
    ...PROGRAMS.filter((name) => !isExecutable(join(fresh, "bin", name))),
    ...PLUGINS.filter((name) => !isExecutable(join(fresh, "cni", name))),
  ];
  if (missing.length > 0) throw new ContainerToolsError(`the packages have no ${missing.join(", ")}: ${advice()}`);
  return fresh;
}

const advice = () =>
  `install containerd, runc and the CNI plugins so that they are on PATH and in ${PLUGIN_FOLDERS[0]}`;

function run(program, args, cwd) {
  try {
    execFileSync(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, LC_ALL: "C" } });
  } catch (error) {
    const output = `${error.stdout ?? ""}${error.stderr ?? ""}`.trim().split("\n").slice(-10).join("\n");
    throw new ContainerToolsError(`${program} ${args.join(" ")} failed: ${output || error.message}\n${advice()}`);
  }
}

function main() {
  return printFacts({
    name: NAME,
    help: HELP,
    make: ensureContainerTools,
    text: ({ bin, cni, lib }) => [...bin, cni, ...(lib === undefined ? [] : [lib])].join("\n"),
    explain: (error) => (error instanceof ContainerToolsError ? error.message : undefined),
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
