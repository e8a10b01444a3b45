// What the tools of this folder ask of the machine: programs on PATH, its name for its processor.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** What a person is told as a sentence, without a stack. */
export class ImagesError extends Error {}

const ARCHITECTURES = { x64: "amd64", arm64: "arm64" };

/** The architecture by the name that images use. Programs are taken from this machine, so there is only one. */
export function architecture() {
  const name = ARCHITECTURES[process.arch];
  if (name === undefined) throw new ImagesError(`images can be built on x64 and arm64, this is ${process.arch}`);
  return name;
}

export function findProgram(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/bin", "/bin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
