// There is no image registry: a catalogue says which program of this machine an image name stands for.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { errorMessage, MeshError } from "#base/mesh-error";

/** What an image brings to a container; a pod's own command, args, env and securityContext go first. */
export interface ImageProgram {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `UID[:GID]`. */
  readonly user: string;
  readonly workingDir: string;
  /** Path inside the container -> path on this machine; read-only. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Path inside the container -> content of an executable script or text file. */
  readonly files: Readonly<Record<string, string>>;
}

export interface ImageCatalogue {
  find(image: string): ImageProgram | undefined;
  /** The message of ErrImagePull for an image that no entry matches. */
  unknown(image: string): string;
}

interface Entry {
  readonly matches: (image: string) => boolean;
  readonly program: ImageProgram;
}

const IMAGE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Reads the files in order; entries of later files win. `placeholders` are names such as NODE that `${NODE}` in any
 * value stands for. Throws MeshError BAD_IMAGE_CATALOGUE that names file and entry.
 */
export function loadImageCatalogue(
  paths: readonly string[],
  placeholders: Readonly<Record<string, string>>,
): ImageCatalogue {
  const entries = paths.flatMap((path) => readEntries(path, placeholders)).reverse();
  return {
    find: (image) => entries.find(({ matches }) => matches(image))?.program,
    unknown: (image) =>
      `no image catalogue has an entry for "${image}", and images are not downloaded here; ` +
      `add to ${paths.at(-1) ?? "an image catalogue"}: images: [{image: "${withoutTag(image)}", command: ["/path/to/program"]}]`,
  };
}

function readEntries(path: string, placeholders: Readonly<Record<string, string>>): Entry[] {
  const bad = (where: string, what: string) =>
    new MeshError("BAD_IMAGE_CATALOGUE", `image catalogue ${path}, ${where}: ${what}`, {
      hint: 'each entry of "images" needs image (a name or a list of names) and may have command, args, env, user, workingDir, mounts, files',
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
    return parseEntry(image, placeholders, (what) => bad(where, what));
  });
}

function parseEntry(
  entry: Record<string, unknown>,
  placeholders: Readonly<Record<string, string>>,
  bad: (what: string) => MeshError,
): Entry {
  const expand = (value: unknown): string =>
    String(value).replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const known = placeholders[name];
      if (known === undefined) throw bad(`\${${name}} is none of ${Object.keys(placeholders).join(", ")}`);
      return known;
    });
  const list = (key: string) => {
    const value = entry[key] ?? [];
    if (!Array.isArray(value)) throw bad(`"${key}" is no list`);
    return value.map(expand);
  };
  const map = (key: string) => {
    const value = entry[key] ?? {};
    if (!isRecord(value)) throw bad(`"${key}" is no map`);
    return Object.fromEntries(Object.entries(value).map(([name, text]) => [expand(name), expand(text)]));
  };
  const patterns = typeof entry.image === "string" ? [entry.image] : list("image");
  if (patterns.length === 0) throw bad('"image" is missing');
  return {
    matches: anyOf(patterns),
    program: {
      command: list("command"),
      args: list("args"),
      env: { PATH: IMAGE_PATH, ...map("env") },
      user: expand(entry.user ?? "0"),
      workingDir: expand(entry.workingDir ?? "/"),
      mounts: map("mounts"),
      files: map("files"),
    },
  };
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
