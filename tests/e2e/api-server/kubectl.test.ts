// Every kubectl of this machine against the API server: the wire differs by version (SPDY or WebSocket, JSON or
// protobuf), what people see must not.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { runApiServer } from "#playground/api-server/api-server";
import { type ClusterPki, clusterPki } from "../../kit/cluster-pki.ts";
import { markRunning } from "../../kit/kubelet-cluster.ts";
import { type ProcessKubelet, processKubelet } from "../../kit/process-kubelet.ts";

/** Names like kubectl and kubectl.1.27 in the folders of PATH, links followed. */
function findKubectls(): string[] {
  const folders = (process.env["PATH"] ?? "").split(":").filter(existsSync);
  const named = (folder: string) => readdirSync(folder).filter((name) => /^kubectl(\.\d+\.\d+)?$/.test(name));
  const direct = folders.flatMap((folder) => named(folder).map((name) => realpathSync(join(folder, name))));
  const beside = direct.flatMap((path) => named(dirname(path)).map((name) => realpathSync(join(dirname(path), name))));
  return [...new Set([...direct, ...beside])].sort();
}

const base64 = (value: string) => Buffer.from(value).toString("base64");
const stop = new AbortController();
const dir = mkdtempSync(join(tmpdir(), "isthmus-kubectl-"));
const web = createServer((_request, response) => response.end("hello"));
let pki: ClusterPki;
let kubelet: ProcessKubelet;

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function start(kubectl: string, args: readonly string[]): ChildProcess {
  const common = ["--kubeconfig", join(dir, "config"), "--cache-dir", join(dir, kubectl.replaceAll("/", "_"))];
  return spawn(kubectl, [...common, ...args], { env: { HOME: dir, PATH: process.env["PATH"] } });
}

async function run(kubectl: string, args: string | readonly string[], input = "") {
  const child = start(kubectl, typeof args === "string" ? args.split(" ") : args);
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const [out, err, [code]] = await Promise.all([
    child.stdout === null ? "" : text(child.stdout),
    child.stderr === null ? "" : text(child.stderr),
    once(child, "close"),
  ]);
  return { code, out, err };
}

beforeAll(async () => {
  pki = await clusterPki();
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  kubelet = await processKubelet(pki, (web.address() as AddressInfo).port);
  const config = { ...pki.config, listen: { address: "127.0.0.1", port: await freePort() } };
  const { url, objects } = await runApiServer(config, silentLogger(), stop.signal);
  const admin = await pki.client("admin", "system:masters");
  const user = {
    "client-certificate-data": base64(admin.certificatePem),
    "client-key-data": base64(admin.privateKeyPem),
  };
  const cluster = { server: url, "certificate-authority-data": base64(pki.serverCa.certificatePem) };
  writeFileSync(
    join(dir, "config"),
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    }),
  );
  const items = [
    { apiVersion: "v1", kind: "Node", metadata: { name: "n" } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "default" } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", namespace: "default" },
      spec: { nodeName: "n", containers: [{ name: "c", image: "i" }] },
    },
  ];
  writeFileSync(join(dir, "objects.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const created = await run(findKubectls()[0] ?? "kubectl", ["apply", "-f", join(dir, "objects.json")]);
  expect(created.err).toBe("");
  markRunning(objects, kubelet.port);
});

afterAll(() => {
  stop.abort();
  kubelet.close();
  web.close();
  pki.remove();
  rmSync(dir, { recursive: true, force: true });
});

describe.each(findKubectls())("%s", (kubectl) => {
  const suffix = kubectl.replaceAll(/[^a-z0-9]/g, "").slice(-20);

  test("exec: output, exit code, 3 MB through stdin, refusals", async () => {
    const failing = ["exec", "p", "--", "sh", "-c", "echo out; echo err >&2; exit 3"];
    expect(await run(kubectl, failing)).toMatchObject({ code: 3, out: "out\n", err: expect.stringContaining("err\n") });
    const big = "abcdefghi\n".repeat(300_000);
    const echoed = await run(kubectl, "exec -i p -- cat", big);
    expect({ code: echoed.code, same: echoed.out === big }).toEqual({ code: 0, same: true });
    expect((await run(kubectl, "exec missing -- x")).err).toContain('pods "missing" not found');
  });

  test("logs and port-forward", async () => {
    expect((await run(kubectl, "logs p")).out).toBe("log line\n");
    const child = start(kubectl, ["port-forward", "p", ":80"]);
    const [line] = child.stdout === null ? [""] : await once(child.stdout, "data");
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(String(line)) ?? [];
    for (let round = 0; round < 3; round += 1) {
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("hello");
    }
    child.kill();
  });

  test.each([
    "create namespace NAME",
    "create secret generic NAME --from-literal=a=b",
    "create configmap NAME --from-literal=a=b",
    "create serviceaccount NAME",
    "create deployment NAME --image=i",
    "create role NAME --verb=get --resource=pods",
    "create rolebinding NAME --role=NAME --serviceaccount=default:NAME",
    "create clusterrole NAME --verb=get --resource=nodes",
    "create service clusterip NAME --tcp=80",
    "create job NAME --image=i",
    "create quota NAME --hard=pods=1000",
  ])("%s", async (command) => {
    const { code, err } = await run(kubectl, command.replaceAll("NAME", `k${suffix}`));
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });

  test("serves the documents by which others verify its tokens", async () => {
    const configuration = JSON.parse((await run(kubectl, "get --raw /.well-known/openid-configuration")).out);
    expect(configuration.issuer).toBe("https://kubernetes.default.svc.cluster.local");
    const { keys } = JSON.parse((await run(kubectl, "get --raw /openid/v1/jwks")).out);
    expect(keys).toEqual([expect.objectContaining({ kty: "RSA", use: "sig", alg: "RS256" })]);
  });

  test("who may do what", async () => {
    const account = `--as=system:serviceaccount:default:k${suffix}`;
    expect((await run(kubectl, `auth can-i get pods ${account}`)).out).toContain("yes");
    expect((await run(kubectl, `auth can-i get secrets ${account}`)).out).toContain("no");
    expect((await run(kubectl, "get secrets --as=bob")).err).toContain(
      'User "bob" cannot list resource "secrets" in API group "" in the namespace "default"',
    );
  });
});
