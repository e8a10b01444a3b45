import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
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
  ["isthmus/pilot:latest", "pilot-discovery.cjs"],
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

describe("images with a root file system of their own", () => {
  const load = (name: string, yaml: string) => loadImageCatalogue([file(name, yaml)], placeholders);

  test("a folder is found beside its catalogue, its user by name", async () => {
    mkdirSync(join(directory, "root", "etc"), { recursive: true });
    writeFileSync(join(directory, "root", "etc", "passwd"), "root:x:0:0::/:\nme:x:1000:1001::/:\n");
    const found = load("folder.yaml", "images: [{image: a, folder: ./root, user: me, command: [/bin/a]}]").find("a");
    expect(found).toMatchObject({ command: ["/bin/a"], user: "me" });
    expect(await found?.rootfs?.prepare()).toEqual({ path: join(directory, "root"), user: "1000:1001" });
    const stranger = load("stranger.yaml", "images: [{image: a, folder: ./root, user: nobody}]").find("a");
    await expect(stranger?.rootfs?.prepare()).rejects.toThrow("its user nobody is not in its /etc/passwd");
  });

  test("an image's configuration goes below what the entry says", () => {
    const config = {
      config: { Entrypoint: ["/app"], Cmd: ["--fast"], Env: ["A=1", "B=2"], User: "1337:1337", WorkingDir: "/srv" },
      rootfs: { diff_ids: ["sha256:00"] },
    };
    const layout = join(directory, "docker");
    mkdirSync(layout, { recursive: true });
    writeFileSync(join(layout, "config.json"), JSON.stringify(config));
    const manifest = [{ Config: "config.json", RepoTags: ["app:1"], Layers: ["layer.tar"] }];
    writeFileSync(join(layout, "manifest.json"), JSON.stringify(manifest));
    const entries = "{image: plain, oci: docker}, {image: own, oci: 'docker:1', command: [/x], env: {B: 3}, user: 0}";
    const catalogue = load("oci.yaml", `images: [${entries}]`);
    const plain = {
      command: ["/app"],
      args: ["--fast"],
      env: { A: "1", B: "2" },
      user: "1337:1337",
      workingDir: "/srv",
    };
    expect(catalogue.find("plain")).toMatchObject(plain);
    expect(catalogue.find("own")).toMatchObject({ command: ["/x"], args: [], env: { A: "1", B: "3" }, user: "0" });
  });

  test.each([
    ["null", "index.json is no JSON object"],
    ["{", "index.json cannot be read"],
    ['{"manifests": [null]}', "index.json lists what is no image"],
    ['{"manifests": [{"digest": "x"}]}', 'digest "x" is none'],
    ['{"manifests": []}', "which of its images of no names"],
  ])("a layout whose index is %s is told by file, entry and field", (index, message) => {
    mkdirSync(join(directory, "layout"), { recursive: true });
    writeFileSync(join(directory, "layout", "index.json"), index);
    expect(() => load("wrong.yaml", "images: [{image: a, oci: layout}]")).toThrow(message);
    expect(() => load("wrong.yaml", "images: [{image: a, oci: layout}]")).toThrow(/wrong.yaml, entry 1: "oci": /);
  });

  test.each([
    ["{image: a, folder: /nowhere}", '"folder": /nowhere is no folder'],
    ["{image: a, oci: /nowhere:1}", '"oci": /nowhere does not exist'],
    ["{image: a, oci: .}", "is neither an OCI layout (no index.json) nor a docker archive (no manifest.json)"],
    ["{image: a, folder: ., oci: .}", '"folder" and "oci" exclude each other'],
    ["{image: a, folders: .}", '"folders" is none of image, command'],
    ["{image: a, folder: }", '"folder" is empty'],
    ["{image: a, env: {A: {b: 1}}}", '"env.A" is no text'],
    ["{image: a, command: [sh, [x]]}", '"command[1]" is no text'],
    ["{image: a, workingDir: srv}", '"workingDir": srv is no absolute path of the container'],
    ["{image: a, mounts: {srv: /srv}}", '"mounts": srv is no absolute path of the container'],
  ])("%s is told by file, entry and field", (entry, message) => {
    expect(() => load("wrong.yaml", `images: [{image: fine}, ${entry}]`)).toThrow(message);
    expect(() => load("wrong.yaml", `images: [{image: fine}, ${entry}]`)).toThrow(/wrong.yaml, entry 2: /);
  });
});
