// Configuration and manifest of an image over layers that exist, in the words of the OCI image specification 1.1.

import { LAYER_TYPE, writeBlob } from "./layer.mjs";
import { architecture } from "./machine.mjs";

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";

const toBytes = (value) => Buffer.from(JSON.stringify(value));

/** Writes both blobs; gives the descriptor of the manifest. `created` is a time in RFC 3339. */
export function writeImage({ folder, image, layers, created, labels }) {
  const config = {
    created,
    architecture: architecture(),
    os: "linux",
    config: { ...image.config, Labels: labels },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ name }) => ({ created, created_by: `npm run images: layer ${name}` })),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, ...writeBlob(folder, toBytes(config)) },
    layers: layers.map(({ digest, size }) => ({ mediaType: LAYER_TYPE, digest, size })),
    annotations: { "org.opencontainers.image.created": created },
  };
  return {
    descriptor: {
      mediaType: MANIFEST_TYPE,
      ...writeBlob(folder, toBytes(manifest)),
      platform: { architecture: config.architecture, os: config.os },
    },
    blobs: [manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)],
    configDigest: manifest.config.digest,
  };
}
