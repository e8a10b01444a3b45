// Root file systems of images, unpacked once: a folder for each sequence of layers, which shares its files with the
// folder of the sequence before. Nobody writes into them: containers have a layer of their own above.
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../run-command.ts";
import type { OciImage } from "./oci-image.ts";
import { unpackLayer } from "./unpack-layer.ts";

/** By folder: two containers of an image may start at the same time. */
const running = new Map<string, Promise<void>>();

/** Unpacks what is missing; gives the folder of the root file system. Throws an Error that names the layer. */
export async function unpackImage(cache: string, image: OciImage): Promise<string> {
  await mkdir(cache, { recursive: true, mode: 0o755 });
  let below: string | undefined;
  let chain = "";
  for (const layer of image.layers) {
    // The name that the layers' contents have together: OCI's ChainID.
    chain =
      chain === "" ? layer.diffId : `sha256:${createHash("sha256").update(`${chain} ${layer.diffId}`).digest("hex")}`;
    const folder = join(cache, chain.replace(":", "-"));
    const lower = below;
    await once(folder, async (fresh) => {
      await mkdir(fresh, { mode: 0o755 });
      if (lower !== undefined) await runCommand("cp", ["-al", `${lower}/.`, fresh]);
      await unpackLayer(fresh, image.source.open(layer.path), layer.digest).catch((cause: unknown) => {
        throw new Error(`layer ${layer.path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
    });
    below = folder;
  }
  if (below === undefined) throw new Error("the image has no layers");
  return below;
}

async function once(folder: string, make: (fresh: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  const earlier = running.get(folder);
  if (earlier !== undefined) return earlier;
  const own = makeWhole(folder, make);
  running.set(folder, own);
  try {
    await own;
  } finally {
    running.delete(folder);
  }
}

/** Under its name it is whole. Another process may have been quicker: its result is as good as ours. */
async function makeWhole(folder: string, make: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = join(folder, "..", `.unpack-${process.pid}-${randomBytes(4).toString("hex")}`);
  await removeLeftovers(join(folder, ".."));
  try {
    await make(fresh);
    await rename(fresh, folder);
  } catch (thrown) {
    await rm(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw thrown;
  }
}

async function removeLeftovers(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const pid = /^\.unpack-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || Number(pid) === process.pid || existsSync(`/proc/${pid}`)) continue;
    await rm(join(cache, name), { recursive: true, force: true });
  }
}
