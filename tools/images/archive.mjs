// All images as one tar: an OCI layout for `ctr images import` and the like, with the list that `docker load` reads.

import { once } from "node:events";
import { createWriteStream, readFileSync, renameSync } from "node:fs";
import { finished } from "node:stream/promises";
import { blobPath } from "./layer.mjs";
import { containerdName, layoutFiles, named } from "./layout.mjs";
import { tarPieces } from "./tar.mjs";

/** `images` have names, descriptor, blobs and configDigest. Written beside `path` and moved there when it is whole. */
export async function writeArchive(path, { images, folder, mtime }) {
  const manifests = images.flatMap(({ names, descriptor }) =>
    names.map((name) => named(descriptor, name.replace(/.*:/, ""), name)),
  );
  const list = images.map(({ names, configDigest, blobs }) => ({
    Config: inArchive(configDigest),
    RepoTags: names.map((name) => containerdName(name).replace(/^docker\.io\/(library\/)?/, "")),
    Layers: blobs.filter((digest) => digest !== configDigest).map(inArchive),
  }));
  const files = { ...layoutFiles(manifests), "manifest.json": JSON.stringify(list) };
  const digests = [...new Set(images.flatMap(({ descriptor, blobs }) => [descriptor.digest, ...blobs]))];
  const entry = (name, content) => ({ type: "file", path: name, mode: 0o644, content });
  const fresh = `${path}.${process.pid}`;
  const out = createWriteStream(fresh);
  const pieces = tarPieces(
    [
      ...Object.entries(files).map(([name, text]) => entry(name, Buffer.from(text))),
      ...digests.map((digest) => entry(inArchive(digest), readFileSync(blobPath(folder, digest)))),
    ],
    mtime,
  );
  for (const piece of pieces) if (!out.write(piece)) await once(out, "drain");
  out.end();
  await finished(out);
  renameSync(fresh, path);
}

const inArchive = (digest) => `blobs/${digest.replace(":", "/")}`;
