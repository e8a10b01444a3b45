import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PageCommand } from "./parse-page.ts";
import { allReady, awaitsReady, type CommandResult, runPage } from "./run-page.ts";

let release: string;

beforeAll(() => {
  release = mkdtempSync(join(tmpdir(), "isthmus-release-"));
  mkdirSync(join(release, "samples"));
  writeFileSync(join(release, "samples", "text"), "of the release\n");
});
afterAll(() => rmSync(release, { recursive: true, force: true }));

const command = (text: string, ...sample: string[]): PageCommand => ({ line: 1, text, sample });

async function run(commands: readonly PageCommand[], timeoutMs = 10_000) {
  const told: CommandResult[] = [];
  const results = await runPage(commands, {
    environment: { PATH: process.env["PATH"], GIVEN: "from outside" },
    releaseFolder: release,
    onResult: (result) => told.push(result),
    signal: new AbortController().signal,
    timeoutMs,
  });
  expect(told).toEqual(results);
  return results.map(({ exitCode, output }) => ({ exitCode, output }));
}

describe("a page", () => {
  test("runs in one folder of its own, with the release's samples and the given environment", async () => {
    const results = await run([
      command("echo kept > file; cat samples/text"),
      command("cat file"),
      command('echo "$GIVEN"; echo and >&2'),
    ]);
    expect(results).toEqual([
      { exitCode: 0, output: "of the release\n" },
      { exitCode: 0, output: "kept\n" },
      { exitCode: 0, output: "from outside\nand\n" },
    ]);
    expect(readdirSync(release)).toEqual(["samples"]);
  });

  test("answers a prompt with y", async () => {
    expect(await run([command("read -r answer; echo $answer")])).toEqual([{ exitCode: 0, output: "y\n" }]);
  });

  test("stops at the first failure, also of a program in a pipe", async () => {
    expect(await run([command("false | cat"), command("echo never")])).toEqual([{ exitCode: 1, output: "" }]);
  });

  test("looks again until the table it shows is ready, and not for ever", async () => {
    const table = (ready: string) => `printf 'NAME READY STATUS\\na ${ready} Running\\n'`;
    const soon = command(
      `if test -e once; then ${table("2/2")}; else touch once; ${table("1/2")}; fi`,
      "NAME READY STATUS",
    );
    expect((await run([soon]))[0]).toMatchObject({ exitCode: 0, output: expect.stringContaining("2/2") });
    const never = command(table("1/2"), "NAME READY STATUS");
    expect((await run([never], 300))[0]).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("did not become ready"),
    });
  });

  test("a program that hangs is ended", async () => {
    expect((await run([command("sleep 60")], 200))[0]?.exitCode).not.toBe(0);
  });
});

test.each([
  ["NAME READY STATUS\na 2/2 Running 0 5s\nb 1/1 Running", true],
  ["Warning: old\nNAME READY STATUS\na 1/1 Running", true],
  ["NAME READY STATUS\na 1/2 Running", false],
  ["NAME READY STATUS\na 0/1 Completed", false],
  ["NAME READY STATUS\na 1/1 Terminating", false],
  ["NAME READY STATUS", false],
  ["No resources found in sample namespace.", false],
])("%j is ready: %s", (table, expected) => {
  expect(allReady(table)).toBe(expected);
});

test("only a page that shows READY waits for it", () => {
  expect(awaitsReady(command("kubectl get pod", "NAME   READY   STATUS"))).toBe(true);
  expect(awaitsReady(command("kubectl get pod"))).toBe(false);
});
