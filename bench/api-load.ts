// npm run bench:api: the embedded API server and the real one under the same load, one after the other in one run.
import { cpus } from "node:os";
import { parseKubeConfig } from "#kube/kubeconfig";
import { startApiServerProcess } from "../tests/kit/api-server-process.ts";
import { startRealApiServer } from "../tests/kit/real-api-server.ts";
import { numberOf, oneOf, readFlags } from "../tools/read-flags.mjs";
import { type Load, type Measured, measure } from "./api-load/measure.ts";

const HELP = `npm run bench:api -- [flags]

Fills the embedded API server and a real one, lists and watches with many clients, writes at a fixed rate, and prints a
table of times and memory. The programs must be there: npm run kubernetes.

      --services N             default 10000
      --endpoints N            of all services together (default 100000)
      --clients N              that list and watch at once (default 20)
      --writes N               a second (default 200)
      --seconds N              of writes (default 60)
      --only embedded|real     one of them alone, as JSON
      --json                   prints the result as JSON
  -h, --help                   this text

Example: npm run bench:api -- --services 1000 --endpoints 10000 --seconds 20
`;

const { load, only, json } = readFlags({
  name: "bench:api",
  help: HELP,
  options: {
    services: { type: "string", default: "10000" },
    endpoints: { type: "string", default: "100000" },
    clients: { type: "string", default: "20" },
    writes: { type: "string", default: "200" },
    seconds: { type: "string", default: "60" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
  convert({ values: { only, json, ...amounts } }) {
    const load: Load = {
      services: numberOf("--services", amounts.services),
      endpoints: numberOf("--endpoints", amounts.endpoints),
      clients: numberOf("--clients", amounts.clients),
      writesPerSecond: numberOf("--writes", amounts.writes),
      seconds: numberOf("--seconds", amounts.seconds),
    };
    return { load, only: only === undefined ? undefined : oneOf("--only", only, ["embedded", "real"]), json };
  },
});
const tell = (text: string) => process.stderr.write(`${text}\n`);

async function embedded(): Promise<Measured> {
  const server = await startApiServerProcess("bench");
  try {
    await server.kill();
    const readyMs = await server.start();
    const access = parseKubeConfig(server.kubeconfig);
    const measured = await measure({ name: "embedded", access, readyMs, pids: [server.pid] }, load, tell);
    await server.kill();
    tell(`embedded: ready again with all objects in ${Math.round(await server.start())} ms`);
    return measured;
  } finally {
    await server.stop();
  }
}

async function real(): Promise<Measured> {
  const began = performance.now();
  const server = await startRealApiServer({
    name: "bench",
    controllerManager: true,
    scheduler: true,
    serviceCIDR: "10.96.0.0/12",
  });
  try {
    const target = {
      name: "real",
      access: server.access,
      readyMs: performance.now() - began,
      pids: Object.values(server.pids),
    };
    return await measure(target, load, tell);
  } finally {
    await server.stop();
  }
}

function printTable(own: Measured, theirs: Measured): void {
  const row = (name: string, a: number, b: number, digits = 1) =>
    `| ${name} | ${a.toFixed(digits)} | ${b.toFixed(digits)} | ${(a / b).toFixed(2)} |`;
  const lines = [
    `${load.services} services, ${load.endpoints} endpoints, ${load.clients} clients, ${load.writesPerSecond} writes/s for ${load.seconds} s; ${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.versions.node}`,
    "",
    "| what | embedded | real | ratio |",
    "|---|---|---|---|",
    row("ready, ms", own.readyMs, theirs.readyMs, 0),
    row("PSS when idle, MiB", own.idle.pssMiB, theirs.idle.pssMiB, 0),
    row("filling, s", own.fillSeconds, theirs.fillSeconds),
    ...Object.entries(own.latencies).flatMap(([name, latency]) => {
      const other = theirs.latencies[name];
      if (other === undefined) return [];
      return [row(`${name}, p50 ms`, latency.p50, other.p50), row(`${name}, p99 ms`, latency.p99, other.p99)];
    }),
    row("writes per second", own.writesPerSecond, theirs.writesPerSecond),
    row("processor time of the writes, s", own.loaded.cpuSeconds, theirs.loaded.cpuSeconds),
    row("PSS under load, MiB", own.loaded.pssMiB, theirs.loaded.pssMiB, 0),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

const results = {
  ...(only === "real" ? {} : { embedded: await embedded() }),
  ...(only === "embedded" ? {} : { real: await real() }),
};
if (json || only !== undefined) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
else if (results.embedded !== undefined && results.real !== undefined) printTable(results.embedded, results.real);
