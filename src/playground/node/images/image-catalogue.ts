// There is no image registry: a catalogue says which program of this machine an image name stands for.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { errorMessage, MeshError } from "#base/mesh-error";
import { type ImageProgram, isRecord, parseEntry } from "./catalogue-entry.ts";

export interface ImageCatalogue {
  find(image: string): ImageProgram | undefined;
  /** The message of ErrImagePull for an image that no entry matches. */
  unknown(image: string): string;
}

interface Entry {
  readonly matches: (image: string) => boolean;
  readonly program: ImageProgram;
}

/** Where layers of images are unpacked unless somebody names another folder. */
export function imageCacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache"), "isthmus", "rootfs");
}

/**
 * Reads the files in order; entries of later files win. `placeholders` are names such as NODE that `${NODE}` in any
 * value stands for; `cache` is where layers of images are unpacked. Throws MeshError BAD_IMAGE_CATALOGUE that names file,
 * entry and field.
 */
export function loadImageCatalogue(
  paths: readonly string[],
  placeholders: Readonly<Record<string, string>>,
  cache: string = imageCacheFolder({}),
): ImageCatalogue {
  const entries = paths.flatMap((path) => readEntries(path, placeholders, cache)).reverse();
  return {
    find: (image) => entries.find(({ matches }) => matches(image))?.program,
    unknown: (image) =>
      `no image catalogue has an entry for "${image}", and images are not downloaded here; ` +
      `add to ${paths.at(-1) ?? "an image catalogue"}: images: [{image: "${withoutTag(image)}", command: ["/path/to/program"]}]`,
  };
}

function readEntries(path: string, placeholders: Readonly<Record<string, string>>, cache: string): Entry[] {
  const bad = (where: string, what: string) =>
    new MeshError("BAD_IMAGE_CATALOGUE", `image catalogue ${path}, ${where}: ${what}`, {
      hint: 'each entry of "images" needs image (a name or a list of names) and may have command, args, env, user, workingDir, mounts, files, and folder (a root file system) or oci (PATH[:TAG] of an OCI layout, or a tar of one)',
    });
  let document: unknown;
  try {
    document = parse(readFileSync(path, "utf8"));
  } catch (thrown) {
    throw bad("the file", errorMessage(thrown));
  }
  const images = isRecord(document) ? document.images : undefined;
  if (!Array.isArray(images)) throw bad("the file", 'has no list "images"');
  return images.map((image: unknown, index) => {
    const where = `entry ${index + 1}`;
    if (!isRecord(image)) throw bad(where, "is no object");
    const context = { file: path, placeholders, cache, bad: (what: string) => bad(where, what) };
    const { patterns, program } = parseEntry(image, context);
    return { matches: anyOf(patterns), program };
  });
}

/** `*` is any run of characters, a leading `*\/` may also be nothing; a pattern without a tag means every tag. */
function anyOf(patterns: readonly string[]): (image: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const escaped = pattern
      .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replace(/^\*\//, "(.*/)?")
      .replaceAll(/(?<!\(\.)\*/g, ".*");
    return { hasTag: withoutTag(pattern) !== pattern, expression: new RegExp(`^${escaped}$`) };
  });
  return (image) => expressions.some(({ hasTag, expression }) => expression.test(hasTag ? image : withoutTag(image)));
}

function withoutTag(image: string): string {
  return image.replace(/@sha256:.*$/, "").replace(/:[^/:]*$/, "");
}
