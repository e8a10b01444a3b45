import { statfs } from "node:fs/promises";
import { runTool } from "../run-tool.ts";
import type { Containerd } from "./containerd.ts";

/** Where containerd keeps what a kubelet may use. */
const NAMESPACE = "k8s.io";
const OVERLAY_FILE_SYSTEM = 0x794c7630;

/** Layers are laid over each other in the kernel's overlay file system, which cannot lie on another one. */
export async function holdsLayers(folder: string): Promise<boolean> {
  return (await statfs(folder)).type !== OVERLAY_FILE_SYSTEM;
}

/**
 * Makes `root` a containerd's folder with the images of `store`. Files are links, as nobody writes to a layer; databases
 * are copies. `root` must not exist.
 */
export async function copyImageStore(store: string, root: string): Promise<void> {
  const copy = `
cp -al "$1" "$2" 2>/dev/null || { rm -rf "$2"; cp -a "$1" "$2"; }
cd "$1"
find . -name '*.db' | while read -r file; do cp --remove-destination "$file" "$2/$file" || exit; done`;
  await runTool("sh", ["-e", "-c", copy, "copy-image-store", store, root]);
}

/** Puts the images of an OCI layout into a containerd, under the names that its index tells. */
export async function importImages(containerd: Containerd, layout: string): Promise<void> {
  const ctr = containerd.enter(["ctr", "--address", containerd.socket, "--namespace", NAMESPACE]);
  // Not the layouts of single images that lie beside it.
  const load = `tar -C "$1" -cf - oci-layout index.json blobs | { shift; exec "$@"; }`;
  await runTool("sh", ["-c", load, "sh", layout, ...ctr, "images", "import", "-"], { env: containerd.env });
}
