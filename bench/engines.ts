// Both engines in one run, turn by turn: how long until the playground is ready and until the guide is done, and what the
// control planes and everything together hold. Prints a table in Markdown.
// `npm run bench:engines -- --help` tells how to run it.
import { cpus } from "node:os";
import { numberOf, readFlags } from "../tools/read-flags.mjs";
import { GUIDE, measureGuide, median, type ProgramMemory, type Run } from "./measure-guide.ts";

const HELP = `npm run bench:engines -- [flags]

Boots a playground and walks through the guide on our control planes and on those of Kubernetes, turn by turn, and prints
a table of times and memory. Set-up must be done, and Kubernetes' programs must be there: npm run kubernetes.

      --runs N    how often each; medians are printed (default 3)
      --kubelet   real kubelets too
  -h, --help      this text

Example: npm run bench:engines -- --runs 5 --kubelet
`;

const flags = readFlags({
  name: "bench:engines",
  help: HELP,
  options: { runs: { type: "string", default: "3" }, kubelet: { type: "boolean", default: false } },
  convert: ({ values: { runs, kubelet } }) => ({ runs: numberOf("--runs", runs), kubelet }),
});

interface Kind {
  readonly title: string;
  readonly flags: readonly string[];
}

const KINDS: readonly Kind[] = [
  { title: "embedded", flags: [] },
  { title: "kubernetes, nodes isthmus", flags: ["--engine", "kubernetes"] },
  ...(flags.kubelet
    ? [{ title: "kubernetes, nodes kubelet", flags: ["--engine", "kubernetes", "--nodes", "kubelet"] }]
    : []),
];

/** Who serves the API and runs controllers and scheduler, on either engine. */
const CONTROL_PLANE =
  /^(etcd|kube-apiserver|kube-controller-manager|kube-scheduler|playground-cluster\.cjs|playground-kubernetes\.cjs)$/;

const sumOf = (memory: readonly ProgramMemory[], programs = /./) =>
  memory.filter(({ program }) => programs.test(program)).reduce((sum, { pssMiB }) => sum + pssMiB, 0);
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const mebibytes = (value: number) => `${Math.round(value)} MiB`;

interface Row {
  readonly title: string;
  readonly of: (run: Run) => number;
  readonly show: (value: number) => string;
}

const upMs = (run: Run) => run.phases[0]?.ms ?? 0;
const ROWS: readonly Row[] = [
  { title: "ready: two clusters (`playground up`)", of: upMs, show: seconds },
  { title: "the guide, from ready to both versions", of: (run) => run.totalMs - upMs(run), show: seconds },
  { title: "together", of: (run) => run.totalMs, show: seconds },
  { title: "control planes when ready, PSS", of: (run) => sumOf(run.memoryWhenReady, CONTROL_PLANE), show: mebibytes },
  { title: "control planes after the guide, PSS", of: (run) => sumOf(run.memory, CONTROL_PLANE), show: mebibytes },
  { title: "everything after the guide, PSS", of: (run) => sumOf(run.memory), show: mebibytes },
];

const runs = new Map<string, Run[]>(KINDS.map(({ title }) => [title, []]));
const kindsByTurn = Array.from({ length: flags.runs }, () => KINDS).flat();
for (const { title, flags } of kindsByTurn) {
  process.stderr.write(`${title} ...\n`);
  runs.get(title)?.push(await measureGuide({ page: GUIDE, flags }));
}

const line = (cells: readonly string[]) => process.stdout.write(`| ${cells.join(" | ")} |\n`);
process.stdout.write(
  `Medians of ${flags.runs} runs, turn by turn, on ${cpus().length} x ${cpus()[0]?.model ?? "?"}, Node ${process.version}\n\n`,
);
line(["", ...KINDS.map(({ title }) => title)]);
line(["---", ...KINDS.map(() => "---")]);
for (const { title, of, show } of ROWS) {
  line([title, ...KINDS.map((kind) => show(median((runs.get(kind.title) ?? []).map(of))))]);
}
