// An image's own root file system: a folder as it is, or the layers of an OCI image.

import { numericUser } from "./image-user.ts";
import type { OciImage } from "./oci-image.ts";
import { unpackImage } from "./unpack-image.ts";

export interface PreparedRootfs {
  /** A folder on the node that nobody writes into. */
  readonly path: string;
  /** `UID:GID` of the image's user. */
  readonly user: string;
}

export interface ImageRootfs {
  /** Unpacks it the first time, which may take seconds. Throws an Error that says what is wrong with the image. */
  prepare(): Promise<PreparedRootfs>;
}

/** `user` as an image or a catalogue writes it. */
export function folderRootfs(path: string, user: string): ImageRootfs {
  return { prepare: async () => ({ path, user: numericUser(path, user) }) };
}

export function ociRootfs(image: OciImage, cache: string, user: string): ImageRootfs {
  return {
    async prepare() {
      const path = await unpackImage(cache, image);
      return { path, user: numericUser(path, user) };
    },
  };
}
