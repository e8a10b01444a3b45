import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { confirm } from "./prompt.ts";

/** Asks with standard input in chunks. */
async function ask(chunks: readonly string[]): Promise<{ answer: boolean; printed: string }> {
  const stdout = new PassThrough();
  const printed = text(stdout);
  const stdin = Readable.from(chunks, { objectMode: false });
  const answer = await confirm("Proceed?", { stdin, stdout, stderr: new PassThrough(), environment: {} });
  stdout.end();
  return { answer, printed: await printed };
}

describe("confirm", () => {
  test.each([
    ["y", ["y\n"], true],
    ["Y", ["Y\n"], true],
    ["yes", ["yes\n"], true],
    ["YES with blanks", ["  YES \r\n"], true],
    ["y without end of line", ["y"], true],
    ["y in pieces", ["y", "e", "s\nmore\n"], true],
    ["n", ["n\n"], false],
    ["No", ["No\n"], false],
    ["an empty line", ["\n"], false],
    ["end of input", [], false],
    ["garbage, then the end", ["maybe\n"], false],
    ["garbage, then y", ["maybe\nyep\ny\n"], true],
    ["n, then y", ["n\ny\n"], false],
  ])("%s", async (_, chunks, answer) => {
    expect((await ask(chunks)).answer).toBe(answer);
  });

  test("says what it wants, and ends the line that a person did not end", async () => {
    expect((await ask(["what\n", "y\n"])).printed).toBe("Proceed? (y/N) Please answer y or n. Proceed? (y/N) \n");
    expect((await ask([])).printed).toBe("Proceed? (y/N) \n");
  });
});
