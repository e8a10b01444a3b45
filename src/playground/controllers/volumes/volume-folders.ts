// The folders behind the volumes of one cluster's node.
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

export interface VolumeFolders {
  /** Makes the folder of a volume, unless it is there, and returns its path on the node. */
  make(volume: string): Promise<string>;
  /** With all that is in it; one that is gone is no error. */
  remove(volume: string): Promise<void>;
}

/** `directory` is absolute; names of volumes are those of Kubernetes, so none leads out of it. */
export function createVolumeFolders(directory: string): VolumeFolders {
  return {
    async make(volume) {
      const path = join(directory, volume);
      await mkdir(path, { recursive: true });
      // Whoever a container runs as may write, as on other clusters of one machine.
      await chmod(path, 0o777);
      return path;
    },
    remove: (volume) => rm(join(directory, volume), { recursive: true, force: true }),
  };
}
