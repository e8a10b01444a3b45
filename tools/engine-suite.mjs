#!/usr/bin/env node
// Runs the end-to-end tests that boot a playground on the programs of a Kubernetes release, one file after the other, with
// our node runtime or with real kubelets, and keeps what came of each file until it is run again.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { oneOf, readFlags } from "./read-flags.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const HELP = `Runs the end-to-end tests that boot a playground on the engine kubernetes.

  node tools/engine-suite.mjs --nodes isthmus                     all of them with our node runtime
  node tools/engine-suite.mjs --nodes kubelet tests/e2e/guide     those of a folder with real kubelets
  node tools/engine-suite.mjs --write-docs                        what the last runs came to, into the docs

  --nodes isthmus|kubelet   who runs the pods
  -o table|json             how results are printed (default: table)
  --write-docs              writes docs/kubernetes-compatibility.md; runs nothing without --nodes
  -h, --help                this text

Exit code 0: every test passed, 1: one did not, 2: wrong usage.
`;
const NODES = ["isthmus", "kubelet"];
/** Words of a file that boots a playground, itself or by the test kit. */
const BOOTS = /bootPlayground|mesh-under-load|guided-mesh/;
/** These choose engine and nodes themselves, or need none. */
const OWN_CHOICE = /\/kubernetes\/|real-lifecycle/;
const FILE_TIMEOUT_MS = 900_000;
const DOCUMENT = join(root, "docs", "kubernetes-compatibility.md");
const MARKS = ["<!-- suite: written by tools/engine-suite.mjs -->", "<!-- suite: end -->"];

const { values, positionals } = readArguments();
const store = join(root, ".cache", "engine-suite.json");
const results = existsSync(store) ? JSON.parse(readFileSync(store, "utf8")) : {};
if (values.nodes !== undefined) for (const file of testFiles(positionals)) runFile(values.nodes, file);
if (values["write-docs"]) writeSection();
print();
const states = Object.values(results).flatMap((files) => Object.values(files).flatMap(({ tests }) => tests));
process.exitCode = states.every(({ status }) => status !== "failed") ? 0 : 1;

function readArguments() {
  return readFlags({
    name: "engine-suite",
    help: HELP,
    positionals: true,
    options: {
      nodes: { type: "string" },
      output: { type: "string", short: "o", default: "table" },
      "write-docs": { type: "boolean" },
    },
    convert(read) {
      const { nodes, output } = read.values;
      if (nodes !== undefined) oneOf("--nodes", nodes, NODES);
      oneOf("-o", output, ["table", "json"]);
      if (nodes === undefined && !read.values["write-docs"]) throw new Error("--nodes or --write-docs is needed");
      return read;
    },
  });
}

function testFiles(wanted) {
  const top = join(root, "tests", "e2e");
  const all = readdirSync(top, { recursive: true })
    .map((name) => join("tests", "e2e", name))
    .filter((file) => file.endsWith(".test.ts") && !OWN_CHOICE.test(file))
    .filter((file) => BOOTS.test(readFileSync(join(root, file), "utf8")));
  const chosen =
    wanted.length === 0
      ? all
      : all.filter((file) => wanted.some((part) => file.startsWith(relative(root, part) || part)));
  if (chosen.length === 0) {
    process.stderr.write(`engine-suite: no test that boots a playground in ${wanted.join(", ")}\n`);
    process.exit(2);
  }
  return chosen.sort();
}

function runFile(nodes, file) {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-suite-"));
  const report = join(folder, "report.json");
  const args = ["run", "--project", "e2e", file, "--reporter=json", `--outputFile=${report}`];
  const began = performance.now();
  spawnSync(process.execPath, [join(root, "node_modules", "vitest", "vitest.mjs"), ...args], {
    cwd: root,
    env: { ...process.env, ISTHMUS_ENGINE: "kubernetes", ISTHMUS_NODES: nodes },
    stdio: ["ignore", "ignore", "ignore"],
    timeout: FILE_TIMEOUT_MS,
  });
  const tests = existsSync(report) ? readReport(report) : [{ name: file, status: "failed", why: "no report" }];
  rmSync(folder, { recursive: true, force: true });
  results[nodes] = { ...results[nodes], [file]: { seconds: Math.round((performance.now() - began) / 1000), tests } };
  mkdirSync(dirname(store), { recursive: true });
  writeFileSync(store, `${JSON.stringify(results, undefined, 1)}\n`);
  process.stderr.write(`${nodes}: ${file}: ${summary(results[nodes][file])}\n`);
}

function readReport(report) {
  const { testResults } = JSON.parse(readFileSync(report, "utf8"));
  return testResults.flatMap(({ name, status, message = "", assertionResults }) => {
    const tests = assertionResults.map((test) => ({
      name: test.fullName,
      status: test.status,
      why: test.failureMessages.join("\n"),
    }));
    if (status !== "failed") return tests.length > 0 ? tests : [{ name: basename(name), status: "skipped", why: "" }];
    if (tests.some((test) => test.status === "failed")) return tests;
    // Of a file that fails before its first test, as when no playground comes up, all tests are told as skipped.
    return [...tests, { name: basename(name), status, why: message || "before its first test" }];
  });
}

function summary(result) {
  return `${counts(result)} (${result.seconds} s)`;
}

function counts({ tests }) {
  const count = (status) => tests.filter((test) => test.status === status).length;
  const [passed, failed] = [count("passed"), count("failed")];
  const skipped = tests.length - passed - failed;
  const [run, apart] = [`${passed} of ${tests.length - skipped} pass`, `${skipped} skipped`];
  if (passed + failed === 0) return "skipped";
  return skipped > 0 ? `${run}, ${apart}` : run;
}

function print() {
  if (values.output === "json") return process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
  for (const [nodes, files] of Object.entries(results)) {
    for (const [file, result] of Object.entries(files)) process.stdout.write(`${nodes}  ${file}  ${summary(result)}\n`);
  }
}

function writeSection() {
  const files = testFiles([]);
  const cell = (nodes, file) => (results[nodes]?.[file] ? counts(results[nodes][file]) : "not run");
  const rows = files.map((file) => `| \`${file}\` | ${NODES.map((nodes) => cell(nodes, file)).join(" | ")} |`);
  const failed = NODES.flatMap((nodes) =>
    Object.values(results[nodes] ?? {}).flatMap(({ tests }) =>
      tests.filter(({ status }) => status === "failed").map(({ name }) => `- \`--nodes ${nodes}\`: ${name}`),
    ),
  );
  const body = `## The end-to-end tests on real programs

Every test that boots a playground, on the programs of Kubernetes 1.35.4 (\`--engine kubernetes\`): with our node runtime, and
with its kubelet, containerd and kube-proxy. \`node tools/engine-suite.mjs --nodes kubelet\` runs them one file at a time;
\`--write-docs\` writes this table. On the embedded engine the same tests are part of \`npm test\`. Skipped are: Istio's own page
where it is not at hand; on real nodes what needs tar or ps in a container, which no image of \`npm run images\` has, and what
was written before a client attached, which a kubelet does not show.

| tests | \`--nodes isthmus\` | \`--nodes kubelet\` |
|---|---|---|
${rows.join("\n")}
${failed.length === 0 ? "" : `\nNot passed:\n\n${failed.join("\n")}\n`}`;
  const [begin, end] = MARKS;
  const document = readFileSync(DOCUMENT, "utf8");
  const section = `${begin}\n${body.trimEnd()}\n${end}`;
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  const next =
    from < 0
      ? `${document.trimEnd()}\n\n${section}\n`
      : document.slice(0, from) + section + document.slice(to + end.length);
  writeFileSync(DOCUMENT, next);
}
