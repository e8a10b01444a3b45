// Files that change all at once, as kubelets write them: `key -> ..data/key`, `..data -> ..RUN`, and one rename swaps.
import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { contentHash } from "#base/content-hash";
import type { VolumeFiles } from "./volume-content.ts";

export interface AtomicDirectory {
  /** Makes the directory hold exactly these files. Writes nothing when they are the same as last time. */
  write(files: VolumeFiles): void;
}

/** `group` gets to read everything (fsGroup). All calls are synchronous: the place is a small tmpfs. */
export function atomicDirectory(path: string, group: number | undefined): AtomicDirectory {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  let written: string | undefined;
  let run = 0;
  return {
    write(files) {
      const hash = fingerprint(files);
      if (hash === written) return;
      run++;
      const next = `..${String(run).padStart(6, "0")}`;
      const previous = readdirSync(path).filter((name) => /^\.\.\d+$/.test(name));
      writeRun(join(path, next), files, group);
      symlinkSync(next, join(path, "..data_tmp"));
      renameSync(join(path, "..data_tmp"), join(path, "..data"));
      linkTopNames(path, files);
      for (const name of previous) rmSync(join(path, name), { recursive: true, force: true });
      written = hash;
    },
  };
}

function writeRun(directory: string, files: VolumeFiles, group: number | undefined): void {
  mkdirSync(directory, { mode: 0o755 });
  for (const [name, { data, mode }] of files) {
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, data);
    chmodSync(file, group === undefined ? mode : mode | 0o440);
    if (group !== undefined) chownSync(file, 0, group);
  }
}

function linkTopNames(path: string, files: VolumeFiles): void {
  const wanted = new Set([...files.keys()].map((name) => name.split("/")[0] ?? name));
  for (const name of readdirSync(path)) {
    if (name.startsWith("..")) continue;
    if (wanted.has(name)) wanted.delete(name);
    else rmSync(join(path, name), { force: true });
  }
  for (const name of wanted) symlinkSync(join("..data", name), join(path, name));
}

function fingerprint(files: VolumeFiles): string {
  const parts = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  return contentHash(parts.map(([name, { data, mode }]) => `${name}\0${mode}\0${data.toString("base64")}`).join("\n"));
}
