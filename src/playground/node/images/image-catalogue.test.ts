import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { loadImageCatalogue } from "./image-catalogue.ts";

const shipped = fileURLToPath(new URL("../../../../samples/playground/images.yaml", import.meta.url));
const placeholders = { NODE: "/n/node", DIST: "/d", SAMPLES: "/s", ENVOY: "/e/envoy" };
const directory = mkdtempSync(join(tmpdir(), "isthmus-images-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

test.each([
  ["isthmus/pilot:latest", "pilot-discovery.mjs"],
  ["example.test/team/isthmus/proxyv2:1", "pilot-agent"],
  ["docker.io/istio/examples-helloworld-v2", "app.mjs"],
  ["example.test:5000/release/examples-helloworld-v1:1.0", "app.mjs"],
  ["curlimages/curl", "infinity"],
  ["governmentpaas/curl-ssl", "infinity"],
  ["busybox@sha256:0000", "/bin/sh"],
])("the shipped catalogue knows %s", (image, word) => {
  const { command = [], args = [] } = loadImageCatalogue([shipped], placeholders).find(image) ?? {};
  expect([...command, ...args].join(" ")).toContain(word);
});

test("arguments of a pod replace the whole program of an image that is only a system", () => {
  expect(loadImageCatalogue([shipped], placeholders).find("busybox")).toMatchObject({ command: [], args: ["/bin/sh"] });
});

test("the version of helloworld comes from the image's name", () => {
  const catalogue = loadImageCatalogue([shipped], placeholders);
  expect(catalogue.find("istio/examples-helloworld-v1:1.0")?.env.SERVICE_VERSION).toBe("v1");
  expect(catalogue.find("istio/examples-helloworld-v2:1.0")?.env.SERVICE_VERSION).toBe("v2");
  expect(catalogue.find("istio/examples-helloworld-v1")?.mounts["/usr/local/bin/node"]).toBe("/n/node");
});

test("later files win, a tag in the pattern counts, and an unknown image says how to add it", () => {
  const own = file("own.yaml", "images: [{image: busybox, command: [/own]}, {image: 'app:2', command: [/two]}]");
  const catalogue = loadImageCatalogue([shipped, own], placeholders);
  expect(catalogue.find("busybox:1")?.command).toEqual(["/own"]);
  expect(catalogue.find("app:2")?.command).toEqual(["/two"]);
  expect(catalogue.find("app:3")).toBeUndefined();
  expect(catalogue.unknown("app:3")).toContain(`add to ${own}: images: [{image: "app"`);
});

test("a bad entry is named by file and number", () => {
  const bad = file("bad.yaml", "images: [{image: a}, {image: b, command: /x}]");
  expect(() => loadImageCatalogue([bad], placeholders)).toThrow(/bad.yaml, entry 2: "command" is no list/);
  const unknown = file("unknown.yaml", `images: [{image: a, command: ['$\{NOPE}']}]`);
  expect(() => loadImageCatalogue([unknown], placeholders)).toThrow(/\$\{NOPE\} is none of NODE/);
});
