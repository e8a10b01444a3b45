// One build: what went in decides whether anything is done at all, which layers are made anew, and every digest.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundlePrograms, sourceStamp } from "../build.mjs";
import { findEnvoy } from "../setup.mjs";
import { writeArchive } from "./archive.mjs";
import { writeImage } from "./image.mjs";
import { blobPath, buildLayer, sha256 } from "./layer.mjs";
import { named, replaceFile, writeLayout } from "./layout.mjs";
import { architecture, findProgram, ImagesError } from "./machine.mjs";
import { NODE_VERSION, pinnedNode } from "./node-program.mjs";
import { IMAGES, LAYERS, PROGRAMS } from "./recipes.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const ARCHIVE = "images.tar";

/**
 * Builds into `folder`. Gives `images` as they are printed, `changed` and `stored` bytes of all blobs. The caller holds
 * the folder's lock. Throws ImagesError.
 */
export async function buildImages(options) {
  const { folder, say } = options;
  // An archive that was asked for once is kept in step: a stale one would be worse than none.
  const tar = options.tar || existsSync(join(folder, ARCHIVE));
  const state = readState(folder);
  const node = findNode(options);
  const envoy = findEnvoy();
  const stamp = stampOf({ ...options, tar, node, envoy });
  if (state.stamp === stamp && isWhole(folder, state, tar)) return { ...state, changed: false };
  mkdirSync(join(folder, "blobs", "sha256"), { recursive: true });
  const bundles = mkdtempSync(join(folder, ".bundles-"));
  try {
    say("bundle the programs ...");
    for (const name of PROGRAMS) await bundlePrograms({ names: [name], folder: join(bundles, name) });
    const context = { node, envoy, bundles, roots: rootsOf(node), samples: join(root, "samples") };
    const known = { ...state.known };
    const layers = await buildLayers(context, { folder, known, mtime: options.epoch, say });
    const images = IMAGES.map((image) => assemble(image, layers, options));
    const fresh = { stamp, ...(await publish(images, layers, { ...options, tar })) };
    replaceFile(join(folder, ".state.json"), JSON.stringify({ ...fresh, known: keysInUse(layers, known) }));
    return { ...fresh, changed: true };
  } finally {
    rmSync(bundles, { recursive: true, force: true });
  }
}

/** The pinned Node; without a registry the one that runs this, which the user is told. */
function findNode({ node, cache, say }) {
  if (node !== undefined) {
    if (findProgram(basename(node)) === undefined && !existsSync(node))
      throw new ImagesError(`--node ${node}: no such file`);
    return { program: node };
  }
  try {
    return pinnedNode(cache, say);
  } catch (error) {
    if (!(error instanceof ImagesError)) throw error;
    say(
      `${error.message}\nimages: taking ${process.execPath} (${process.version}) instead of Node ${NODE_VERSION}: digests will differ`,
    );
    return { program: process.execPath };
  }
}

/** The certificates that Node itself trusts: the same list everywhere, without what a machine has added to its own. */
function rootsOf({ program }) {
  return execFileSync(program, ["-p", 'require("node:tls").rootCertificates.join("\\n")'], {
    encoding: "utf8",
    env: {},
  });
}

/** Everything a build depends on, by metadata: a few milliseconds. Libraries change with dpkg's or ldconfig's files. */
function stampOf({ hub, tag, epoch, tar, node, envoy }) {
  const files = [node.program, envoy, "/var/lib/dpkg/status", "/etc/ld.so.cache"].filter((path) => existsSync(path));
  const samples = readdirSync(join(root, "samples", "helloworld", "src")).map((name) =>
    join(root, "samples", "helloworld", "src", name),
  );
  const own = readdirSync(here).map((name) => join(here, name));
  const facts = [...files, ...own, ...samples].map((path) => {
    const { size, mtimeMs, ino } = statSync(path);
    return [path, size, mtimeMs, ino];
  });
  return sha256(JSON.stringify([hub, tag, epoch, tar, architecture(), process.versions.zlib, sourceStamp(), facts]));
}

function readState(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, ".state.json"), "utf8"));
  } catch {
    return { known: {} };
  }
}

function isWhole(folder, { images, blobs }, tar) {
  const hasSize = ([digest, size]) => {
    const path = blobPath(folder, digest);
    return existsSync(path) && statSync(path).size === size;
  };
  const layouts = images.every((image) => existsSync(join(image.folder, "index.json")));
  return layouts && Object.entries(blobs).every(hasSize) && (!tar || existsSync(join(folder, ARCHIVE)));
}

/** Layers by name, made at the same time: compressing is most of the work and runs in threads. */
async function buildLayers(context, { folder, known, mtime, say }) {
  const base = LAYERS.base(context);
  const inBase = new Set(base.map(({ path }) => path));
  const build = async ([name, recipe]) => {
    const entries = name === "base" ? base : recipe(context).filter(({ path }) => !inBase.has(path));
    const begin = Date.now();
    const layer = await buildLayer({ entries, folder, known, mtime });
    if (Date.now() - begin > 1000) say(`layer ${name}: ${(layer.size / 1e6).toFixed(1)} MB`);
    return [name, { name, ...layer }];
  };
  return new Map(await Promise.all(Object.entries(LAYERS).map(build)));
}

function keysInUse(layers, known) {
  return Object.fromEntries([...layers.values()].map(({ key }) => [key, known[key]]));
}

function assemble(image, layersByName, { folder, hub, tag, epoch }) {
  const layers = image.layers.map((name) => layersByName.get(name));
  const ownTag = image.variant === undefined ? tag : `${tag}-${image.variant}`;
  const name = `${hub}/${image.name}:${ownTag}`;
  const labels = {
    "org.opencontainers.image.title": image.title,
    "org.opencontainers.image.version": tag,
    "org.opencontainers.image.licenses": "Apache-2.0",
  };
  const created = new Date(epoch * 1000).toISOString().replace(".000Z", "Z");
  const written = writeImage({ folder, image, layers, created, labels });
  const own = image.variant === undefined ? image.name : `${image.name}-${image.variant}`;
  return {
    ...written,
    name,
    tag: ownTag,
    names: [name, ...(image.alsoNamed ?? [])],
    folder: join(folder, own),
    size: layers.reduce((sum, { size }) => sum + size, 0),
    unpacked: layers.reduce((sum, { unpacked }) => sum + unpacked, 0),
  };
}

/** Writes layouts and archive; gives what is printed and the size of each blob. */
async function publish(images, layers, { folder, tar, epoch }) {
  const all = [...new Set(images.flatMap(({ descriptor, blobs }) => [descriptor.digest, ...blobs]))];
  for (const { folder: own, descriptor, blobs, names, name, tag } of images) {
    const manifests = names.map((each) => named(descriptor, each === name ? tag : each.replace(/.*:/, ""), each));
    writeLayout(own, { manifests, blobs: [descriptor.digest, ...blobs], blobsFrom: folder });
  }
  const manifests = images.flatMap(({ descriptor, names }) => names.map((name) => named(descriptor, name, name)));
  writeLayout(folder, { manifests, blobs: all, blobsFrom: folder });
  if (tar) await writeArchive(join(folder, ARCHIVE), { images, folder, mtime: epoch });
  const sizes = Object.fromEntries(all.map((digest) => [digest, statSync(blobPath(folder, digest)).size]));
  return {
    images: images.map(({ name, names, folder: own, descriptor, size, unpacked, blobs }) => ({
      name,
      alsoNamed: names.slice(1),
      digest: descriptor.digest,
      size,
      unpacked,
      folder: own,
      layers: [...layers.values()]
        .filter(({ digest }) => blobs.includes(digest))
        .map(({ name: layer, digest, size: bytes }) => ({ name: layer, digest, size: bytes })),
    })),
    blobs: sizes,
    stored: Object.values(sizes).reduce((sum, size) => sum + size, 0),
  };
}
