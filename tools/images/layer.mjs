// From entries to a layer: a gzipped tar in the folder of blobs, found again by what went into it.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { stripElf } from "./strip-elf.mjs";
import { tarPieces } from "./tar.mjs";

export const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";
/** Counts up when the same entries give other bytes than before. */
const FORM = 1;
/** Level 9 saves half a percent and takes twice the time. */
const GZIP = { level: 6 };
const inThreads = promisify(gzip);

export const sha256 = (data) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

export const blobPath = (folder, digest) => join(folder, "blobs", ...digest.split(":"));

/** Writes a blob once; whoever reads sees all of it or nothing. Gives its descriptor without a type. */
export function writeBlob(folder, data) {
  const digest = sha256(data);
  const path = blobPath(folder, digest);
  if (!existsSync(path)) {
    const fresh = `${path}.${process.pid}`;
    writeFileSync(fresh, data);
    renameSync(fresh, path);
  }
  return { digest, size: data.length };
}

/**
 * Builds a layer, or finds the one that the same entries gave before. `known` maps keys of entries to layers and is
 * extended. Gives {digest, size, diffId, unpacked}.
 */
export async function buildLayer({ entries, folder, known, mtime }) {
  const all = withFolders(entries);
  const key = keyOf(all, mtime);
  const before = known[key];
  if (before !== undefined && existsSync(blobPath(folder, before.digest))) return { ...before, key };
  const tar = Buffer.concat([...tarPieces(all.map(withContent), mtime)]);
  const layer = {
    ...writeBlob(folder, plainHeader(await inThreads(tar, GZIP))),
    diffId: sha256(tar),
    unpacked: tar.length,
  };
  known[key] = layer;
  return { ...layer, key };
}

/** Byte 9 of a gzip header names the system that wrote it: here always none. */
function plainHeader(zipped) {
  zipped[9] = 0xff;
  return zipped;
}

function withContent(entry) {
  if (entry.type !== "file" || entry.content !== undefined) return entry;
  const content = readFileSync(entry.source);
  return { ...entry, content: entry.strip ? stripElf(content) : content };
}

/** Folders of all paths, each once; the same path twice is the first entry. */
function withFolders(entries) {
  const byPath = new Map();
  for (const entry of entries) {
    if (!byPath.has(entry.path)) byPath.set(entry.path, entry);
    const steps = entry.path.split("/").slice(0, -1);
    for (let depth = 1; depth <= steps.length; depth += 1) {
      const path = steps.slice(0, depth).join("/");
      if (!byPath.has(path)) byPath.set(path, { type: "directory", path, mode: 0o755 });
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What the bytes of a layer come from. A file of this machine counts by its metadata: reading Envoy each time costs. */
function keyOf(entries, mtime) {
  const facts = entries.map(({ content, source, ...rest }) => {
    if (source === undefined) return content === undefined ? rest : { ...rest, content: sha256(content) };
    const { size, mtimeMs, ino, ctimeMs } = statSync(source);
    return { ...rest, source, size, mtimeMs, ino, ctimeMs };
  });
  return sha256(JSON.stringify([FORM, GZIP, process.versions.zlib, mtime, facts]));
}
