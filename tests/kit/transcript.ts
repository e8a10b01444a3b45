import { existsSync, readFileSync } from "node:fs";
import { expectGolden } from "./golden.ts";

/**
 * Runs a transcript: blocks parted by an empty line, each `command`, `----`, expected output. Lines that begin with #
 * tell the story. `UPDATE_GOLDEN=1` writes the outputs anew.
 */
export function runTranscript(path: string, run: (command: readonly string[]) => string): void {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const blocks = text
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block !== "");
  const ran = blocks.map((block) => {
    const lines = block.split("\n");
    const end = lines.indexOf("----");
    const head = end === -1 ? lines : lines.slice(0, end);
    const commands = head.filter((line) => !line.startsWith("#"));
    if (commands.length === 0) return block;
    const output = commands
      .map((command) => run(command.trim().split(/\s+/)))
      .filter((lineOfOutput) => lineOfOutput !== "")
      .join("\n");
    return [...head, "----", ...(output === "" ? [] : [output])].join("\n");
  });
  expectGolden(path, `${ran.join("\n\n")}\n`);
}
