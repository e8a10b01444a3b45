// What the build has compiled beforehand: taken where it fits, and never needed.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const TOOLS = join(import.meta.dirname, "../../tools/build");
const PROGRAM = `
const { word } = require("./chunks/word.cjs");
console.log(JSON.stringify({ said: word(), args: process.argv.slice(2), home: __dirname }));
module.exports.later = () => require("./chunks/later.cjs");
`;

describe("code compiled beforehand", () => {
  let build: string;

  beforeEach(() => {
    build = mkdtempSync(join(tmpdir(), "isthmus-build-"));
    mkdirSync(join(build, "bin"));
    mkdirSync(join(build, "programs", "chunks"), { recursive: true });
    copyFileSync(join(TOOLS, "load-program.cjs"), join(build, "bin", "load-program.cjs"));
    writeFileSync(join(build, "programs", "speak.cjs"), PROGRAM);
    writeFileSync(join(build, "programs", "chunks", "word.cjs"), "exports.word = () => `hello`;");
    writeFileSync(join(build, "programs", "chunks", "later.cjs"), "exports.later = true;");
    // Tells on standard error which files took their cache.
    writeFileSync(
      join(build, "bin", "speak.cjs"),
      `require("./load-program.cjs").loadProgram("speak", (file, script) =>
        console.error(require("node:path").basename(file), script.cachedDataRejected));`,
    );
  });
  afterEach(() => rmSync(build, { recursive: true, force: true }));

  const run = (...command: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
    return { status, said: stdout === "" ? undefined : JSON.parse(stdout), caches: stderr.trim().split("\n") };
  };
  const write = (...flags: string[]) => run(...flags, join(TOOLS, "write-code-cache.cjs"), build, "speak", "--help");
  const speak = (...flags: string[]) => run(...flags, join(build, "bin", "speak.cjs"), "now");
  const answer = () => ({ said: "hello", args: ["now"], home: join(build, "programs") });

  test("a program runs without it", () => {
    expect(speak()).toEqual({ status: 0, said: answer(), caches: ["speak.cjs undefined", "word.cjs undefined"] });
  });

  test("a program takes it for itself and its chunks", () => {
    expect(write().status).toBe(0);
    expect(speak()).toEqual({ status: 0, said: answer(), caches: ["speak.cjs false", "word.cjs false"] });
  });

  test("chunks that are loaded later have theirs too", () => {
    write();
    const [folder = ""] = readdirSync(join(build, "code-cache"));
    expect(existsSync(join(build, "code-cache", folder, "chunks", "later.cjs"))).toBe(true);
  });

  test("a damaged one is left alone, wherever it is damaged", () => {
    write();
    const [folder = ""] = readdirSync(join(build, "code-cache"));
    const file = join(build, "code-cache", folder, "chunks", "word.cjs");
    const whole = readFileSync(file);
    const flipped = (at: number) => whole.map((byte, index) => (index === at ? byte ^ 1 : byte));
    // V8 dies of the first of these, and does not notice the second.
    const places = [28, Math.floor(whole.length / 2), whole.length - 1];
    for (const damaged of [...places.map(flipped), whole.subarray(0, 100), Buffer.alloc(0)]) {
      writeFileSync(file, damaged);
      expect(speak()).toEqual({ status: 0, said: answer(), caches: ["speak.cjs false", "word.cjs undefined"] });
    }
  });

  test("a program that starts with other flags of V8 does without", () => {
    write();
    const other = speak("--max-semi-space-size=1");
    expect(other).toEqual({ status: 0, said: answer(), caches: ["speak.cjs undefined", "word.cjs undefined"] });
    write("--max-semi-space-size=1");
    expect(speak("--max-semi-space-size=1").caches).toEqual(["speak.cjs false", "word.cjs false"]);
  });
});
