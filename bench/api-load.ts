// The embedded API server and the real one under the same load, one after the other in one run.
// Run with: npm run bench:api -- [--services 10000 --endpoints 100000 --clients 20 --writes 200 --seconds 60 --json]
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { parseKubeConfig } from "#kube/kubeconfig";
import { startApiServerProcess } from "../tests/kit/api-server-process.ts";
import { startRealApiServer } from "../tests/kit/real-api-server.ts";
import { type Load, type Measured, measure } from "./api-load/measure.ts";

const { values } = parseArgs({
  options: {
    services: { type: "string", default: "10000" },
    endpoints: { type: "string", default: "100000" },
    clients: { type: "string", default: "20" },
    writes: { type: "string", default: "200" },
    seconds: { type: "string", default: "60" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const load: Load = {
  services: Number(values.services),
  endpoints: Number(values.endpoints),
  clients: Number(values.clients),
  writesPerSecond: Number(values.writes),
  seconds: Number(values.seconds),
};
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
  ...(values.only === "real" ? {} : { embedded: await embedded() }),
  ...(values.only === "embedded" ? {} : { real: await real() }),
};
if (values.json || values.only !== undefined) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
else if (results.embedded !== undefined && results.real !== undefined) printTable(results.embedded, results.real);
