// The Node.js of the images: one pinned version, the same bytes on every machine that builds, from the npm registry.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ImagesError } from "./machine.mjs";

export const NODE_VERSION = "20.20.2";
/** The packages node-linux-ARCH hold the unmodified official build and its licence. */
const SHA512 = {
  x64: "PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==",
  arm64: "LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==",
};

/** Paths of the program and its licence; fetched into `cache` once. Throws ImagesError with what to do instead. */
export function pinnedNode(cache, say) {
  const folder = join(cache, "node", `${NODE_VERSION}-${process.arch}`);
  const node = { program: join(folder, "package", "bin", "node"), licence: join(folder, "package", "LICENSE") };
  if (existsSync(node.program)) return node;
  mkdirSync(join(cache, "node"), { recursive: true });
  const work = mkdtempSync(join(cache, "node", ".download-"));
  try {
    say(`fetch Node ${NODE_VERSION} (43 MB) ...`);
    const archive = download(work);
    mkdirSync(join(work, "fresh"));
    run("tar", ["-xzf", archive, "-C", join(work, "fresh"), "package/bin/node", "package/LICENSE"], work);
    if (!existsSync(folder)) renameSync(join(work, "fresh"), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return node;
}

function download(folder) {
  const name = `node-linux-${process.arch}@${NODE_VERSION}`;
  run("npm", ["pack", "--silent", "--pack-destination", folder, name], folder);
  const archive = join(folder, readdirSync(folder).find((file) => file.endsWith(".tgz")) ?? "missing");
  const sha512 = createHash("sha512").update(readFileSync(archive)).digest("base64");
  if (sha512 !== SHA512[process.arch])
    throw new ImagesError(`the package ${name} has sha512 ${sha512}, expected ${SHA512[process.arch]}: not used`);
  return archive;
}

function run(program, args, cwd) {
  try {
    execFileSync(program, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    throw new ImagesError(
      `${program} ${args.join(" ")} failed: ${String(error.stderr ?? error.message).trim()}\n` +
        `  without a registry, name a Node.js program of your own: --node ${process.execPath}`,
    );
  }
}
