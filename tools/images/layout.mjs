// Folders in the OCI image layout: one of all images, and one of each, which share their blobs as hard links.
import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { blobPath } from "./layer.mjs";

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
const REF_NAME = "org.opencontainers.image.ref.name";
/** How containerd's importer is told a whole name; ref.name alone may be a tag. */
const CONTAINERD_NAME = "io.containerd.image.name";
const LAYOUT = { imageLayoutVersion: "1.0.0" };

export function indexOf(manifests) {
  return { schemaVersion: 2, mediaType: INDEX_TYPE, manifests };
}

/** `name` as the annotation that tools look for, and as containerd calls it. */
export function named(descriptor, refName, name) {
  return { ...descriptor, annotations: { [REF_NAME]: refName, [CONTAINERD_NAME]: containerdName(name) } };
}

/** The name that a node's runtime looks up: short names belong to docker.io, and to its library without a folder. */
export function containerdName(name) {
  const [first = "", ...rest] = name.split("/");
  if (rest.length > 0 && (first === "localhost" || /[.:]/.test(first))) return name;
  return rest.length > 0 ? `docker.io/${name}` : `docker.io/library/${name}`;
}

export const layoutFiles = (manifests) => ({
  "oci-layout": JSON.stringify(LAYOUT),
  "index.json": JSON.stringify(indexOf(manifests)),
});

/** Writes a layout whose blobs lie in `blobsFrom`. Readers see the old index or the new one. */
export function writeLayout(folder, { manifests, blobs, blobsFrom }) {
  mkdirSync(join(folder, "blobs", "sha256"), { recursive: true });
  for (const digest of blobs) {
    const path = blobPath(folder, digest);
    if (!existsSync(path)) linkSync(blobPath(blobsFrom, digest), path);
  }
  for (const [name, text] of Object.entries(layoutFiles(manifests))) replaceFile(join(folder, name), text);
  removeOtherBlobs(folder, blobs);
}

export function replaceFile(path, data) {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, data);
  renameSync(fresh, path);
}

function removeOtherBlobs(folder, blobs) {
  const wanted = new Set(blobs.map((digest) => digest.replace("sha256:", "")));
  const all = join(folder, "blobs", "sha256");
  for (const name of readdirSync(all)) if (!wanted.has(name)) rmSync(join(all, name), { force: true });
}
