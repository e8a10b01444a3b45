import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitForFile } from "./wait-for-file.ts";
import { watchFolder } from "./watch-folder.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "isthmus-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const failWith = (code: string) => () => {
  throw Object.assign(new Error(`${code}: watch`), { code });
};

describe("watching a folder", () => {
  it("goes on by time when the kernel has no watch left", async () => {
    let watcher: { close(): void } | undefined;
    await new Promise<void>((resolve) => {
      watcher = watchFolder(dir, resolve, failWith("EMFILE"));
    });
    watcher?.close();
  });

  it("fails when the folder is not there", () => {
    expect(() => watchFolder(join(dir, "missing"), () => {})).toThrow("ENOENT");
    expect(() => watchFolder(dir, () => {}, failWith("EACCES"))).toThrow("EACCES");
  });
});

describe("waiting for a file", () => {
  it("ends when it is there already", async () => {
    writeFileSync(join(dir, "ready"), "");
    await waitForFile(join(dir, "ready"), new AbortController().signal);
  });

  it("ends when it comes, and not before", async () => {
    let ended = false;
    const found = waitForFile(join(dir, "ready"), new AbortController().signal).then(() => {
      ended = true;
    });
    writeFileSync(join(dir, "other"), "");
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    writeFileSync(join(dir, "ready"), "");
    await found;
  });

  it("ends when the signal aborts", async () => {
    const stop = new AbortController();
    const waiting = waitForFile(join(dir, "ready"), stop.signal);
    stop.abort();
    await waiting;
  });
});
