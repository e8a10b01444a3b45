// What a run of tests came to, from vitest's JSON report, and what a second try of its failed files changes in that.
import { relative } from "node:path";

/** More files than this failing at once is no chance of the machine's. */
const MOST_ASKED_AGAIN = 4;

/** Counts of a report; one failure when there is none that can be read. `ended` is the exit status of the run. */
export function resultOf(report, { root, ended }) {
  const result = report === undefined ? { ...NOTHING, failed: 1 } : countReport(report, root);
  // A project that broke without a failed test (a file that does not load, an unhandled error) counts as one failure.
  return { ...result, failed: ended === 0 ? result.failed : Math.max(1, result.failed) };
}

const NOTHING = { passed: 0, failed: 0, skipped: 0, failedFiles: [], ofFailedFiles: { passed: 0, skipped: 0 } };

function countReport({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }, root) {
  const failed = testResults.filter(({ status }) => status === "failed");
  const ofStatus = (...wanted) =>
    failed.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => wanted.includes(status)).length;
  return {
    passed: numPassedTests,
    failed: numFailedTests,
    skipped: numPendingTests + (numTodoTests ?? 0),
    failedFiles: failed.map(({ name }) => relative(root, name)),
    ofFailedFiles: { passed: ofStatus("passed"), skipped: ofStatus("pending", "skipped", "todo") },
  };
}

/** Whether asking the failed files of this result again can tell anything. */
export function canAskAgain({ failed, failedFiles }) {
  return failed > 0 && failedFiles.length > 0 && failedFiles.length <= MOST_ASKED_AGAIN;
}

/** The counts of both together: what failed at first and passed then has passed; one that fails twice stays as it was. */
export function withSecondTry(first, second) {
  if (second.failed > 0) return first;
  // What these files passed and skipped at first is in both answers.
  return {
    ...first,
    passed: first.passed + second.passed - first.ofFailedFiles.passed,
    failed: 0,
    skipped: first.skipped + second.skipped - first.ofFailedFiles.skipped,
    unsteady: first.failedFiles,
  };
}
