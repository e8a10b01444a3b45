// The pieces of `npm run images` that turn bytes into bytes; tests/e2e/images builds whole images.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { until } from "#base/until";

const TOOLS = join(import.meta.dirname, "..", "..", "tools");
const load = async (name: string) => import(pathToFileURL(join(TOOLS, "images", name)).href);
const folder = mkdtempSync(join(tmpdir(), "isthmus-image-pieces-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("tar", async () => {
  const { tarPieces } = (await load("tar.mjs")) as { tarPieces(entries: unknown[], mtime: number): Iterable<Buffer> };
  const long = `${"a".repeat(90)}/${"b".repeat(90)}`;
  const entries = [
    { type: "file", path: "z", mode: 0o644, content: Buffer.from("last") },
    { type: "symlink", path: "m", mode: 0o777, target: "z" },
    { type: "directory", path: "d", mode: 0o1777 },
    { type: "file", path: long, mode: 0o755, uid: 1337, gid: 1337, content: Buffer.alloc(1000, "x") },
  ];
  const bytes = (list: unknown[]) => Buffer.concat([...tarPieces(list, 7)]);

  test("tar reads it back, with modes, owners and times", () => {
    const file = join(folder, "t.tar");
    writeFileSync(file, bytes(entries));
    const listed = execFileSync("tar", ["--numeric-owner", "--full-time", "--utc", "-tvf", file], { encoding: "utf8" });
    expect(listed.split("\n").map((line) => line.replace(/\s+/g, " "))).toEqual([
      `-rwxr-xr-x 1337/1337 1000 1970-01-01 00:00:07 ${long}`,
      "drwxrwxrwt 0/0 0 1970-01-01 00:00:07 d/",
      "lrwxrwxrwx 0/0 0 1970-01-01 00:00:07 m -> z",
      "-rw-r--r-- 0/0 4 1970-01-01 00:00:07 z",
      "",
    ]);
  });

  test("the order of entries does not matter", () => {
    expect(bytes([...entries].reverse())).toEqual(bytes(entries));
  });

  test("what does not fit is refused", () => {
    expect(() => bytes([{ ...entries[0], path: "n".repeat(101) }])).toThrow("path too long");
    expect(() => bytes([{ ...entries[1], target: "n".repeat(101) }])).toThrow("link target too long");
  });
});

test("a stripped program does the same and is no longer", async () => {
  const { stripElf } = (await load("strip-elf.mjs")) as { stripElf(program: Buffer): Buffer };
  const program = readFileSync("/bin/sh");
  const file = join(folder, "sh");
  writeFileSync(file, stripElf(program), { mode: 0o755 });
  expect(statSync(file).size).toBeLessThan(program.length);
  expect(spawnSync(file, ["-c", "echo $((6 * 7))"], { encoding: "utf8" })).toMatchObject({ stdout: "42\n", status: 0 });
  const script = Buffer.from("#!/bin/sh\n".repeat(20));
  expect(stripElf(script)).toBe(script);
});

test.skipIf(!["x64", "arm64"].includes(process.arch))("the pause program waits, and forgets children", async () => {
  const { pauseProgram } = (await load("pause-program.mjs")) as { pauseProgram(): Buffer };
  const file = join(folder, "pause");
  writeFileSync(file, pauseProgram(), { mode: 0o755 });
  const child = spawn(file, { stdio: "ignore" });
  try {
    const status = () => readFileSync(`/proc/${child.pid}/status`, "utf8");
    const sigchld = 1n << 16n;
    const ignored = () => BigInt(`0x${/SigIgn:\s*(\w+)/.exec(status())?.[1] ?? 0}`) & sigchld;
    await until(() => ignored() === sigchld, { reason: "it ignores SIGCHLD", timeoutMs: 60_000 });
    await until(() => /State:\s*S/.test(status()), { reason: "it sleeps", timeoutMs: 60_000 });
    expect(child.exitCode).toBeNull();
  } finally {
    child.kill();
  }
});

test("names as a node's runtime looks them up", async () => {
  const { containerdName } = (await load("layout.mjs")) as { containerdName(name: string): string };
  expect(["curl:1", "isthmus/pilot:1", "registry.example/a/b:1", "localhost:5000/a:1"].map(containerdName)).toEqual([
    "docker.io/library/curl:1",
    "docker.io/isthmus/pilot:1",
    "registry.example/a/b:1",
    "localhost:5000/a:1",
  ]);
});

describe("npm run images", () => {
  const images = (...args: string[]) =>
    spawnSync(process.execPath, [join(TOOLS, "images.mjs"), ...args], { encoding: "utf8" });

  test("--help has an example", () => {
    expect(images("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("Examples:") });
  });

  test.each([
    [["--nonsense"], "unknown option '--nonsense'"],
    [["--tag", "a/b"], "--tag a/b is no tag"],
    [["--hub", "Upper"], "--hub Upper is no beginning of an image name"],
    [["-o", "xml"], "-o xml is unknown: text or json"],
  ])("%j is wrong usage", (args, message) => {
    expect(images(...args)).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining(message) });
  });
});
