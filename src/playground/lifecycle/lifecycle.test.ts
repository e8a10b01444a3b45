import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseCidr } from "#base/ipv4-range";
import { parseKubeConfig } from "#kube/kubeconfig";
import { buildLayout, type ClusterLayout } from "../network/layout.ts";
import { parseTopology } from "../network/load-topology.ts";
import { createCaCerts, createCommonRoot } from "./common-root.ts";
import { identifyProcess, isAlive } from "./host-process.ts";
import { findEnvoy } from "./installation.ts";
import { holdLock, watchLock } from "./lock.ts";
import { playgroundPaths } from "./playground-paths.ts";
import { checkTools } from "./preflight.ts";
import { contextVariable, exportLines } from "./print-env.ts";
import { formatAge } from "./show-status.ts";
import { renderKubeconfig } from "./write-kubeconfig.ts";
import { writePki } from "./write-pki.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "isthmus-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const openssl = (args: readonly string[]) => execFileSync("openssl", args, { cwd: dir, encoding: "utf8" });

function aCluster(): ClusterLayout {
  const topology = parseTopology("clusters: [{name: a, network: n}]", "t.yaml");
  const [cluster] = buildLayout(topology, parseCidr("172.30.0.0/24") ?? expect.fail(), dir).clusters;
  return cluster ?? expect.fail();
}

describe("paths", () => {
  it("follow XDG_STATE_HOME, and HOME without it or when it is relative", () => {
    const at = (env: Record<string, string>) => playgroundPaths("demo", env).stateDir;
    expect(at({ XDG_STATE_HOME: "/x", HOME: "/h" })).toBe("/x/isthmus/demo");
    expect(at({ HOME: "/h" })).toBe("/h/.local/state/isthmus/demo");
    expect(at({ XDG_STATE_HOME: "x", HOME: "/h" })).toBe("/h/.local/state/isthmus/demo");
  });

  it.each(["", "A", "../x", "-a", "a/b", "x".repeat(33)])("refuse the name %j", (name) => {
    expect(() => playgroundPaths(name, {})).toThrow(/is no name/);
  });
});

describe("certificates", () => {
  it("serve under every name of the API server and tell who a client is", async () => {
    const pki = await writePki(aCluster(), join(dir, "pki"));
    expect(openssl(["verify", "-purpose", "sslserver", "-CAfile", "pki/ca.crt", "pki/server.crt"])).toContain("OK");
    const names = openssl(["x509", "-in", "pki/server.crt", "-noout", "-ext", "subjectAltName"]);
    for (const name of [
      "IP Address:172.30.0.11",
      "IP Address:10.96.0.1",
      "DNS:kubernetes.default.svc,",
      "DNS:kubernetes.default.svc.cluster.local",
      "DNS:localhost",
    ]) {
      expect(names).toContain(name);
    }
    const client = ["verify", "-purpose", "sslclient", "-CAfile", "pki/client-ca.crt", "pki/kubelet-client.crt"];
    expect(openssl(client)).toContain("OK");
    const subject = (pem: string) => execFileSync("openssl", ["x509", "-noout", "-subject"], { input: pem }).toString();
    expect(subject(pki.admin.certificatePem)).toMatch(/O = system:masters/);
    expect(subject(pki.node.certificatePem)).toMatch(/O = system:nodes, CN = system:node:a-node/);
    expect(openssl(["rsa", "-in", "pki/service-account.key", "-check", "-noout"])).toContain("ok");
    expect(statSync(pki.files["service-account.key"]).mode & 0o777).toBe(0o600);
    expect(readFileSync(pki.files["ca.crt"], "utf8")).toBe(pki.caPem);
  });

  it("chain every cluster's intermediate to the common root, as Secret cacerts holds them", async () => {
    const root = await createCommonRoot();
    const [one, two] = await Promise.all([createCaCerts(root), createCaCerts(root)]);
    expect(one["root-cert.pem"]).toBe(two["root-cert.pem"]);
    expect(one["ca-key.pem"]).not.toBe(two["ca-key.pem"]);
    expect(one["cert-chain.pem"]).toBe(one["ca-cert.pem"] + one["root-cert.pem"]);
    const parsed = execFileSync("openssl", ["x509", "-noout", "-text"], { input: one["ca-cert.pem"] }).toString();
    expect(parsed).toMatch(/CA:TRUE, pathlen:0/);
  });
});

describe("kubeconfig", () => {
  it("has a context named as each cluster", async () => {
    const pki = await writePki(aCluster(), join(dir, "pki"));
    const entry = (cluster: string) => ({
      cluster,
      server: `https://${cluster}:6443`,
      caPem: pki.caPem,
      user: `${cluster}-admin`,
      identity: pki.admin,
    });
    const text = renderKubeconfig([entry("cluster1"), entry("cluster2")]);
    expect(parseKubeConfig(text).server).toBe("https://cluster1:6443");
    expect(parseKubeConfig(text, { context: "cluster2" }).server).toBe("https://cluster2:6443");
  });
});

describe("env", () => {
  it("is read by a POSIX shell as it was meant, awkward paths included", () => {
    const clusters = [{ name: "cluster-a", context: "cluster-a" }] as never;
    const lines = exportLines({ kubeconfig: "/it's $HOME/kube config", clusters }, "/opt/my clone/bin");
    const script = `${lines.join("\n")}\nprintf '%s|%s|%s' "$KUBECONFIG" "$CTX_CLUSTER_A" "$PATH"`;
    expect(execFileSync("/bin/sh", ["-uc", script], { env: { PATH: "/usr/bin" }, encoding: "utf8" })).toBe(
      "/it's $HOME/kube config|cluster-a|/opt/my clone/bin:/usr/bin",
    );
    expect(contextVariable("east-1")).toBe("CTX_EAST_1");
  });
});

describe("locks", () => {
  it("are held by one, and tell the watcher when they are let go", async () => {
    const name = `\0isthmus/test/${process.pid}`;
    const held = await holdLock(name);
    expect(await holdLock(name)).toBeUndefined();
    const watched = await watchLock(name);
    await held?.release();
    await watched?.released;
    expect(await watchLock(name)).toBeUndefined();
  });
});

describe("machine", () => {
  it("names the Debian package of a missing tool", () => {
    expect(() => checkTools(dir)).toThrow(/missing on this machine: ip, iptables,/);
    expect(() => checkTools(dir)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/install .*iproute2 iptables util-linux/) }),
    );
  });

  it("looks for Envoy where it was told, and says what to do when it is nowhere", () => {
    expect(findEnvoy({ ENVOY_BIN: process.execPath })).toBe(process.execPath);
    expect(() => findEnvoy({ ENVOY_BIN: join(dir, "no") })).toThrow(/no executable file/);
    expect(() => findEnvoy({ PATH: dir, XDG_CACHE_HOME: dir })).toThrow(
      /neither on PATH nor at .*isthmus\/envoy\/1\.40\.0/,
    );
  });

  it("takes no later process for an earlier one with the same number", () => {
    const self = identifyProcess(process.pid);
    expect(self && isAlive(self)).toBe(true);
    expect(isAlive({ pid: process.pid, startTime: "1" })).toBe(false);
  });
});

describe("age", () => {
  it.each([
    [119_000, "119s"],
    [120_000, "2m"],
    [3 * 3_600_000, "3h"],
    [49 * 3_600_000, "2d"],
    [-5, "0s"],
  ])("%i ms is %s", (ms, text) => expect(formatAge(ms)).toBe(text));
});
