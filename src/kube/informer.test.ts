// The informer against the playground's real API server, with a TCP relay between them that cuts when told to; and
// against a server of scripted answers, where a failure must come at an exact moment.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Kinds } from "#api/kinds";
import type { KubeObject } from "#api/kubernetes/object";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import { startTestCluster, type TestCluster } from "../../tests/kit/test-cluster.ts";
import { createKubeClient } from "./create-kube-client.ts";
import { type Informer, type InformerChange, type InformerOptions, startInformer } from "./informer.ts";
import { type KubeClient, KubeError, type WatchEvent } from "./kube-client.ts";
import { parseKubeConfig } from "./kubeconfig.ts";

type ConfigMap = KubeObject & { readonly data?: Record<string, string>; readonly [field: string]: unknown };

let cluster: TestCluster;
let relay: Server;
let through: KubeClient;
const sockets = new Set<Socket>();

/** Every connection between the informers and the server breaks, as when a network goes away. */
function cut(): void {
  for (const socket of sockets) socket.destroy();
}

beforeAll(async () => {
  cluster = await startTestCluster("informer");
  const port = Number(new URL(cluster.url).port);
  relay = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const server = `https://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  through = createKubeClient({ ...parseKubeConfig(cluster.kubeconfig), server });
});

afterAll(async () => {
  await through.close();
  cut();
  relay.close();
  await cluster.stop();
});

interface Watched {
  readonly informer: Informer<ConfigMap>;
  readonly changes: InformerChange<ConfigMap>[];
  stop(): void;
}

function watch(options: Partial<InformerOptions<ConfigMap>> = {}): Watched {
  const stop = new AbortController();
  const changes: InformerChange<ConfigMap>[] = [];
  const informer = startInformer<ConfigMap>({
    client: through,
    type: Kinds.ConfigMap,
    logger: silentLogger(),
    signal: stop.signal,
    onChange: (change) => changes.push(change),
    ...options,
  });
  return { informer, changes, stop: () => stop.abort() };
}

async function inNamespace(name: string): Promise<string> {
  await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return name;
}

const configMap = (namespace: string, name: string, value = "0", labels: Record<string, string> = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace, name, labels },
  data: { value },
});

const told = (changes: readonly InformerChange<ConfigMap>[]) =>
  changes.map(({ type, object }) => `${type} ${object.metadata?.name} ${object.data?.["value"]}`);

const within = (reason: string) => ({ reason, timeoutMs: 30_000, intervalMs: 5 });

describe("an informer", () => {
  test("lists what is there, then tells each change with what was before", async () => {
    const namespace = await inNamespace("changes");
    await cluster.apply(configMap(namespace, "a"));
    const { informer, changes, stop } = watch({ namespace });
    await informer.synced;
    expect(informer.hasSynced()).toBe(true);
    expect(told(changes)).toEqual(["ADDED a 0"]);
    await cluster.apply(configMap(namespace, "b"));
    await cluster.client.patch(Kinds.ConfigMap, { namespace, name: "a" }, { data: { value: "1" } }, { type: "merge" });
    await cluster.client.delete(Kinds.ConfigMap, { namespace, name: "b" });
    await until(() => changes.length === 4, within("all changes came"));
    expect(told(changes)).toEqual(["ADDED a 0", "ADDED b 0", "MODIFIED a 1", "DELETED b 0"]);
    expect(changes[2]?.old?.data).toEqual({ value: "0" });
    expect(informer.get(namespace, "a")?.data).toEqual({ value: "1" });
    expect(informer.get(namespace, "b")).toBeUndefined();
    stop();
  });

  test("sees an object come and go as its labels begin and cease to match", async () => {
    const namespace = await inNamespace("labels");
    await cluster.apply(configMap(namespace, "a"), configMap(namespace, "b", "0", { app: "x" }));
    const { informer, changes, stop } = watch({ namespace, labelSelector: "app=x" });
    await informer.synced;
    const relabel = (name: string, app: string | null) =>
      cluster.client.patch(Kinds.ConfigMap, { namespace, name }, { metadata: { labels: { app } } }, { type: "merge" });
    await relabel("a", "x");
    await relabel("b", null);
    await until(() => changes.length === 3, within("both changes came"));
    expect(told(changes)).toEqual(["ADDED b 0", "ADDED a 0", "DELETED b 0"]);
    stop();
  });

  test("keeps only the projection of an object", async () => {
    const namespace = await inNamespace("projection");
    await cluster.apply(configMap(namespace, "a", "secret"));
    const { informer, changes, stop } = watch({ namespace, project: ({ metadata = {} }) => ({ metadata }) });
    await informer.synced;
    await cluster.client.delete(Kinds.ConfigMap, { namespace, name: "a" });
    await until(() => changes.length === 2, within("the deletion came"));
    expect(changes.map(({ object, old }) => [object.data, old?.data])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
    stop();
  });

  test("goes on where a broken connection stopped, and reports it broken and mended", async () => {
    const namespace = await inNamespace("breaks");
    const health: (string | undefined)[] = [];
    const { informer, changes, stop } = watch({ namespace, onHealth: (problem) => health.push(problem?.reason) });
    await informer.synced;
    await cluster.apply(configMap(namespace, "a"));
    await until(() => changes.length === 1, within("a came"));
    cut();
    await cluster.apply(configMap(namespace, "b"));
    await until(() => changes.length === 2, within("b came after the break"));
    expect(told(changes)).toEqual(["ADDED a 0", "ADDED b 0"]);
    expect([health[0], health.at(-1)]).toEqual([undefined, undefined]);
    expect(health).toContain("WatchBroken");
    stop();
  });

  test("tells the difference when the server starts again with other objects", async () => {
    const namespace = await inNamespace("restart");
    await cluster.apply(configMap(namespace, "a"), configMap(namespace, "b"));
    const { informer, changes, stop } = watch({ namespace });
    await informer.synced;
    await cluster.restart();
    await inNamespace(namespace);
    await cluster.apply(configMap(namespace, "b", "1"));
    await until(() => informer.get(namespace, "b")?.data?.["value"] === "1", within("the new b came"));
    await until(() => informer.list().length === 1, within("the old a is gone"));
    expect(told(changes).sort()).toEqual(expect.arrayContaining(["ADDED a 0", "ADDED b 0", "DELETED a 0"]));
    stop();
  });

  test("loses no event and tells none twice, wherever the connection breaks", { timeout: 60_000 }, async () => {
    const step = fc.constantFrom("put a", "put b", "put c", "delete a", "delete b", "cut");
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        round += 1;
        const namespace = await inNamespace(`round-${round}`);
        const { informer, changes, stop } = watch({ namespace });
        await informer.synced;
        const happened = await act(namespace, steps);
        await until(() => changes.length >= happened.length, within("all changes came"));
        stop();
        expect(told(changes)).toEqual(happened);
      }),
      { numRuns: 12 },
    );
  });
});

/** Puts, deletes and cuts as told. Gives what an observer must be told, in this order. */
async function act(namespace: string, steps: readonly string[]): Promise<string[]> {
  const happened: string[] = [];
  const present = new Map<string, number>();
  for (const [index, action] of steps.entries()) {
    const [verb, name = ""] = action.split(" ");
    const old = present.get(name);
    if (verb === "cut") cut();
    if (verb === "put") {
      const next = configMap(namespace, name, String(index));
      const { client } = cluster;
      await (old === undefined ? client.create(Kinds.ConfigMap, next) : client.replace(Kinds.ConfigMap, next));
      happened.push(`${old === undefined ? "ADDED" : "MODIFIED"} ${name} ${index}`);
      present.set(name, index);
    }
    if (verb === "delete" && old !== undefined) {
      await cluster.client.delete(Kinds.ConfigMap, { namespace, name });
      happened.push(`DELETED ${name} ${old}`);
      present.delete(name);
    }
  }
  return happened;
}

/** Answers lists and watches from a script; a watch without a script stays silent until its signal aborts. */
function scripted(watches: readonly (() => AsyncIterable<WatchEvent<KubeObject>>)[]) {
  const calls: string[] = [];
  const left = [...watches];
  const client = {
    list: async () => {
      calls.push("list");
      return { metadata: { resourceVersion: "10" }, items: [] };
    },
    watch: (_type: unknown, { resourceVersion = "", signal }: { resourceVersion?: string; signal?: AbortSignal }) => {
      calls.push(`watch ${resourceVersion}`);
      return left.shift()?.() ?? silence(signal);
    },
  };
  return { client: client as unknown as KubeClient, calls };
}

async function* silence(signal: AbortSignal | undefined): AsyncGenerator<WatchEvent<KubeObject>> {
  yield { type: "BOOKMARK", resourceVersion: "" };
  await new Promise((resolve) => signal?.addEventListener("abort", resolve));
}

const event = (type: "ADDED" | "DELETED", name: string, resourceVersion: string): WatchEvent<KubeObject> => ({
  type,
  object: { metadata: { name, resourceVersion } },
});

describe("a watch that ends", () => {
  const endsWith = (status: number, ...events: WatchEvent<KubeObject>[]) =>
    async function* () {
      yield { type: "BOOKMARK", resourceVersion: "" } as const;
      yield* events;
      throw new KubeError(status, status === 0 ? "WatchBroken" : "Failed", "scripted");
    };

  test("in the middle: the next goes on after the last event, and nothing is listed again", async () => {
    const clock = new ManualClock();
    const { client, calls } = scripted([endsWith(0, event("ADDED", "a", "11"), event("DELETED", "a", "12"))]);
    const { changes, stop } = watch({ client, clock });
    await until(() => changes.length === 2, within("both events came"));
    await until(() => {
      clock.advance(100);
      return calls.length === 3;
    }, within("it watches again"));
    expect(calls).toEqual(["list", "watch 10", "watch 12"]);
    expect(changes.map((change) => change.type)).toEqual(["ADDED", "DELETED"]);
    stop();
  });

  test("too old: it lists again at once, without waiting", async () => {
    const { client, calls } = scripted([endsWith(410)]);
    const { stop } = watch({ client, clock: new ManualClock() });
    await until(() => calls.length === 4, within("it lists and watches again"));
    expect(calls).toEqual(["list", "watch 10", "list", "watch 10"]);
    stop();
  });

  test.each([
    ["refused", endsWith(403)],
    ["too old again and again", endsWith(410)],
    ["broken", endsWith(0)],
    [
      "closed as soon as it opened",
      async function* () {
        yield { type: "BOOKMARK", resourceVersion: "" } as const;
      },
    ],
  ])("%s, every time: it waits longer and longer", async (_name, ending) => {
    const clock = new ManualClock();
    const { client, calls } = scripted(Array.from({ length: 50 }, () => ending));
    const { stop } = watch({ client, clock });
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    const watchesAfter = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 50) {
        clock.advance(50);
        for (let turn = 0; turn < 4; turn += 1) await settle();
      }
      return calls.filter((call) => call.startsWith("watch")).length;
    };
    const early = await watchesAfter(1_000);
    const late = (await watchesAfter(10_000)) - early;
    expect(early).toBeGreaterThanOrEqual(3);
    expect(late).toBeLessThanOrEqual(5);
    stop();
  });
});
