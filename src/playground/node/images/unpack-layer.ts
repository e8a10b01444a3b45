// Applies one layer to a folder that holds the layers below it. Whatever a layer says, nothing outside the folder is
// read, made or removed: each step of a path is looked at, and links are followed as the container would follow them.
import { createHash } from "node:crypto";
import { chmod, lchown, link, lstat, mkdir, open, readdir, readlink, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline, Readable, type Transform } from "node:stream";
import { createGunzip } from "node:zlib";
import { readTar, type TarEntry } from "./tar-reader.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
const MAX_LINKS = 40;
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/**
 * Applies the layer in `content`. Throws an Error when its digest is not the expected one, when it is compressed in a way
 * that is not known here, or when an entry would leave the folder; what was unpacked until then stays.
 */
export async function unpackLayer(folder: string, content: Readable, digest: string | undefined): Promise<void> {
  const hash = createHash("sha256");
  const written = new Set<string>();
  const bytes = await plainBytes(counted(content, hash));
  await readTar(bytes, (entry, data) => applyEntry({ folder, written }, entry, data));
  for await (const _ of bytes); // what stands behind the archive's end counts for the digest
  const actual = `sha256:${hash.digest("hex")}`;
  if (digest?.startsWith("sha256:") === true && actual !== digest)
    throw new Error(`layer ${digest} has the digest ${actual}: it is damaged`);
}

async function* counted(content: Readable, hash: { update(data: Buffer): unknown }): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk as Buffer);
    yield chunk as Buffer;
  }
}

async function plainBytes(source: AsyncGenerator<Buffer>): Promise<AsyncIterableIterator<Buffer>> {
  const first = await source.next();
  const head: Buffer = first.done === true ? Buffer.alloc(0) : first.value;
  const all = prepend(head, source);
  const begins = (magic: readonly number[]) => magic.every((byte, index) => head[index] === byte);
  if (begins(ZSTD)) throw new Error("a layer is compressed with zstd: make the image with gzip");
  if (!begins(GZIP)) return all;
  const gunzip: Transform = createGunzip();
  pipeline(Readable.from(all), gunzip, () => undefined);
  return gunzip[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>;
}

async function* prepend(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}

interface Unpacking {
  readonly folder: string;
  /** Paths of this layer, which its own whiteouts do not touch. */
  readonly written: Set<string>;
}

async function applyEntry(target: Unpacking, entry: TarEntry, data: AsyncIterable<Buffer>): Promise<void> {
  const steps = stepsOf(entry.path);
  const name = steps.pop();
  if (name === undefined) return; // the root itself
  const parent = await resolveFolder(target.folder, steps, entry.path);
  if (name === OPAQUE) return clearFolder(target, parent);
  if (name.startsWith(WHITEOUT)) return removeLower(target, join(parent, name.slice(WHITEOUT.length)));
  const path = join(parent, name);
  target.written.add(path);
  await WRITERS[entry.type]({ ...target, path, entry, data });
}

/** Throws for a path with a step up: no honest layer has one. */
function stepsOf(path: string): string[] {
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  if (steps.includes("..") || path.includes("\0")) throw new Error(`entry ${JSON.stringify(path)} leaves the image`);
  return steps;
}

/** The folder that the steps lead to inside `folder`, as a container sees it; made where it is missing. */
async function resolveFolder(folder: string, steps: readonly string[], entry: string): Promise<string> {
  let pending = [...steps];
  let current: string[] = [];
  for (let links = 0; pending.length > 0; ) {
    const [step = "", ...rest] = pending;
    pending = rest;
    if (step === "..") {
      current = current.slice(0, -1);
      continue;
    }
    const path = join(folder, ...current, step);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink()) {
      if (++links > MAX_LINKS) throw new Error(`entry ${JSON.stringify(entry)} is behind a loop of links`);
      const target = await readlink(path);
      if (target.startsWith("/")) current = [];
      pending = [...target.split("/").filter((part) => part !== "" && part !== "."), ...pending];
      continue;
    }
    if (found !== undefined && !found.isDirectory()) await rm(path);
    if (found === undefined || !found.isDirectory()) await mkdir(path, { mode: 0o755 });
    current = [...current, step];
  }
  return join(folder, ...current);
}

async function clearFolder(target: Unpacking, folder: string): Promise<void> {
  for (const name of await readdir(folder)) await removeLower(target, join(folder, name));
}

/** Removes what layers below have there; what this layer has written stays, in the folders that lead to it. */
async function removeLower(target: Unpacking, path: string): Promise<void> {
  const holdsOwn = [...target.written].some((own) => own === path || own.startsWith(`${path}/`));
  if (!holdsOwn) return rm(path, { recursive: true, force: true });
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory()) await clearFolder(target, path);
}

interface Writing extends Unpacking {
  readonly path: string;
  readonly entry: TarEntry;
  readonly data: AsyncIterable<Buffer>;
}

const WRITERS: Readonly<Record<TarEntry["type"], (writing: Writing) => Promise<void>>> = {
  file: writeFile,
  directory: writeFolder,
  symlink: writeSymlink,
  link: writeLink,
  // Devices and pipes: a container has its own /dev.
  other: async () => undefined,
};

/** A new file always: the one that was there may be a link, or be shared with the layers below. */
async function writeFile({ path, entry, data }: Writing): Promise<void> {
  await rm(path, { recursive: true, force: true });
  const file = await open(path, "wx", 0o600);
  try {
    for await (const piece of data) await file.write(piece);
    await file.chown(entry.uid, entry.gid);
    await file.chmod(entry.mode);
  } finally {
    await file.close();
  }
}

async function writeFolder({ path, entry }: Writing): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) await rm(path);
  if (found === undefined || !found.isDirectory()) await mkdir(path);
  await lchown(path, entry.uid, entry.gid);
  await chmod(path, entry.mode);
}

async function writeSymlink({ path, entry }: Writing): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await symlink(entry.target, path);
  await lchown(path, entry.uid, entry.gid);
}

async function writeLink({ folder, path, entry }: Writing): Promise<void> {
  const steps = stepsOf(entry.target);
  const name = steps.pop();
  if (name === undefined) throw new Error(`entry ${JSON.stringify(entry.path)} is a link to nothing`);
  const source = join(await resolveFolder(folder, steps, entry.target), name);
  if (source === path) return;
  await rm(path, { recursive: true, force: true });
  await link(source, path);
}
