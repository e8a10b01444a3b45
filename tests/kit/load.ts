// Steady calls from a client pod: an open loop, so that a slow answer does not hide the calls that should have followed.
import { until } from "#base/until";
import type { TestPlayground } from "./playground.ts";

/** Calls a second, from each client. */
export const RATE = 20;
const NAMESPACE = "sample";

/** One call of a client. */
export interface Call {
  readonly context: string;
  /** When it began, milliseconds since the epoch. */
  readonly at: number;
  readonly ms: number;
  /** v1 or v2; undefined when the call failed. */
  readonly version: string | undefined;
  readonly error: string | undefined;
}

export interface Load {
  /** All calls that began at or after `since` and have ended, of one client or of all. */
  calls(since: number, context?: string): Promise<readonly Call[]>;
}

// Every call is a connection of its own, as of a curl; its proxy pools connections as it likes.
const CLIENT = `
import { get } from "node:http";
const gap = 1000 / Number(process.env.RATE);
const startedAt = performance.now();
let sent = 0;
function call() {
  const at = Date.now();
  let told = false;
  const tell = (what) => {
    if (told) return;
    told = true;
    console.log([at, Date.now() - at, what.trim().replaceAll(/\\s+/g, "_")].join(" "));
  };
  const request = get("http://helloworld.sample:5000/hello", { agent: false }, (response) => {
    let body = "";
    response.on("data", (chunk) => { body += chunk; });
    response.on("error", (error) => tell("error:" + error.message));
    response.on("end", () => {
      const version = /version: (v\\d)/.exec(body)?.[1];
      tell(response.statusCode === 200 && version ? version : "error:" + response.statusCode + ":" + body.slice(0, 120));
    });
  });
  let lacks = "name";
  request.on("socket", (socket) => {
    socket.on("lookup", () => { lacks = "connection"; });
    socket.on("connect", () => { lacks = "answer"; });
  });
  request.on("error", (error) => tell("error:" + error.message));
  setTimeout(() => { request.destroy(); tell("error:no " + lacks + " within 5 s"); }, 5000).unref();
}
setInterval(() => {
  for (; sent * gap <= performance.now() - startedAt; sent += 1) call();
}, 10);
`;

const MANIFEST = {
  apiVersion: "v1",
  kind: "List",
  items: [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "load" }, data: { "client.mjs": CLIENT } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "load" },
      spec: {
        selector: { matchLabels: { app: "load" } },
        template: {
          metadata: { labels: { app: "load" } },
          spec: {
            terminationGracePeriodSeconds: 0,
            // The image brings Node.js; its own user is the proxy's, whose traffic no sidecar captures.
            securityContext: { runAsUser: 1000, runAsGroup: 1000 },
            containers: [
              {
                name: "load",
                image: "docker.io/isthmus/pilot:latest",
                command: ["/usr/local/bin/node", "/load/client.mjs"],
                // Node.js looks up four names at a time: one slow answer would hold up the calls after it.
                env: [
                  { name: "RATE", value: String(RATE) },
                  { name: "UV_THREADPOOL_SIZE", value: "128" },
                ],
                volumeMounts: [{ name: "script", mountPath: "/load" }],
              },
            ],
            volumes: [{ name: "script", configMap: { name: "load" } }],
          },
        },
      },
    },
  ],
};

/** Starts a client in each of the clusters; resolves when each has calls answered by both versions. */
export async function startLoad(playground: TestPlayground, contexts: readonly string[]): Promise<Load> {
  const input = JSON.stringify(MANIFEST);
  await Promise.all(
    contexts.map((context) =>
      playground.ok("kubectl", ["apply", "--context", context, "-n", NAMESPACE, "-f", "-"], { input }),
    ),
  );
  const load: Load = {
    async calls(since, context) {
      const clients = context === undefined ? contexts : [context];
      const all = await Promise.all(clients.map((client) => readCalls(playground, client, since)));
      return all.flat().filter((call) => call.at >= since);
    },
  };
  const startedAt = Date.now();
  await Promise.all(contexts.map((context) => untilSpread(load, context, startedAt, ["v1", "v2"])));
  return load;
}

/** Waits until the client was answered by each of the versions in calls that began after `since`. */
export async function untilSpread(
  load: Load,
  context: string,
  since: number,
  versions: readonly string[],
): Promise<void> {
  const spread = async () => {
    const calls = await load.calls(since, context);
    return versions.every((version) => calls.some((call) => call.version === version));
  };
  const reason = `${versions.join(" and ")} answered ${context}`;
  await until(spread, { reason, timeoutMs: 60_000, intervalMs: 500 });
}

/** Lines that were written before `since` are of no calls that began later. */
function readCalls(playground: TestPlayground, context: string, since: number): Promise<Call[]> {
  const where = ["--context", context, "-n", NAMESPACE, "deploy/load", "-c", "load"];
  const args = ["logs", ...where, `--since-time=${new Date(since).toISOString()}`];
  const read = async () => {
    const { exitCode, stdout } = await playground.run("kubectl", args);
    return exitCode === 0 && stdout.split("\n").flatMap((line) => parseCall(context, line) ?? []);
  };
  return until(read, { reason: `the client in ${context} has a log`, timeoutMs: 60_000, intervalMs: 300 });
}

function parseCall(context: string, line: string): Call | undefined {
  const [at, ms, what] = line.split(" ");
  if (at === undefined || ms === undefined || what === undefined) return undefined;
  const failed = what.startsWith("error:");
  return {
    context,
    at: Number(at),
    ms: Number(ms),
    version: failed ? undefined : what,
    error: failed ? what.slice("error:".length) : undefined,
  };
}
