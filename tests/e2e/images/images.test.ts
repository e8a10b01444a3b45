// `npm run images` as a user runs it: the images are the same wherever they are built, and they run.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NodeHarness } from "../node/node-harness.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

interface Printed {
  readonly name: string;
  readonly digest: string;
  readonly size: number;
  readonly folder: string;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const blob = (layout: string, { digest }: Descriptor) => join(layout, "blobs", digest.replace(":", "/"));

describe.skipIf(process.getuid?.() !== 0 || process.platform !== "linux")("images", () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-images-"));
  const output = join(folder, "images");
  let images: Printed[];

  function build(root: string, to: string, ...flags: string[]) {
    const args = [join(root, "tools", "images.mjs"), "--output", to, "-o", "json", ...flags];
    const answer = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", maxBuffer: 16 << 20 });
    expect(answer.status, answer.stderr).toBe(0);
    return { images: JSON.parse(answer.stdout) as Printed[], said: answer.stderr };
  }

  /** What a build reads, in a folder of its own: nobody changes it meanwhile. */
  function clone(from: string, name: string): string {
    const to = join(folder, name);
    mkdirSync(to, { recursive: true });
    for (const part of ["src", "tools", "samples", "package.json", "package-lock.json", "tsconfig.json"]) {
      cpSync(join(from, part), join(to, part), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(to, "node_modules"));
    return to;
  }

  let first: string;
  beforeAll(() => {
    first = clone(ROOT, "clone");
    images = build(first, output).images;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 }));

  test("a second time there is nothing to do", () => {
    const again = build(first, output);
    expect(again.said).toContain("nothing to do");
    expect(again.images).toEqual(images);
  });

  test("another clone in another folder gives the same digests", () => {
    const other = build(clone(first, "another/clone"), join(folder, "another", "images"));
    expect(other.images.map(({ name, digest }) => [name, digest])).toEqual(
      images.map(({ name, digest }) => [name, digest]),
    );
  });

  test("each is a layout as the image specification wants it, of a user who is not root", () => {
    expect(images.map(({ name }) => name)).toContain("isthmus/pilot:0.1.0");
    for (const { name, digest, folder: layout } of images) {
      expect(read(join(layout, "oci-layout"))).toEqual({ imageLayoutVersion: "1.0.0" });
      const index = read(join(layout, "index.json"));
      expect(index).toMatchObject({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json" });
      const [descriptor] = index.manifests as Descriptor[];
      expect(descriptor).toMatchObject({ mediaType: "application/vnd.oci.image.manifest.v1+json", digest });
      expect(descriptor?.annotations?.["org.opencontainers.image.ref.name"]).toBe(name.replace(/.*:/, ""));
      if (descriptor === undefined) return;
      const manifest = read(blob(layout, descriptor)) as { config: Descriptor; layers: Descriptor[] };
      expect(manifest.config.mediaType).toBe("application/vnd.oci.image.config.v1+json");
      const wanted = [descriptor, manifest.config, ...manifest.layers];
      for (const each of wanted) {
        const content = readFileSync(blob(layout, each));
        expect(content.length).toBe(each.size);
        expect(`sha256:${createHash("sha256").update(content).digest("hex")}`).toBe(each.digest);
      }
      expect(readdirSync(join(layout, "blobs", "sha256")).length).toBe(new Set(wanted.map((each) => each.digest)).size);
      const config = read(blob(layout, manifest.config));
      expect(config).toMatchObject({ os: "linux", created: "1970-01-01T00:00:00Z", rootfs: { type: "layers" } });
      expect(config.rootfs.diff_ids).toHaveLength(manifest.layers.length);
      expect(config.config.User).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    }
  });

  test("images share their layers on disk, and none is larger than it says", () => {
    const stored = new Set(images.flatMap(({ folder: layout }) => readdirSync(join(layout, "blobs", "sha256"))));
    const sizes = [...stored].map((name) => statSync(join(output, "blobs", "sha256", name)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(110e6);
    const largest = Math.max(...images.map(({ size }) => size));
    expect(largest).toBeLessThan(100e6);
  });

  describe("as pods, from a catalogue of a user", () => {
    let node: NodeHarness;
    const security = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true };

    beforeAll(async () => {
      const catalogue = join(folder, "my-images.yaml");
      const own = ["proxyv2-distroless", "examples-helloworld-v1", "curl", "pilot"];
      const entries = own.map(
        (name) =>
          `  - {image: "my/${name}", oci: "./images/${name}:0.1.0${name.includes("distroless") ? "-distroless" : ""}"}`,
      );
      writeFileSync(catalogue, `images:\n${entries.join("\n")}\n`);
      node = new NodeHarness([catalogue]);
      await node.ready();
    });
    afterAll(async () => {
      await node?.quit();
      await node?.close();
    });

    test("helloworld answers, probes and shells come from the image", async () => {
      const httpGet = { path: "/health", port: 5000 };
      node.run("hello", {
        containers: [
          { name: "app", image: "my/examples-helloworld-v1", securityContext: security, readinessProbe: { httpGet } },
          { name: "curl", image: "my/curl", securityContext: security },
        ],
      });
      await node.podReady("hello");
      const answer = await node.exec("hello", "curl", "curl -sS http://localhost:5000/hello");
      expect(answer).toMatchObject({ exitCode: 0, output: "Hello version: v1, instance: hello\n" });
      const id = await node.exec("hello", "curl", "id; ls -d /root 2>&1");
      expect(id.output).toContain("uid=65532(nonroot) gid=65532(nonroot)");
      expect(id.output).toContain("cannot access '/root'");
    });

    test("the agent sets redirection as root with NET_ADMIN, in an image without a shell", async () => {
      const capabilities = { add: ["NET_ADMIN", "NET_RAW"], drop: ["ALL"] };
      node.run("redirected", {
        initContainers: [
          {
            name: "istio-init",
            image: "my/proxyv2-distroless",
            args: [
              "istio-iptables",
              "-p",
              "15001",
              "-z",
              "15006",
              "-u",
              "1337",
              "-m",
              "REDIRECT",
              "-i",
              "*",
              "-b",
              "*",
            ],
            securityContext: { runAsUser: 0, runAsGroup: 0, runAsNonRoot: false, capabilities },
          },
        ],
        containers: [
          {
            name: "look",
            image: "my/proxyv2-distroless",
            command: ["/usr/sbin/iptables-save", "-t", "nat"],
            securityContext: { runAsUser: 0, runAsNonRoot: false, capabilities },
          },
        ],
        restartPolicy: "Never",
      });
      await node.event("status", ({ pod, status }) => pod === "redirected" && status?.phase === "Succeeded");
      const log = await node.log("redirected", "look");
      expect(log).toContain("-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001");
    });

    test("the control plane starts as its user on a read-only root", async () => {
      node.run("pilot", {
        containers: [{ name: "discovery", image: "my/pilot", args: ["version"], securityContext: security }],
        restartPolicy: "Never",
      });
      await node.event("status", ({ pod, status }) => pod === "pilot" && status?.phase === "Succeeded");
      expect(await node.log("pilot", "discovery")).toContain("0.1.0");
    });
  });
});
