import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { MeshError } from "#base/mesh-error";
import { runTool } from "../run-tool.ts";
import type { Containerd } from "./start-containerd.ts";

/** Where containerd keeps what a kubelet may use. */
const NAMESPACE = "k8s.io";
/** The annotation of a whole name; tools that know only tags read another. */
const IMAGE_NAME = "io.containerd.image.name";
const HINT = "make the images: npm run images";

export interface NodeImages {
  /** Folders in the OCI image layout. */
  readonly layouts: readonly string[];
  /** Holds the namespaces of a pod. */
  readonly sandbox: string;
  readonly dns: string;
}

/**
 * Looks through the OCI layouts below `imagesFolder`. Throws MeshError NO_IMAGES when there is none, or when an image
 * that every node needs is in none of them.
 */
export async function findImages(imagesFolder: string): Promise<NodeImages> {
  const entries = existsSync(imagesFolder) ? await readdir(imagesFolder) : [];
  const folders = entries.map((name) => join(imagesFolder, name));
  const layouts = folders.filter((folder) => existsSync(join(folder, "oci-layout"))).sort();
  const names = (await Promise.all(layouts.map(imageNames))).flat();
  const nameOf = (image: string) => {
    const found = names.find((name) => name.includes(`/${image}:`));
    if (found !== undefined) return found;
    throw new MeshError("NO_IMAGES", `no image named ${image} lies in ${imagesFolder}`, { hint: HINT });
  };
  return { layouts, sandbox: nameOf("pause"), dns: nameOf("playground-dns") };
}

interface LayoutIndex {
  readonly manifests?: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

async function imageNames(layout: string): Promise<string[]> {
  const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as LayoutIndex;
  return (index.manifests ?? []).flatMap(({ annotations }) => annotations?.[IMAGE_NAME] ?? []);
}

/** Puts the images of every layout into containerd, under the names that their index tells. */
export async function importImages(containerd: Containerd, { layouts }: NodeImages): Promise<void> {
  const ctr = containerd.enter(["ctr", "--address", containerd.socket, "--namespace", NAMESPACE]);
  // One after the other: each already keeps as many processors busy as it has layers.
  for (const layout of layouts) {
    const load = `tar -C "$1" -cf - . | { shift; exec "$@"; }`;
    await runTool("sh", ["-c", load, "sh", layout, ...ctr, "images", "import", "-"], { env: containerd.env });
  }
}
