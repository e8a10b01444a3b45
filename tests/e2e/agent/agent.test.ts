// One real agent with one real Envoy in a network namespace of their own, against a small control plane.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { createCa, issueCertificate } from "#pki/issue-certificate";

const root = join(import.meta.dirname, "../../..");
const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
/** Where the set-up puts it. */
const envoy = process.env["ENVOY_BIN"] || join(cache, "isthmus/envoy/1.40.0/envoy");
const canRun = process.getuid?.() === 0 && existsSync(envoy);

const ns = `agent-${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), "agent-"));
const inNs = (...command: string[]) => ["ip", "netns", "exec", ns, ...command] as const;
const NODE = ["node", "--conditions=source", "--import", "tsx"];

type Event = { event: string; typeUrl?: string; names?: string[]; [key: string]: unknown };
const children: ChildProcess[] = [];
let agentLog = "";

function run(...command: readonly string[]): string {
  const [program = "", ...args] = command;
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function curl(...args: string[]): string {
  try {
    return run(...inNs("curl", "-sS", "--max-time", "30", ...args));
  } catch (thrown) {
    return `failed: ${thrown instanceof Error ? thrown.message.split("\n").at(-2) : thrown}`;
  }
}

const status = (...args: string[]) => curl("-o", "/dev/null", "-w", "%{http_code}", ...args);

async function startControlPlane() {
  const child = spawn("ip", ["netns", "exec", ns, ...NODE, join(import.meta.dirname, "fake-control-plane.ts")], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  const events: Event[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => events.push(JSON.parse(line) as Event));
  child.stdin.write(`${JSON.stringify(await material)}\n`);
  await until(() => events.some(({ event }) => event === "ready"), { reason: "control plane", timeoutMs: 60_000 });
  const stop = () => {
    child.kill("SIGKILL");
    return new Promise((resolve) => child.once("exit", resolve));
  };
  return { events, stop };
}

function startAgent(env: Record<string, string> = {}): ChildProcess {
  const flags = ["proxy", "sidecar", "--domain", "sample.svc.cluster.local", "--proxyLogLevel=warning", "--novelty=1"];
  const child = spawn("ip", ["netns", "exec", ns, ...NODE, join(root, "src/bin/pilot-agent.ts"), ...flags], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...agentEnv, ...env },
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      agentLog += chunk.toString();
    });
  }
  children.push(child);
  return child;
}

const exitOf = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));

const agentEnv = {
  POD_NAME: "sleep-1",
  POD_NAMESPACE: "sample",
  SERVICE_ACCOUNT: "sleep",
  INSTANCE_IP: "127.0.0.1",
  CA_ADDR: "localhost:15012",
  ISTIO_META_CLUSTER_ID: "cluster1",
  XDS_ROOT_CA: join(folder, "root.pem"),
  ISTIO_TOKEN_FILE: join(folder, "token"),
  ISTIO_PROMETHEUS_ANNOTATIONS: JSON.stringify({ scrape: "true", path: "/metrics", port: "8080" }),
  ISTIO_KUBE_APP_PROBERS: JSON.stringify({
    "/app-health/app/livez": { httpGet: { path: "/live", port: 8080 }, timeoutSeconds: 30 },
    "/app-health/app/readyz": { tcpSocket: { port: 1 } },
  }),
  PROXY_CONFIG: JSON.stringify({
    discoveryAddress: "localhost:15012",
    configPath: join(folder, "proxy"),
    binaryPath: envoy,
    concurrency: 1,
    terminationDrainDuration: "2s",
  }),
};

const ads = { ads: {}, resourceApiVersion: "V3" };
const socketAddress = (portValue: number) => ({ socketAddress: { address: "127.0.0.1", portValue } });
const typed = (name: string, fields: object) => ({
  "@type": `type.googleapis.com/envoy.extensions.${name}`,
  ...fields,
});
const cluster = {
  name: "app",
  type: "EDS",
  connectTimeout: "1s",
  edsClusterConfig: { edsConfig: ads },
};
const endpoints = {
  clusterName: "app",
  endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress(8080) } }] }],
};
const listener = {
  name: "secure",
  address: socketAddress(9443),
  filterChains: [
    {
      transportSocket: {
        name: "envoy.transport_sockets.tls",
        typedConfig: typed("transport_sockets.tls.v3.DownstreamTlsContext", {
          requireClientCertificate: true,
          commonTlsContext: {
            tlsCertificateSdsSecretConfigs: [{ name: "default", sdsConfig: ads }],
            validationContextSdsSecretConfig: { name: "ROOTCA", sdsConfig: ads },
          },
        }),
      },
      filters: [
        {
          name: "envoy.filters.network.http_connection_manager",
          typedConfig: typed("filters.network.http_connection_manager.v3.HttpConnectionManager", {
            statPrefix: "secure",
            routeConfig: {
              virtualHosts: [
                { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "app" } }] },
              ],
            },
            httpFilters: [
              { name: "envoy.filters.http.router", typedConfig: typed("filters.http.router.v3.Router", {}) },
            ],
          }),
        },
      ],
    },
  ],
};

const material = (async () => {
  const ca = await createCa({ commonName: "Test root" });
  const serving = await issueCertificate(ca, { dnsNames: ["localhost"], usages: ["server"], validSeconds: 3600 });
  const client = await issueCertificate(ca, {
    uris: ["spiffe://cluster.local/ns/x/sa/y"],
    usages: ["client"],
    validSeconds: 3600,
  });
  writeFileSync(join(folder, "root.pem"), ca.certificatePem);
  writeFileSync(join(folder, "token"), "the-token");
  writeFileSync(join(folder, "client.pem"), client.certificatePem + client.privateKeyPem);
  return {
    ca: {
      certificatePem: ca.certificatePem,
      privateKeyPem: ca.privateKeyPem,
      chainPem: "",
      rootsPem: ca.certificatePem,
    },
    serving: { cert: serving.certificatePem, key: serving.privateKeyPem },
    token: "the-token",
    resources: [
      { type: "CDS", name: "app", json: cluster },
      { type: "EDS", name: "app", json: endpoints },
      { type: "LDS", name: "secure", json: listener },
    ],
  };
})();

/** -k: a SPIFFE certificate names no host; what is asked here is whether Envoy takes our certificate, or none. */
const secure = (...args: string[]) => curl("-k", ...args, "https://127.0.0.1:9443/hello");
const withClient = () => secure("--cert", join(folder, "client.pem"));
const serial = () =>
  run(...inNs("sh", "-c", "echo | openssl s_client -connect 127.0.0.1:9443 2>/dev/null | openssl x509 -noout -serial"));
const ready = () => status("http://127.0.0.1:15021/healthz/ready") === "200";

beforeAll(async () => {
  if (!canRun) return;
  await material;
  run("ip", "netns", "add", ns);
  run(...inNs("ip", "link", "set", "lo", "up"));
});

function killAll(): void {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  if (!canRun) return;
  for (const pid of run("ip", "netns", "pids", ns).split("\n")) {
    if (pid.trim() !== "") process.kill(Number(pid), "SIGKILL");
  }
}

afterEach(killAll);

afterAll(() => {
  if (!canRun) return;
  run("ip", "netns", "del", ns);
  rmSync(folder, { recursive: true });
});

describe.skipIf(!canRun)("one agent with one Envoy", () => {
  test("from start to the end", async () => {
    const agent = startAgent({ SECRET_TTL: "20s", SECRET_GRACE_PERIOD_RATIO: "0.7" });
    const ended = exitOf(agent);
    await until(() => status("http://127.0.0.1:15020/healthz/ready") === "503", {
      reason: "the agent answers, and is not ready while there is no control plane",
      timeoutMs: 60_000,
    });
    const first = await startControlPlane();
    await until(ready, { reason: "the proxy is ready", timeoutMs: 60_000 });
    expect(agentLog).toContain("--novelty=1");

    expect(first.events.find(({ event }) => event === "open")).toMatchObject({
      authorization: "Bearer the-token",
      clusterid: "cluster1",
      node: { id: "sidecar~127.0.0.1~sleep-1.sample~sample.svc.cluster.local", metadata: { NAMESPACE: "sample" } },
    });

    await until(() => withClient() === "app /hello\n", { reason: "mTLS by SDS over ADS", timeoutMs: 30_000 });
    expect(secure()).toContain("failed");
    expect(first.events.filter(({ event }) => event === "rejected")).toEqual([]);

    const before = serial();
    await until(() => serial() !== before, {
      reason: "the certificate is renewed",
      timeoutMs: 30_000,
      intervalMs: 300,
    });
    expect(withClient()).toBe("app /hello\n");

    expect(status("http://127.0.0.1:15020/app-health/app/livez")).toBe("200");
    expect(status("http://127.0.0.1:15020/app-health/app/readyz")).toBe("500");
    expect(status("http://127.0.0.1:15020/app-health/other/livez")).toBe("404");
    const metrics = curl("http://127.0.0.1:15020/stats/prometheus");
    expect(metrics).toContain("envoy_cluster_manager_cds_update_success");
    expect(metrics).toContain("istio_agent_cert_expiry_seconds");
    expect(metrics).toContain("app /metrics");
    expect(curl("http://127.0.0.1:15090/stats/prometheus")).toContain("envoy_server_live");

    await first.stop(); // and the application with it: the proxy answers in its place, over mTLS as before
    expect(withClient()).toContain("upstream connect error");
    const second = await startControlPlane();
    await until(() => second.events.filter(({ event }) => event === "sent").length >= 3, {
      reason: "Envoy subscribed anew",
      timeoutMs: 30_000,
    });
    expect(second.events.filter(({ event }) => event === "sent").flatMap(({ names }) => names)).toEqual([]);
    expect(ready()).toBe(true);

    const agentPid = Number(
      run("ip", "netns", "pids", ns)
        .split("\n")
        .find((pid) => cmdline(pid).includes("pilot-agent")),
    );
    const stopped = Date.now();
    process.kill(agentPid, "SIGTERM");
    await until(() => status("http://127.0.0.1:15020/healthz/ready") === "503", {
      reason: "not ready",
      timeoutMs: 30_000,
    });
    expect(await ended).toBe(0);
    expect(Date.now() - stopped).toBeGreaterThan(1000);
    expect(envoyPid()).toBeUndefined();
    await second.stop();
  });

  test("an Envoy that dies ends the agent with its code, and a binary that is none with 1", async () => {
    const ended = exitOf(startAgent());
    const pid = await until(envoyPid, { reason: "Envoy runs", timeoutMs: 60_000 });
    process.kill(pid, "SIGKILL");
    expect(await ended).toBe(137);
    const config = { ...(JSON.parse(agentEnv.PROXY_CONFIG) as object), binaryPath: "/nowhere/envoy" };
    expect(await exitOf(startAgent({ PROXY_CONFIG: JSON.stringify(config) }))).toBe(1);
    expect(agentLog).toContain("/nowhere/envoy");
  });
});

function cmdline(pid: string): string {
  try {
    return readFileSync(`/proc/${pid.trim()}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function envoyPid(): number | undefined {
  const pid = run("ip", "netns", "pids", ns)
    .split("\n")
    .find((candidate) => cmdline(candidate).startsWith(envoy));
  return pid === undefined ? undefined : Number(pid);
}
