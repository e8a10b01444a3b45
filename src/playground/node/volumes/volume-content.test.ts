import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { ConfigMap, Volume } from "#api/kubernetes/gen/types";
import { atomicDirectory } from "./atomic-directory.ts";
import { type VolumeFiles, type VolumeSources, volumeFiles } from "./volume-content.ts";

const directories: string[] = [];
afterEach(() => {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true });
});

function sources(configMaps: Record<string, ConfigMap>, token?: string): VolumeSources {
  return {
    lookups: { configMap: (name) => configMaps[name], secret: () => undefined },
    facts: {
      pod: { metadata: { name: "p", labels: { b: "2", a: 'x"y' } } },
      ...{ podIPs: ["10.0.0.1"], hostIPs: [], podIP: "10.0.0.1", hostIP: "h", nodeName: "n", allocatable: {} },
    },
    token: () => token,
  };
}

const text = (files: VolumeFiles | undefined) =>
  Object.fromEntries([...(files ?? [])].map(([path, { data }]) => [path, data.toString()]));

test("a projected volume joins token, config map and downward API, and waits for what is missing", () => {
  const volume: Volume = {
    name: "v",
    projected: {
      defaultMode: 0o400,
      sources: [
        { serviceAccountToken: { path: "token", expirationSeconds: 3607 } },
        { configMap: { name: "ca", items: [{ key: "ca.crt", path: "deep/ca.crt", mode: 0o444 }] } },
        { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
      ],
    },
  };
  expect(() => volumeFiles(volume, sources({}, "t"))).toThrow(/configmap "ca" not found/);
  expect(() => volumeFiles(volume, sources({ ca: { data: { other: "" } } }, "t"))).toThrow(
    /non-existent config key: ca.crt/,
  );
  const ca: ConfigMap = { data: { "ca.crt": "PEM", rest: "unused" } };
  expect(() => volumeFiles(volume, sources({ ca }))).toThrow(/service account token/);
  const files = volumeFiles(volume, sources({ ca }, "jwt"));
  expect(text(files)).toEqual({ token: "jwt", "deep/ca.crt": "PEM", labels: 'a="x\\"y"\nb="2"\n' });
  expect(files?.get("token")?.mode).toBe(0o400);
  expect(files?.get("deep/ca.crt")?.mode).toBe(0o444);
});

test("an optional config map is an empty volume until it comes; an emptyDir is no volume of files", () => {
  const volume: Volume = { name: "v", configMap: { name: "late", optional: true } };
  expect(text(volumeFiles(volume, sources({})))).toEqual({});
  const binaryData = { b: Buffer.from([0, 255]).toString("base64") };
  expect(volumeFiles(volume, sources({ late: { binaryData } }))?.get("b")?.data).toEqual(Buffer.from([0, 255]));
  expect(volumeFiles({ name: "e", emptyDir: {} }, sources({}))).toBeUndefined();
});

test("files change all at once behind one link", () => {
  const path = mkdtempSync(join(tmpdir(), "isthmus-volume-"));
  directories.push(path);
  const directory = atomicDirectory(path, undefined);
  const files = (entries: Record<string, string>): VolumeFiles =>
    new Map(Object.entries(entries).map(([name, data]) => [name, { data: Buffer.from(data), mode: 0o640 }]));
  directory.write(files({ a: "1", "d/b": "2" }));
  const first = readlinkSync(join(path, "..data"));
  expect(readFileSync(join(path, "d/b"), "utf8")).toBe("2");
  directory.write(files({ a: "1", "d/b": "2" }));
  expect(readlinkSync(join(path, "..data"))).toBe(first);
  directory.write(files({ a: "3" }));
  expect(readlinkSync(join(path, "..data"))).not.toBe(first);
  expect(readFileSync(join(path, "a"), "utf8")).toBe("3");
  expect(readdirSync(path).filter((name) => !name.startsWith(".."))).toEqual(["a"]);
  expect(readdirSync(path)).not.toContain(first);
});
