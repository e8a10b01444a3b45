import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ControlPlaneProgram } from "./control-plane-program.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "isthmus-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const start = (script: string, told: string[] = []) =>
  new ControlPlaneProgram({
    name: "kube-thing",
    file: "/bin/sh",
    flags: ["-c", script],
    log: join(dir, "log"),
    tell: (lines) => told.push(...lines),
  });

describe("a program of the control plane", () => {
  it("that ends by itself fails with its exit code, and its last words are told", async () => {
    const told: string[] = [];
    const program = start('for i in 1 2 3 4 5 6 7 8 9 10; do echo "line $i"; done; exit 3', told);
    await expect(program.failed).rejects.toMatchObject({
      code: "PROGRAM_ENDED",
      message: "kube-thing ended with exit code 3",
      hint: `see ${join(dir, "log")}`,
    });
    expect(told).toEqual([3, 4, 5, 6, 7, 8, 9, 10].map((i) => `line ${i}`));
    expect(readFileSync(join(dir, "log"), "utf8")).toContain("line 1\n");
  });

  it("that is not there fails", async () => {
    const missing = new ControlPlaneProgram({
      name: "kube-thing",
      file: join(dir, "missing"),
      flags: [],
      log: join(dir, "log"),
      tell: () => {},
    });
    await expect(missing.failed).rejects.toMatchObject({ code: "PROGRAM_ENDED" });
  });

  it("that is killed by its owner is no failure", async () => {
    const program = start("sleep 1000");
    await program.kill();
    await expect(Promise.race([program.failed, Promise.resolve("quiet")])).resolves.toBe("quiet");
  });
});
