import { readFile } from "node:fs/promises";
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
  /** A folder in the OCI image layout, with all images. */
  readonly layout: string;
  /** Holds the namespaces of a pod. */
  readonly sandbox: string;
  readonly dns: string;
}

/** Looks into an OCI layout. Throws MeshError NO_IMAGES when it is none, or lacks an image that every node needs. */
export async function findImages(layout: string): Promise<NodeImages> {
  const names = await imageNames(layout);
  const nameOf = (image: string) => {
    const found = names.find((name) => name.includes(`/${image}:`));
    if (found !== undefined) return found;
    throw new MeshError("NO_IMAGES", `no image named ${image} lies in ${layout}`, { hint: HINT });
  };
  return { layout, sandbox: nameOf("pause"), dns: nameOf("playground-dns") };
}

interface LayoutIndex {
  readonly manifests?: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

async function imageNames(layout: string): Promise<string[]> {
  const file = join(layout, "index.json");
  try {
    const index = JSON.parse(await readFile(file, "utf8")) as LayoutIndex;
    return (index.manifests ?? []).flatMap(({ annotations }) => annotations?.[IMAGE_NAME] ?? []);
  } catch (cause) {
    throw new MeshError("NO_IMAGES", `cannot read the images' index ${file}`, { cause, hint: HINT });
  }
}

/** Puts the images into containerd, under the names that their index tells. */
export async function importImages(containerd: Containerd, { layout }: NodeImages): Promise<void> {
  const ctr = containerd.enter(["ctr", "--address", containerd.socket, "--namespace", NAMESPACE]);
  // Not the layouts of single images that lie beside it.
  const load = `tar -C "$1" -cf - oci-layout index.json blobs | { shift; exec "$@"; }`;
  await runTool("sh", ["-c", load, "sh", layout, ...ctr, "images", "import", "-"], { env: containerd.env });
}
