// `npm test`: set-up, every check, every test, and a closing line that counts them: `N passed, N failed`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFlags } from "./read-flags.mjs";
import { setUpOrExit } from "./setup.mjs";
import { canAskAgain, resultOf, withSecondTry } from "./test-results.mjs";

const HELP = `npm test

Sets up what is missing, runs every check and every test, and ends with a line that counts them: "N passed, N failed".
As root also the end-to-end tests of networks; programs of a Kubernetes release are built once, in minutes.

  -h, --help   this text

Example, a part alone: npm run unit -- src/xds
Exit code 0: everything passed, 1: something did not, 2: wrong usage.
`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
readFlags({ name: "test", help: HELP });
/** Seconds by part of the run, in order. */
const times = [];
await timed("set-up", setUpOrExit);
const { CHECK_STEPS, runSteps } = await import("./check.mjs");
const total = timed("checks", () => runSteps(CHECK_STEPS));
if (process.getuid?.() === 0) {
  // Built once, in minutes that no test's time-out knows; without root the tests that need them cannot run anyway.
  const built = timed("programs of a Kubernetes release", () => runTool("kubernetes-programs.mjs", "inherit"));
  count(built ? 1 : 0, built ? 0 : 1, 0);
  // Likewise what real nodes need. Where it cannot be fetched this says why, and the tests of real nodes are skipped.
  timed("images in the stores of real nodes", () => runTool("image-store.mjs", "ignore"));
}

const folder = mkdtempSync(join(tmpdir(), "isthmus-test-"));
const unsteady = [];
for (const project of ["unit", "golden", "e2e"]) {
  let result = timed(project, () => runTests(project, []));
  if (project === "e2e" && canAskAgain(result)) {
    process.stdout.write(`\nAsked a second time: ${result.failedFiles.join(", ")}\n`);
    const second = timed("second try", () => runTests(project, result.failedFiles));
    result = withSecondTry(result, second);
  }
  count(result.passed, result.failed, result.skipped);
  unsteady.push(...(result.unsteady ?? []));
}
rmSync(folder, { recursive: true, force: true });

for (const file of unsteady) {
  process.stdout.write(
    `\nunsteady: ${file} failed, and passed when it was asked again: a bug of the test or of the program\n`,
  );
}
process.stdout.write(`\ntimes: ${times.join(", ")}\n`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exit(total.failed === 0 ? 0 : 1);

function timed(name, run) {
  const start = Date.now();
  const done = () => times.push(`${name} ${((Date.now() - start) / 1000).toFixed(0)} s`);
  const result = run();
  if (result instanceof Promise) return result.finally(done);
  done();
  return result;
}

/** True when it ended well. */
function runTool(name, output) {
  const stdio = ["ignore", output, "inherit"];
  return spawnSync(process.execPath, [join(root, "tools", name)], { cwd: root, stdio }).status === 0;
}

function count(passed, failed, skipped) {
  total.passed += passed;
  total.failed += failed;
  total.skipped = (total.skipped ?? 0) + skipped;
}

/** Runs a project, or only these files of it, and shows what it prints. */
function runTests(project, files) {
  const report = join(folder, `${project}${files.length > 0 ? "-again" : ""}.json`);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter", "default", "--reporter", "json", "--outputFile", report];
  const args = [vitest, "run", "--project", project, ...reporters, ...files];
  const run = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return resultOf(readReport(report), { root, ended: run.status });
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
