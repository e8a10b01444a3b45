// `npm run check`: everything that needs no root and no network, in the order of what fails soonest. All steps run, so
// that one look shows all that is wrong; the exit code is 1 if any failed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFlags } from "./read-flags.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, "node_modules", ".bin", name);

export const CHECK_STEPS = [
  ["format", bin("biome"), ["format", "."]],
  ["lint", bin("biome"), ["lint", "--error-on-warnings", "."]],
  ["types", bin("tsc"), ["--noEmit"]],
  ["rooms", process.execPath, ["tools/check-rooms.mjs"]],
  ["unused code", bin("knip"), []],
];

/** How many comments may silence a lint rule; this number only falls. */
const MAX_SILENCED = 0;
const SILENCER = ["biome", "ignore"].join("-");

/** Counts the comments that silence a rule in the files git tracks; prints the count, gives whether it is allowed. */
export function countSilenced() {
  const files = spawnSync("git", ["ls-files", "-z", "*.ts", "*.mjs", "*.js"], { cwd: root, encoding: "utf8" }).stdout;
  const read = (file) => {
    try {
      return readFileSync(join(root, file), "utf8");
    } catch {
      return ""; // deleted and not committed yet
    }
  };
  const count = files.split("\0").reduce((sum, file) => sum + (read(file).split(SILENCER).length - 1), 0);
  const ok = count <= MAX_SILENCED;
  process.stdout.write(`${ok ? "✔" : "✘"} ${count} ${SILENCER} comments, at most ${MAX_SILENCED} allowed\n`);
  return ok;
}

/** Runs the steps; gives how many passed and failed. */
export function runSteps(steps) {
  let failed = 0;
  for (const [name, program, args] of steps) {
    const start = Date.now();
    const run = spawnSync(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    const ok = run.status === 0;
    if (!ok) failed += 1;
    process.stdout.write(`${ok ? "✔" : "✘"} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
  }
  if (!countSilenced()) failed += 1;
  return { passed: steps.length + 1 - failed, failed };
}

const HELP = `npm run check

Format, lint, types, import rules, unused code, unit and golden tests: what needs neither root nor a network. All of it runs,
whatever fails.

  -h, --help   this text

Example, a part alone: npm run types
Exit code 0: everything passed, 1: something did not, 2: wrong usage.
`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  readFlags({ name: "check", help: HELP });
  const tests = ["unit and golden", bin("vitest"), ["run", "--project", "unit", "--project", "golden"]];
  const { passed, failed } = runSteps([...CHECK_STEPS, tests]);
  process.stdout.write(`check: ${passed} passed, ${failed} failed\n`);
  process.exit(failed === 0 ? 0 : 1);
}
