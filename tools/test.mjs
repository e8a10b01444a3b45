// `npm test`: set-up, every check, every test, and a closing line that counts them: `N passed, N failed`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setUpOrExit } from "./setup.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
await setUpOrExit();
const { CHECK_STEPS, runSteps } = await import("./check.mjs");
// Built once, in minutes that no test's time-out knows; without root the tests that need them cannot run anyway.
const kubernetes = ["programs of a Kubernetes release", process.execPath, ["tools/kubernetes-programs.mjs"]];
const total = runSteps(process.getuid?.() === 0 ? [...CHECK_STEPS, kubernetes] : CHECK_STEPS);

// Likewise what real nodes need. Where it cannot be fetched this says why, and the tests of real nodes are skipped.
if (process.getuid?.() === 0) {
  spawnSync(process.execPath, [join(root, "tools", "image-store.mjs")], { stdio: ["ignore", "ignore", "inherit"] });
}

const folder = mkdtempSync(join(tmpdir(), "isthmus-test-"));
for (const project of ["unit", "golden", "e2e"]) {
  const report = join(folder, `${project}.json`);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const args = [
    vitest,
    "run",
    "--project",
    project,
    "--reporter",
    "default",
    "--reporter",
    "json",
    "--outputFile",
    report,
  ];
  const run = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  const counts = readCounts(report);
  total.passed += counts.passed;
  // A project that broke without a failed test (a file that does not load, an unhandled error) counts as one failure.
  total.failed += run.status === 0 ? counts.failed : Math.max(1, counts.failed);
  total.skipped = (total.skipped ?? 0) + counts.skipped;
}
rmSync(folder, { recursive: true, force: true });

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exit(total.failed === 0 ? 0 : 1);

function readCounts(report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, "utf8"));
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + (numTodoTests ?? 0) };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
