// Clients of other people against the embedded API server and the real one: what they print must be the same.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "#base/until";
import { startRealApiServer, whyNoRealApiServer } from "../../kit/real-api-server.ts";
import { startTestCluster } from "../../kit/test-cluster.ts";
import { type ClientResult, writeCompatibilityTable } from "./compatibility-table.ts";
import { findKubectls, type Kubectl } from "./find-kubectls.ts";
import { KNOWN } from "./known-differences.ts";
import { STEPS, type Step } from "./kubectl-steps.ts";
import { nodeClientChecks } from "./node-client.ts";
import { sameForm } from "./same-output.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const reason = whyNoRealApiServer();
if (reason !== undefined) console.warn(`clients are not compared: ${reason}`);
const kubectls = reason === undefined ? await findKubectls() : [];

interface Server {
  readonly name: "embedded" | "real";
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

let folder: string;
const results: ClientResult[] = [];

function resultOf(client: string, what: string): ClientResult {
  const result = results.find((one) => one.client === client) ?? { client, what, asked: 0, same: 0 };
  if (!results.includes(result)) results.push(result);
  return result;
}
let servers: Server[];

/** Both, new: nothing is left of what another client did. */
async function startServers(): Promise<Server[]> {
  const [embedded, real] = await Promise.all([startTestCluster("clients"), startRealApiServer({ name: "clients" })]);
  return [
    { name: "embedded", kubeconfig: embedded.kubeconfig, stop: () => embedded.stop() },
    { name: "real", kubeconfig: real.kubeconfig, stop: () => real.stop() },
  ];
}

function kubeconfigFile(server: Server): string {
  const file = join(folder, `${server.name}.kubeconfig`);
  writeFileSync(file, server.kubeconfig, { mode: 0o600 });
  return file;
}

const wordsOf = (args: string) =>
  [...args.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");

async function runUntilTold(kubectl: Kubectl, server: Server, step: Step): Promise<string> {
  const { eventually } = step;
  if (eventually === undefined) return runStep(kubectl, server, step);
  const told = async () => {
    const output = await runStep(kubectl, server, step);
    return output.includes(eventually) ? output : undefined;
  };
  const reason = `the ${server.name} server's answer to "${step.args}" has ${eventually}`;
  return until(told, { reason, timeoutMs: 60_000, intervalMs: 300 });
}

async function runStep(kubectl: Kubectl, server: Server, { args, stdin = "" }: Step): Promise<string> {
  const common = ["--kubeconfig", kubeconfigFile(server), "--cache-dir", join(folder, server.name)];
  const child = spawn(kubectl.path, [...common, ...wordsOf(args)], {
    env: { HOME: folder, PATH: process.env["PATH"] },
  });
  // A step that waits for what never comes is a difference like any other.
  const patience = setTimeout(() => child.kill(), 60_000);
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  clearTimeout(patience);
  return `${sameForm(out)}\n-- stderr --\n${sameForm(err)}\n-- exit code ${code}`;
}

describe.skipIf(reason !== undefined)("clients of a real API server and of ours", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-clients-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    if (process.env["UPDATE_DOCS"] !== undefined) writeCompatibilityTable(results, KNOWN);
  });

  describe.each(kubectls)("kubectl $version", (kubectl) => {
    beforeAll(async () => {
      servers = await startServers();
    });
    afterAll(() => Promise.all(servers.map((server) => server.stop())));
    const fits = ({ since = 0, until = 99 }: Step) => since <= kubectl.minor && kubectl.minor <= until;

    it.each(STEPS.filter(fits).map((step, index) => [index, step.args, step] as const))(
      "%d: %s",
      async (_, args, step) => {
        const [embedded, real] = await Promise.all(servers.map((server) => runUntilTold(kubectl, server, step)));
        const result = resultOf(`kubectl ${kubectl.version}`, "what people type, from `api-versions` to `delete`");
        result.asked++;
        if (embedded === real) result.same++;
        const known = KNOWN.find((difference) => difference.args === args);
        if (known === undefined) expect(embedded).toBe(real);
        else expect(embedded, "a known difference that is none any more").not.toBe(real);
      },
    );
  });

  describe("libraries", () => {
    beforeAll(async () => {
      servers = await startServers();
    });
    afterAll(() => Promise.all(servers.map((server) => server.stop())));

    it.each(nodeClientChecks)("@kubernetes/client-node: $name", async ({ run }) => {
      const [embedded, real] = await Promise.all(
        servers.map((server) => {
          const config = new KubeConfig();
          config.loadFromString(server.kubeconfig);
          return run(config);
        }),
      );
      expect(embedded).toEqual(real);
      const result = resultOf("@kubernetes/client-node 1.4.0", "objects, patches, an informer, a watch, errors");
      result.asked++;
      result.same++;
    });

    it("client-go: informers, leader election and the rest", async () => {
      const program = join(folder, "client-go");
      const build = ["build", "-trimpath", "-ldflags", "-s -w", "-o", program, "."];
      const env = { ...process.env, CGO_ENABLED: "0" };
      const found = await promisify(execFile)(process.execPath, [join(ROOT, "tools", "find-go.mjs")]);
      await promisify(execFile)(found.stdout.trim(), build, { cwd: join(import.meta.dirname, "go"), env });
      for (const server of servers) {
        const checks = await runChecks(program, kubeconfigFile(server));
        expect(
          checks.filter((check) => !check.ok),
          server.name,
        ).toEqual([]);
        expect(checks).toHaveLength(15);
        Object.assign(resultOf("client-go 0.35.4", "objects as JSON and protobuf, apply, informers, leader election"), {
          asked: checks.length,
          same: checks.length,
        });
      }
    });
  });
});

async function runChecks(
  program: string,
  kubeconfig: string,
): Promise<{ name: string; ok: boolean; error?: string }[]> {
  const child = spawn(program, [kubeconfig], { stdio: ["ignore", "pipe", "ignore"] });
  const lines = (await text(child.stdout)).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as { name: string; ok: boolean });
}
