import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MeshError } from "#base/mesh-error";

/** The annotation of a whole name; tools that know only tags read another. */
const IMAGE_NAME = "io.containerd.image.name";
const HINT = "make the images: npm run images";

/** Names of images that every node needs. */
export interface ImageNames {
  /** Holds the namespaces of a pod. */
  readonly sandbox: string;
  readonly dns: string;
}

/** An image by one of its names. */
export interface LayoutImage {
  /** Whole, with registry and tag. */
  readonly name: string;
  /** Of its manifest. */
  readonly digest: string;
}

interface LayoutIndex {
  readonly manifests?: readonly { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> }[];
}

/** Looks into an OCI layout. Throws MeshError NO_IMAGES when it is none, or lacks an image that every node needs. */
export async function findImageNames(layout: string): Promise<ImageNames> {
  const images = await readLayoutImages(layout);
  const nameOf = (image: string) => {
    const found = images.find(({ name }) => name.includes(`/${image}:`));
    if (found !== undefined) return found.name;
    throw new MeshError("NO_IMAGES", `no image named ${image} lies in ${layout}`, { hint: HINT });
  };
  return { sandbox: nameOf("pause"), dns: nameOf("playground-dns") };
}

/** Every name in an OCI layout. Throws MeshError NO_IMAGES when it is none. */
export async function readLayoutImages(layout: string): Promise<readonly LayoutImage[]> {
  const file = join(layout, "index.json");
  try {
    const index = JSON.parse(await readFile(file, "utf8")) as LayoutIndex;
    return (index.manifests ?? []).flatMap(({ digest, annotations }) => {
      const name = annotations?.[IMAGE_NAME];
      return name === undefined ? [] : [{ name, digest }];
    });
  } catch (cause) {
    throw new MeshError("NO_IMAGES", `cannot read the images' index ${file}`, { cause, hint: HINT });
  }
}
