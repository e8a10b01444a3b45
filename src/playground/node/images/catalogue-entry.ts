// One entry of an image catalogue: from YAML to a program, with every mistake told by its field.
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { errorMessage, type MeshError } from "#base/mesh-error";
import { folderRootfs, type ImageRootfs, ociRootfs } from "./image-rootfs.ts";
import { type ImageConfig, openOciImage } from "./oci-image.ts";

/** What an image brings to a container; a pod's own command, args, env and securityContext go first. */
export interface ImageProgram {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `UID[:GID]`; with a root file system of its own, what that says once it is prepared. */
  readonly user: string;
  /** The name that the image has for its user, where that is no number. */
  readonly userName?: string;
  readonly workingDir: string;
  /** What asks its program to end; empty: SIGTERM. */
  readonly stopSignal: string;
  /** Path inside the container -> path on this machine; read-only. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Path inside the container -> content of an executable script or text file. */
  readonly files: Readonly<Record<string, string>>;
  /** Undefined: the container sees this machine's own system folders. */
  readonly rootfs: ImageRootfs | undefined;
}

export interface EntryContext {
  /** Of the catalogue; paths of images are relative to its folder. */
  readonly file: string;
  readonly placeholders: Readonly<Record<string, string>>;
  /** Where layers are unpacked. */
  readonly cache: string;
  bad(what: string): MeshError;
}

export type RawEntry = Readonly<Record<string, unknown>>;

const FIELDS = ["image", "command", "args", "env", "user", "workingDir", "mounts", "files", "folder", "oci"];
const IMAGE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const NO_CONFIG: ImageConfig = { entrypoint: [], cmd: [], env: {}, user: "", workingDir: "/", stopSignal: "" };

/** The names of an entry and the program they stand for. Throws what `context.bad` makes. */
export function parseEntry(entry: RawEntry, context: EntryContext): { patterns: string[]; program: ImageProgram } {
  const unknown = Object.keys(entry).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) throw context.bad(`"${unknown}" is none of ${FIELDS.join(", ")}`);
  const { text, list, map, path, paths } = fieldReader(entry, context);
  const patterns = typeof entry.image === "string" ? [entry.image] : list("image");
  if (patterns.length === 0) throw context.bad('"image" is missing');
  const { config, makeRootfs } = readRootfs(entry, context, text);
  const command = entry.command === undefined ? config.entrypoint : list("command");
  const imageArgs = entry.command === undefined ? config.cmd : [];
  const user = entry.user === undefined ? config.user : text("user");
  return {
    patterns,
    program: {
      command,
      args: entry.args === undefined ? imageArgs : list("args"),
      env: { PATH: IMAGE_PATH, ...config.env, ...map("env") },
      user: user || "0",
      workingDir: entry.workingDir === undefined ? config.workingDir : path("workingDir", text("workingDir")),
      stopSignal: config.stopSignal,
      mounts: paths("mounts"),
      files: paths("files"),
      rootfs: makeRootfs?.(user),
    },
  };
}

interface FoundRootfs {
  readonly config: ImageConfig;
  readonly makeRootfs: ((user: string) => ImageRootfs) | undefined;
}

function readRootfs(entry: RawEntry, context: EntryContext, text: (key: string) => string): FoundRootfs {
  if (entry.folder !== undefined && entry.oci !== undefined) throw context.bad('"folder" and "oci" exclude each other');
  const pathOf = (key: string) => resolve(dirname(context.file), text(key));
  if (entry.folder !== undefined) {
    const path = pathOf("folder");
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw context.bad(`"folder": ${path} is no folder; name one that holds a whole root file system`);
    return { config: NO_CONFIG, makeRootfs: (user) => folderRootfs(path, user) };
  }
  if (entry.oci === undefined) return { config: NO_CONFIG, makeRootfs: undefined };
  const reference = pathOf("oci");
  try {
    const image = openOciImage(reference);
    return { config: image.config, makeRootfs: (user) => ociRootfs(image, context.cache, user) };
  } catch (thrown) {
    throw context.bad(`"oci": ${errorMessage(thrown)}`);
  }
}

function fieldReader(entry: RawEntry, { placeholders, bad }: EntryContext) {
  const text = (value: unknown, where: string): string => {
    if (value === null || value === undefined) throw bad(`"${where}" is empty`);
    if (typeof value === "object") throw bad(`"${where}" is no text`);
    return expand(String(value));
  };
  const expand = (value: string): string =>
    value.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const known = placeholders[name];
      if (known === undefined) throw bad(`\${${name}} is none of ${Object.keys(placeholders).join(", ")}`);
      return known;
    });
  const list = (key: string) => {
    const value = entry[key] ?? [];
    if (!Array.isArray(value)) throw bad(`"${key}" is no list`);
    return value.map((one, index) => text(one, `${key}[${index}]`));
  };
  const map = (key: string) => {
    const value = entry[key] ?? {};
    if (!isRecord(value)) throw bad(`"${key}" is no map`);
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [expand(name), text(one, `${key}.${name}`)]));
  };
  const path = (key: string, value: string) => {
    if (!value.startsWith("/")) throw bad(`"${key}": ${value} is no absolute path of the container`);
    return value;
  };
  const paths = (key: string) => {
    const found = map(key);
    for (const name of Object.keys(found)) path(key, name);
    return found;
  };
  return { text: (key: string) => text(entry[key], key), list, map, path, paths };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
