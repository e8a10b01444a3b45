// Files that a program reads at run time. In the source tree they lie beside the code; in a build, under dist/assets.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Absolute path of an asset named by its path below src, such as `playground/node/container-init.sh`.
 * Throws when neither the source tree nor a build holds it.
 */
export function assetPath(below: string): string {
  const found = findAsset(below);
  if (found === undefined) throw new Error(`the file ${below} is missing from the build: run npm run build`);
  return found;
}

/** As `assetPath`, of one that a machine may lack; undefined then. */
export function findAsset(below: string): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let depth = 0; depth < 5; depth += 1) {
    for (const candidate of [join(folder, "assets", below), join(folder, "src", below)]) {
      if (existsSync(candidate)) return candidate;
    }
    folder = dirname(folder);
  }
  return undefined;
}
