// The registry that a node pulls from: the OCI layout, read-only, on the loopback of the node's namespace. Images of ours
// are on the node before anything asks; this answers who pulls all the same, and under which names the same images are
// known elsewhere. What is not in the layout does not exist.
import { createReadStream, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { type Component, untilAborted } from "#base/component";
import { type LayoutImage, readLayoutImages } from "./image-names.ts";

export const REGISTRY_ADDRESS = "127.0.0.1:5000";
const [HOST = "", PORT = ""] = REGISTRY_ADDRESS.split(":");
const API = /^\/v2\/(?<repository>[a-z0-9._/-]+)\/(?<kind>manifests|blobs)\/(?<reference>\w[\w.:-]*)$/;
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const VARIANT = "-distroless";
/** Hubs under which the same images are known, whatever ours is called. */
const KNOWN_HUBS = ["istio", "isthmus", "curlimages"];

/** Text of containerd's hosts.toml for all registries at once. containerd 1.6 takes none without a host of its own. */
export function renderRegistryHosts(): string {
  const server = JSON.stringify(`http://${REGISTRY_ADDRESS}`);
  return `server = ${server}\n[host.${server}]\n  capabilities = ["pull", "resolve"]\n`;
}

export function serveImages(layout: string): Component {
  return {
    name: "image-registry",
    async run(signal) {
      const images = await readLayoutImages(layout);
      const server = createServer((request, response) => answer(request, response, { layout, images }));
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(Number(PORT), HOST, resolve);
      });
      await untilAborted(signal);
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Shelf {
  readonly layout: string;
  readonly images: readonly LayoutImage[];
}

interface Blob {
  readonly file: string;
  readonly digest: string;
  readonly type: string;
}

/** The registry protocol's codes of what is not there. */
type Refusal = "NAME_UNKNOWN" | "MANIFEST_UNKNOWN" | "BLOB_UNKNOWN";

function answer(request: IncomingMessage, response: ServerResponse, shelf: Shelf): void {
  const path = new URL(request.url ?? "", "http://localhost").pathname;
  const found = path === "/v2/" ? undefined : findBlob(path, shelf);
  if (found === undefined) response.writeHead(200).end();
  else if (typeof found === "string") refuse(response, found);
  else sendBlob(request, response, found);
}

function findBlob(path: string, { layout, images }: Shelf): Blob | Refusal {
  const { repository, kind, reference } = API.exec(path)?.groups ?? {};
  if (repository === undefined || reference === undefined) return "NAME_UNKNOWN";
  const digest = reference.startsWith("sha256:") ? reference : findImage(images, repository, reference)?.digest;
  if (digest === undefined) return "MANIFEST_UNKNOWN";
  const type = kind === "manifests" ? MANIFEST_TYPE : "application/octet-stream";
  return { file: join(layout, "blobs", ...digest.split(":")), digest, type };
}

function sendBlob(request: IncomingMessage, response: ServerResponse, { file, digest, type }: Blob): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) {
    refuse(response, "BLOB_UNKNOWN");
    return;
  }
  response.writeHead(200, { "content-type": type, "content-length": size, "docker-content-digest": digest });
  if (request.method === "HEAD") response.end();
  else
    createReadStream(file)
      .on("error", (error) => response.destroy(error))
      .pipe(response);
}

function refuse(response: ServerResponse, code: Refusal): void {
  response.writeHead(404, { "content-type": "application/json" });
  response.end(
    JSON.stringify({ errors: [{ code, message: "this playground has no such image: see npm run images" }] }),
  );
}

/** By its whole name, else an image of the same name below a hub that is known, in any version. */
export function findImage(images: readonly LayoutImage[], repository: string, tag: string): LayoutImage | undefined {
  const exact = images.find((image) => image.name.endsWith(`/${repository}:${tag}`));
  if (exact !== undefined) return exact;
  const [hub = "", name = ""] = repository.split("/").slice(-2);
  if (!KNOWN_HUBS.includes(hub)) return undefined;
  const isVariant = tag.endsWith(VARIANT);
  return images.find((image) => image.name.includes(`/${name}:`) && image.name.endsWith(VARIANT) === isVariant);
}
