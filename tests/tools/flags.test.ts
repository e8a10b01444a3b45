// Every script of package.json that takes flags: what it does is told with an example, a mistake in one sentence.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };
/** What `npm start` hands on belongs to `isthmus start`. */
const own = Object.entries(scripts).filter(([name, command]) => command.startsWith("node ") && name !== "start");
const more = ["engine-suite", "container-tools", "image-store"].map(
  (name) => [name, `node tools/${name}.mjs`] as const,
);

const MINUTE = 60_000;
const run = (command: string, flag: string) => {
  const [, ...args] = command.split(" ");
  return spawnSync(process.execPath, [...args, flag], { cwd: ROOT, encoding: "utf8", timeout: MINUTE });
};

describe.each([...own, ...more])("%s", (name, command) => {
  test(
    "--help says what it does",
    () => {
      const { status, stdout, stderr } = run(command, "--help");
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/Example|node tools\//);
      expect(stdout).toContain("--help");
    },
    MINUTE,
  );

  // Those that are compiled on the way read their flags by the same function.
  test.skipIf(command.includes("tsx"))(
    "an unknown flag is told in a sentence",
    () => {
      expect(run(command, "--nosuch")).toMatchObject({
        status: 2,
        stdout: "",
        stderr: `${name}: unknown option '--nosuch'; --help says more\n`,
      });
    },
    MINUTE,
  );
});
