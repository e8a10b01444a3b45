import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface ProgramPaths {
  /** The project's folder: the nearest one above this program that has a package.json. */
  readonly project: string;
  /** Values of the placeholders in image catalogues. */
  readonly placeholders: Readonly<Record<string, string>>;
}

/** Where the programs of images lie, from source as well as from a bundle in `dist`. */
export function programPaths(envoyBinary: string): ProgramPaths {
  let project = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(project, "package.json")) && project !== "/") project = dirname(project);
  return {
    project,
    placeholders: {
      NODE: process.execPath,
      DIST: join(project, "dist"),
      SAMPLES: join(project, "samples"),
      ENVOY: envoyBinary,
    },
  };
}
