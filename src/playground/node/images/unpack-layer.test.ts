import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openOciImage } from "./oci-image.ts";
import { unpackImage } from "./unpack-image.ts";
import { unpackLayer } from "./unpack-layer.ts";

interface Entry {
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "link";
  readonly content?: Buffer;
  readonly target?: string;
}

const writer = pathToFileURL(join(import.meta.dirname, "../../../../tools/images/tar.mjs")).href;
const { tarPieces } = (await import(writer)) as { tarPieces(entries: unknown[], mtime: number): Iterable<Buffer> };
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

const file = (path: string, text = path): Entry => ({ path, type: "file", content: Buffer.from(text) });
const symlink = (path: string, target: string): Entry => ({ path, type: "symlink", target });
/** Each entry by itself: the writer sorts, and here the order counts. */
function tar(...entries: Entry[]): Buffer {
  const end = 1024;
  const pieces = entries.map((entry) => {
    const mode = entry.type === "file" ? 0o644 : 0o755;
    return Buffer.concat([...tarPieces([{ mode, ...owner, ...entry }], 0)]).subarray(0, -end);
  });
  return Buffer.concat([...pieces, Buffer.alloc(end)]);
}
/** The writer makes no hard links: a symlink's header with another type. */
function hardLink(path: string, target: string): Buffer {
  const header = tar(symlink(path, target)).subarray(0, 512);
  header.write("1", 156);
  header.write("        ", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

let folder: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-layer-"));
  root = join(folder, "root");
  mkdirSync(root);
  mkdirSync(join(folder, "outside"));
  writeFileSync(join(folder, "outside", "secret"), "secret");
});
afterEach(() => rmSync(folder, { recursive: true }));

const apply = (layer: Buffer, digest?: string) => unpackLayer(root, Readable.from([layer]), digest);
const text = (path: string) => readFileSync(join(root, path), "utf8");
const outside = () => readdirSync(join(folder, "outside"));

describe("a layer", () => {
  test("brings files, folders and links, compressed or not, in chunks of any size", async () => {
    const layer = gzipSync(tar(file("bin/sh", "shell"), symlink("sh", "bin/sh"), { path: "tmp", type: "directory" }));
    const digest = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
    const bytes = Array.from({ length: Math.ceil(layer.length / 7) }, (_, at) => layer.subarray(7 * at, 7 * at + 7));
    await unpackLayer(root, Readable.from(bytes), digest);
    expect(text("sh")).toBe("shell");
    expect(lstatSync(join(root, "tmp")).isDirectory()).toBe(true);
    await apply(tar(file("bin/sh", "another")));
    expect(text("sh")).toBe("another");
  });

  test("is read as GNU tar writes it, long names included", async () => {
    const long = `${"folder/".repeat(20)}${"n".repeat(120)}`;
    mkdirSync(join(folder, "in", long, ".."), { recursive: true });
    writeFileSync(join(folder, "in", long), "deep");
    for (const format of ["gnu", "pax"]) {
      rmSync(join(root, "folder"), { recursive: true, force: true });
      await apply(execFileSync("tar", ["-C", join(folder, "in"), `--format=${format}`, "-cf", "-", "."]));
      expect(text(long)).toBe("deep");
    }
  });

  test("removes what layers below have, but nothing of its own", async () => {
    await apply(tar(file("a/old"), file("a/gone"), file("b/x"), file("b/y/z"), file("c")));
    await apply(
      tar(file("a/.wh.gone", ""), file("b/new"), file("b/.wh..wh..opq", ""), file(".wh.c", ""), file("d/.wh.none", "")),
    );
    expect(readdirSync(join(root, "a"))).toEqual(["old"]);
    expect(readdirSync(join(root, "b"))).toEqual(["new"]);
    expect(existsSync(join(root, "c"))).toBe(false);
  });

  test.each(["../outside/new", "a/../../outside/new", "../../../../../../tmp/isthmus-escape"])(
    "refuses %s",
    async (path) => {
      await expect(apply(tar(file(path)))).rejects.toThrow("leaves the image");
      expect(outside()).toEqual(["secret"]);
    },
  );

  test("an absolute path is one of the image", async () => {
    await apply(tar(file("/etc/passwd", "mine")));
    expect(text("etc/passwd")).toBe("mine");
  });

  test("a link out of the image leads inside it", async () => {
    const away = join(folder, "outside");
    await apply(tar(symlink("absolute", away), file("absolute/new"), symlink("up", "../outside"), file("up/new")));
    expect(outside()).toEqual(["secret"]);
    expect(readFileSync(join(root, away, "new"), "utf8")).toBe("absolute/new");
    await apply(tar(file("absolute/.wh.secret", "")));
    expect(outside()).toEqual(["secret"]);
    await apply(tar(symlink("x", "y"), symlink("y", "x"))).catch(() => undefined);
    await expect(apply(tar(file("x/file")))).rejects.toThrow("loop of links");
  });

  test("a link is replaced, not written through", async () => {
    await apply(tar(symlink("file", join(folder, "outside", "secret"))));
    await apply(tar(file("file", "harmless")));
    expect(readFileSync(join(folder, "outside", "secret"), "utf8")).toBe("secret");
    expect(text("file")).toBe("harmless");
  });

  test("a hard link reaches nothing outside", async () => {
    await expect(apply(hardLink("stolen", "../outside/secret"))).rejects.toThrow("leaves the image");
    await apply(tar(symlink("away", join(folder, "outside"))));
    await expect(apply(hardLink("stolen", "away/secret"))).rejects.toThrow("ENOENT");
    await apply(tar(file("a", "one")));
    await apply(Buffer.concat([hardLink("b", "a"), Buffer.alloc(1024)]));
    expect(lstatSync(join(root, "a")).ino).toBe(lstatSync(join(root, "b")).ino);
  });

  test("what is damaged or in another form is told", async () => {
    await expect(apply(tar(file("a")), `sha256:${"0".repeat(64)}`)).rejects.toThrow("it is damaged");
    await expect(apply(tar(file("a")).subarray(0, 515))).rejects.toThrow("ends in the middle");
    await expect(apply(Buffer.alloc(512, 1))).rejects.toThrow("no tar archive");
    await expect(apply(Buffer.from("28b52ffd00", "hex"))).rejects.toThrow("zstd");
  });
});

test("layers of two images that begin alike are unpacked once, and never changed", async () => {
  const images = join(folder, "images");
  const blobs = join(images, "blobs", "sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (data: Buffer | string) => {
    const hex = createHash("sha256").update(data).digest("hex");
    writeFileSync(join(blobs, hex), data);
    return `sha256:${hex}`;
  };
  const image = (tag: string, ...layers: Buffer[]) => {
    const digests = layers.map(put);
    const config = put(JSON.stringify({ config: { User: "me" }, rootfs: { type: "layers", diff_ids: digests } }));
    const manifest = put(JSON.stringify({ config: { digest: config }, layers: digests.map((digest) => ({ digest })) }));
    return { digest: manifest, annotations: { "org.opencontainers.image.ref.name": tag } };
  };
  const base = tar(file("etc/motd", "base"), file("bin/sh", "shell"));
  const manifests = [image("1", base, tar(file("etc/motd", "one"))), image("2", base, tar(file("two")))];
  writeFileSync(join(images, "index.json"), JSON.stringify({ manifests }));
  const cache = join(folder, "cache");
  const [one, two] = await Promise.all(["1", "2"].map((tag) => unpackImage(cache, openOciImage(`${images}:${tag}`))));
  expect(readFileSync(join(one ?? "", "etc", "motd"), "utf8")).toBe("one");
  expect(readFileSync(join(two ?? "", "etc", "motd"), "utf8")).toBe("base");
  expect(lstatSync(join(one ?? "", "bin", "sh")).ino).toBe(lstatSync(join(two ?? "", "bin", "sh")).ino);
  expect(readdirSync(cache)).toHaveLength(3);
  expect(() => openOciImage(`${images}:3`)).toThrow(`${images}: 3 is none of 1, 2; write ${images}:TAG`);
  expect(() => openOciImage(images)).toThrow(`${images}: which of its images of 1, 2; write ${images}:TAG`);
  execFileSync("tar", ["-C", images, "-cf", join(folder, "images.tar"), "."]);
  expect(openOciImage(`${join(folder, "images.tar")}:2`).config.user).toBe("me");
});
