// One image of an OCI layout or a docker archive, each as a folder or a tar file: its configuration, and its layers in
// order. Only JSON is read here.
import { existsSync } from "node:fs";
import { type BlobSource, openBlobSource } from "./blob-source.ts";

export interface ImageLayer {
  /** Of the file as it lies there; undefined where the form tells none. */
  readonly digest: string | undefined;
  /** Of the content without compression: what it is known by. */
  readonly diffId: string;
  readonly path: string;
}

export interface OciImage {
  readonly source: BlobSource;
  readonly layers: readonly ImageLayer[];
  readonly config: ImageConfig;
}

/** What an image says about the process that it starts. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** As written: empty, a name or a number, with a group or without. */
  readonly user: string;
  readonly workingDir: string;
  /** As written: empty, a name with SIG or without, or a number. */
  readonly stopSignal: string;
}

interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly architecture?: string; readonly os?: string };
}

interface ConfigFile {
  readonly config?: {
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly Env?: readonly string[] | null;
    readonly User?: string;
    readonly WorkingDir?: string;
    readonly StopSignal?: string;
  } | null;
  readonly rootfs?: { readonly diff_ids?: readonly string[] };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const NAMES = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];

/**
 * Opens `PATH` or `PATH:TAG`; the tag may be a whole image name. Throws an Error whose message says what is wrong with
 * the image and which there are.
 */
export function openOciImage(reference: string): OciImage {
  const { path, tag } = splitReference(reference);
  const source = openBlobSource(path);
  if (source.has("index.json")) return openLayout(source, path, tag);
  if (source.has("manifest.json")) return openDockerArchive(source, path, tag);
  throw new Error(`${path} is neither an OCI layout (no index.json) nor a docker archive (no manifest.json)`);
}

/** The longest beginning that exists is the path: both halves may have colons. */
function splitReference(reference: string): { path: string; tag: string | undefined } {
  if (existsSync(reference)) return { path: reference, tag: undefined };
  for (let at = reference.lastIndexOf(":"); at > 0; at = reference.lastIndexOf(":", at - 1)) {
    if (existsSync(reference.slice(0, at))) return { path: reference.slice(0, at), tag: reference.slice(at + 1) };
  }
  throw new Error(`${reference.replace(/:[^/:]*$/, "")} does not exist`);
}

function openLayout(source: BlobSource, path: string, tag: string | undefined): OciImage {
  const index = readJson<{ manifests?: readonly Descriptor[] }>(source, "index.json");
  const descriptor = choose(objects(index.manifests, "index.json"), path, tag);
  const manifest = readJson<{ manifests?: readonly Descriptor[]; config?: Descriptor; layers?: readonly Descriptor[] }>(
    source,
    blobPath(descriptor.digest),
  );
  // An image for several platforms: another index.
  if (manifest.manifests !== undefined) {
    const own = blobPath(forThisMachine(manifest.manifests, path).digest);
    return imageOf(source, readJson(source, own));
  }
  return imageOf(source, manifest);
}

function imageOf(source: BlobSource, manifest: { config?: Descriptor; layers?: readonly Descriptor[] }): OciImage {
  if (manifest.config === undefined) throw new Error("its manifest names no configuration");
  const config = readJson<ConfigFile>(source, blobPath(manifest.config.digest));
  const layers = (manifest.layers ?? []).map(({ digest }) => ({ digest, path: blobPath(digest) }));
  return { source, config: configOf(config), layers: withDiffIds(layers, config) };
}

interface Listed {
  readonly descriptor: Descriptor;
  readonly names: readonly string[];
}

function choose(manifests: readonly Descriptor[], path: string, tag: string | undefined): Descriptor {
  const listed: Listed[] = manifests.map((descriptor) => ({
    descriptor,
    names: NAMES.flatMap((name) => descriptor.annotations?.[name] ?? []),
  }));
  const wanted = tag === undefined ? listed : listed.filter(({ names }) => names.some((name) => isNamed(name, tag)));
  const found = wanted[0];
  if (found === undefined || new Set(wanted.map(({ descriptor }) => descriptor.digest)).size > 1) {
    const what = tag === undefined ? "which of its images" : `${tag} is ${found === undefined ? "none" : "several"}`;
    // The whole name where there is one: it says more than a tag.
    const names = [...new Set(listed.flatMap(({ names: all }) => all.at(-1) ?? []))].join(", ");
    throw new Error(`${path}: ${what} of ${names || "no names"}; write ${path}:TAG`);
  }
  return found.descriptor;
}

function isNamed(name: string, tag: string): boolean {
  return name === tag || name === `docker.io/${tag}` || name.endsWith(`:${tag}`);
}

function forThisMachine(manifests: readonly Descriptor[], path: string): Descriptor {
  const own = ARCHITECTURES[process.arch];
  const found = manifests.find(({ platform }) => platform?.os === "linux" && platform.architecture === own);
  if (found !== undefined) return found;
  const platforms = manifests.map(({ platform }) => `${platform?.os}/${platform?.architecture}`).join(", ");
  throw new Error(`${path} has no image for linux/${own}, only for ${platforms}`);
}

interface DockerImage {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Layers: readonly string[];
}

function openDockerArchive(source: BlobSource, path: string, tag: string | undefined): OciImage {
  const images = objects(readJson<readonly DockerImage[]>(source, "manifest.json"), "manifest.json");
  const found = images.filter(({ RepoTags }) => tag === undefined || RepoTags?.some((name) => isNamed(name, tag)));
  const [image] = found;
  if (image === undefined || found.length > 1) {
    const names = images.flatMap(({ RepoTags }) => RepoTags ?? []).join(", ");
    throw new Error(`${path}: which of its images of ${names || "no names"}; write ${path}:TAG`);
  }
  const config = readJson<ConfigFile>(source, image.Config);
  const layers = image.Layers.map((layer) => ({ digest: undefined, path: layer }));
  return { source, config: configOf(config), layers: withDiffIds(layers, config) };
}

function withDiffIds(layers: readonly Omit<ImageLayer, "diffId">[], { rootfs }: ConfigFile): ImageLayer[] {
  const diffIds = rootfs?.diff_ids ?? [];
  if (diffIds.length !== layers.length)
    throw new Error(`its manifest has ${layers.length} layers, its configuration ${diffIds.length}`);
  return layers.map((layer, index) => ({ ...layer, diffId: diffIds[index] ?? "" }));
}

function configOf(file: ConfigFile): ImageConfig {
  const config = file.config ?? {};
  const variables = (config.Env ?? []).map((entry): [string, string] => {
    const equals = entry.indexOf("=");
    return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  return {
    entrypoint: config.Entrypoint ?? [],
    cmd: config.Cmd ?? [],
    env: Object.fromEntries(variables),
    user: config.User ?? "",
    workingDir: config.WorkingDir || "/",
    stopSignal: config.StopSignal ?? "",
  };
}

function blobPath(digest: string): string {
  if (!/^sha(256|512):[0-9a-f]+$/.test(digest)) throw new Error(`digest ${JSON.stringify(digest)} is none`);
  return `blobs/${digest.replace(":", "/")}`;
}

function readJson<T>(source: BlobSource, path: string): T {
  let value: unknown;
  try {
    value = JSON.parse(source.read(path).toString("utf8"));
  } catch (cause) {
    throw new Error(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (typeof value !== "object" || value === null) throw new Error(`${path} is no JSON object`);
  return value as T;
}

/** What a file lists; throws for items that are no objects. */
function objects<T>(list: readonly T[] | null | undefined, path: string): readonly T[] {
  const found = list ?? [];
  if (!Array.isArray(found) || found.some((one) => typeof one !== "object" || one === null)) {
    throw new Error(`${path} lists what is no image`);
  }
  return found;
}
