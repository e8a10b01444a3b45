// One server under the load: filled, listed and watched by all clients, written to at a fixed rate for a fixed time.
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterAccess } from "#kube/kubeconfig";
import { type ProcessCost, processCost } from "./process-cost.ts";
import { type RawClient, rawClient } from "./raw-client.ts";
import { NAMESPACES, nameOf, namespaceOf, service, slice, slicePath, type World } from "./world.ts";

export interface Load extends World {
  readonly clients: number;
  readonly writesPerSecond: number;
  readonly seconds: number;
}

/** Milliseconds by percentile. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Measured {
  readonly readyMs: number;
  readonly idle: ProcessCost;
  readonly fillSeconds: number;
  readonly latencies: Readonly<Record<string, Latency>>;
  readonly writesPerSecond: number;
  /** Memory at the end, processor time of the minute of writes. */
  readonly loaded: ProcessCost;
}

export interface Target {
  readonly name: string;
  readonly access: ClusterAccess;
  readonly readyMs: number;
  readonly pids: readonly number[];
}

const SERVICES = "/api/v1/services";
const SLICES = "/apis/discovery.k8s.io/v1/endpointslices";
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

class Samples {
  readonly #values = new Map<string, number[]>();

  add(name: string, ms: number): void {
    const values = this.#values.get(name) ?? [];
    this.#values.set(name, values);
    values.push(ms);
  }

  latencies(): Record<string, Latency> {
    return Object.fromEntries([...this.#values].map(([name, values]) => [name, latencyOf(values)]));
  }
}

function latencyOf(values: readonly number[]): Latency {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1));
  return { count: sorted.length, p50: at(0.5), p99: at(0.99) };
}

export async function measure(target: Target, load: Load, tell: (text: string) => void): Promise<Measured> {
  const clients = Array.from({ length: load.clients }, () => rawClient(target.access, 4));
  const writer = rawClient(target.access, 32);
  const samples = new Samples();
  try {
    const idle = processCost(target.pids);
    const fillSeconds = await fill(writer, load);
    tell(`${target.name}: filled in ${fillSeconds.toFixed(1)} s`);
    await ask(writer, samples);
    await Promise.all(clients.map((client) => listAndWatch(client, samples)));
    tell(`${target.name}: ${load.clients} clients have listed and watch`);
    const before = processCost(target.pids);
    const writesPerSecond = await write(writer, load, samples);
    const after = processCost(target.pids);
    const loaded = { pssMiB: after.pssMiB, cpuSeconds: after.cpuSeconds - before.cpuSeconds };
    return { readyMs: target.readyMs, idle, fillSeconds, latencies: samples.latencies(), writesPerSecond, loaded };
  } finally {
    for (const client of [...clients, writer]) client.close();
  }
}

async function fill(client: RawClient, load: Load): Promise<number> {
  const began = performance.now();
  for (let index = 0; index < NAMESPACES; index++) {
    await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: namespaceOf(index) } } });
  }
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < load.services; index = next++) {
      const namespace = namespaceOf(index);
      await client.call("POST", `/api/v1/namespaces/${namespace}/services`, { body: service(index) });
      const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
      await client.call("POST", path, { body: slice(index, load) });
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return (performance.now() - began) / 1000;
}

const LONG_QUESTIONS = ["list all services", "list all slices"];

/** What kubectl and control planes ask, one request at a time. */
async function ask(client: RawClient, samples: Samples): Promise<void> {
  const apply = { body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: { a: "b" } } };
  const questions: Readonly<Record<string, () => Promise<{ ms: number }>>> = {
    "get one": () => client.call("GET", slicePath(7)),
    "list a namespace": () => client.call("GET", `/api/v1/namespaces/${namespaceOf(3)}/services`),
    "list a namespace as a table": () =>
      client.call("GET", `/api/v1/namespaces/${namespaceOf(3)}/services?limit=500`, { accept: TABLE }),
    "list 500 of all as a table": () => client.call("GET", `${SERVICES}?limit=500`, { accept: TABLE }),
    "list by a label": () => client.call("GET", `${SLICES}?labelSelector=kubernetes.io%2Fservice-name%3D${nameOf(42)}`),
    "list all services": () => client.call("GET", SERVICES),
    "list all slices": () => client.call("GET", SLICES),
    "server-side apply": () =>
      client.call("PATCH", "/api/v1/namespaces/default/configmaps/c?fieldManager=bench&force=true", {
        ...apply,
        type: "application/apply-patch+yaml",
      }),
  };
  for (const [name, question] of Object.entries(questions)) {
    const rounds = LONG_QUESTIONS.includes(name) ? 20 : 200;
    for (let round = 0; round <= rounds; round++) {
      const { ms } = await question();
      // The first may pay for what the others share.
      if (round > 0) samples.add(name, ms);
    }
  }
}

/** As a control plane begins: everything once, then what changes. */
async function listAndWatch(client: RawClient, samples: Samples): Promise<void> {
  for (const [name, path] of [
    ["services", SERVICES],
    ["slices", SLICES],
  ] as const) {
    const { ms } = await client.call("GET", path);
    samples.add(`all clients list ${name} at once`, ms);
    await client.watch(
      `${path}?watch=true&resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`,
      (line) => {
        const at = line.indexOf('"sent":"');
        const stamp = at < 0 ? 0 : Number.parseFloat(line.toString("latin1", at + 8, at + 32));
        if (stamp > 0) samples.add("from a write to each watcher", performance.now() - stamp);
      },
    );
  }
}

/** Writes per second that were acknowledged. */
async function write(client: RawClient, load: Load, samples: Samples): Promise<number> {
  const total = load.writesPerSecond * load.seconds;
  const began = performance.now();
  const running: Promise<void>[] = [];
  for (let serial = 0; serial < total; serial++) {
    const due = began + (serial * 1000) / load.writesPerSecond;
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    const index = (serial * 7919) % load.services;
    running.push(
      client
        .call("PUT", slicePath(index), { body: slice(index, load, performance.now().toFixed(2)) })
        .then(({ ms }) => samples.add("write", ms)),
    );
  }
  await Promise.all(running);
  const seconds = (performance.now() - began) / 1000;
  await sleep(500);
  return total / seconds;
}
