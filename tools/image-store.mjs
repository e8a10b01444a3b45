// The images of real nodes, unpacked once: a containerd of its own takes them in and ends, and what it kept is the start of
// every node's containerd. A node links the files of layers, which nobody changes, and copies the small databases.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ContainerToolsError, ensureContainerTools } from "./container-tools.mjs";
import { printFacts } from "./print-facts.mjs";
import { cacheFolder } from "./setup.mjs";
import { withLock } from "./with-lock.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const NAME = "image-store";
const say = (text) => process.stderr.write(`${NAME}: ${text}\n`);

/** Counts up when what lies in a store changes its form. */
const FORM = "1";
/** Stores of other clones and of what was built before; a running node does not need them any more. */
const KEPT = 3;
const READY_MS = 30_000;
const OVERLAY_FILE_SYSTEM = 0x794c7630;

const HELP = `usage: node tools/image-store.mjs [-o json]

Builds the project's images where they are out of date, and unpacks them once for the nodes of playgrounds into
\${XDG_CACHE_HOME:-~/.cache}/isthmus/image-stores. Prints the folder of the images and that of the store. Needs root. On
a file system that cannot hold layers there is no store, and every node unpacks the images for itself.

  -o, --output json|text   how to print the folders (default text)
  -h, --help               this text

Example: node tools/image-store.mjs -o json
`;

function storesFolder() {
  return join(cacheFolder(), "image-stores");
}

/** {layout, store}; `store` is absent where there cannot be one. */
async function ensureStore() {
  execFileSync(process.execPath, [join(here, "images.mjs")], { stdio: ["ignore", "ignore", "inherit"] });
  const layout = join(cacheFolder(), "images");
  const tools = await ensureContainerTools();
  mkdirSync(storesFolder(), { recursive: true });
  if (statfsSync(storesFolder()).type === OVERLAY_FILE_SYSTEM) return { layout };
  const index = readFileSync(join(layout, "index.json"));
  const store = join(storesFolder(), createHash("sha256").update(FORM).update(index).digest("hex").slice(0, 16));
  if (!existsSync(store)) {
    const onWait = () => say("another process is unpacking images: waiting for it ...");
    await withLock({ file: join(storesFolder(), ".lock"), onWait }, async () => {
      if (!existsSync(store)) await makeStore({ layout, store, tools });
    });
  }
  return { layout, store };
}

async function makeStore({ layout, store, tools }) {
  const begin = Date.now();
  say("unpack the images ...");
  for (const name of readdirSync(storesFolder()).filter((entry) => entry.startsWith(".making-"))) remove(name);
  const root = mkdtempSync(join(storesFolder(), ".making-"));
  // A socket's path may have 107 bytes only: not below the cache.
  const state = mkdtempSync(join(tmpdir(), "isthmus-store-"));
  try {
    await importInto(root, { state, layout, tools });
    renameSync(root, store);
    forgetOldStores(store);
    say(`unpacked in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  } finally {
    rmSync(root, { recursive: true, force: true });
    rmSync(state, { recursive: true, force: true });
  }
}

const remove = (name) => rmSync(join(storesFolder(), name), { recursive: true, force: true });

function forgetOldStores(store) {
  const others = readdirSync(storesFolder()).filter((name) => !name.startsWith(".") && !store.endsWith(name));
  const age = (name) => Date.now() - statSync(join(storesFolder(), name)).mtimeMs;
  for (const name of others.sort((a, b) => age(a) - age(b)).slice(KEPT - 1)) remove(name);
}

async function importInto(root, { state, layout, tools }) {
  const socket = join(state, "sock");
  const config = join(state, "config.toml");
  const off = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing"];
  writeFileSync(
    config,
    `version = 2\nroot = ${JSON.stringify(root)}\nstate = ${JSON.stringify(join(state, "run"))}
disabled_plugins = ${JSON.stringify(off)}\n[grpc]\n  address = ${JSON.stringify(socket)}\n`,
  );
  const env = {
    ...process.env,
    PATH: [...tools.bin, process.env.PATH].join(delimiter),
    ...(tools.lib === undefined ? {} : { LD_LIBRARY_PATH: tools.lib }),
  };
  const start = ["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"];
  const daemon = spawn("setpriv", [...start, "containerd", "--config", config], { env, stdio: "ignore" });
  const ended = new Promise((resolve) => daemon.on("close", resolve));
  try {
    await until(() => existsSync(socket), daemon);
    const load = `tar -C "$1" -cf - oci-layout index.json blobs | ctr --address "$2" -n k8s.io images import -`;
    execFileSync("sh", ["-c", load, "sh", layout, socket], { env, stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    throw new ContainerToolsError(`containerd did not take the images in: ${error.stderr ?? error.message}`);
  } finally {
    daemon.kill("SIGTERM");
    await ended;
  }
}

async function until(condition, daemon) {
  for (const deadline = Date.now() + READY_MS; !condition(); ) {
    if (daemon.exitCode !== null) throw new Error(`containerd ended with ${daemon.exitCode}`);
    if (Date.now() > deadline) throw new Error("containerd was not ready in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

await printFacts({
  name: NAME,
  help: HELP,
  make: ensureStore,
  text: (made) => Object.values(made).join("\n"),
  // What a child has said already needs no stack.
  explain: (error) =>
    error instanceof ContainerToolsError ? error.message : `the images could not be made: ${error.message}`,
});
