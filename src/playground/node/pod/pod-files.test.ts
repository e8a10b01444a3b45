import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { environmentText, initScript, mountTable, processCommand } from "../container/container-script.ts";
import { hostsFile, resolvConf } from "./pod-files.ts";

const dns = {
  clusterDomain: "cluster.local",
  dnsAddress: "10.96.0.10",
  hostResolvConf: "nameserver 9.9.9.9\n",
  hostHosts: "127.0.0.1 localhost\n10.1.2.3 machine\n",
};
const pod = (spec = {}) => ({ metadata: { name: "p", namespace: "ns" }, spec: { containers: [], ...spec } });

test("resolv.conf by policy and with the pod's own settings", () => {
  expect(resolvConf(pod(), dns)).toBe(
    "search ns.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
  );
  expect(resolvConf(pod({ dnsPolicy: "Default" }), dns)).toBe(dns.hostResolvConf);
  expect(resolvConf(pod({ hostNetwork: true }), dns)).toBe(dns.hostResolvConf);
  const dnsConfig = {
    nameservers: ["1.1.1.1"],
    searches: ["x"],
    options: [{ name: "ndots", value: "1" }, { name: "edns0" }],
  };
  expect(resolvConf(pod({ dnsPolicy: "None", dnsConfig }), dns)).toBe(
    "search x\nnameserver 1.1.1.1\noptions ndots:1 edns0\n",
  );
});

test("hosts names the pod, its subdomain and the aliases", () => {
  const spec = { subdomain: "set", hostAliases: [{ ip: "1.2.3.4", hostnames: ["a", "b"] }] };
  expect(hostsFile(pod(spec), ["10.0.0.1", "fd44::1"], dns).split("\n").slice(7)).toEqual([
    "10.0.0.1\tp.set.ns.svc.cluster.local\tp",
    "fd44::1\tp.set.ns.svc.cluster.local\tp",
    "",
    "# Entries added by HostAliases.",
    "1.2.3.4\ta\tb",
    "",
  ]);
});

test("odd names survive the mount table and the shell", () => {
  const launch = {
    directory: "/s t/c",
    layers: [{ target: "/", lower: ["/s t/h", "/"], upper: "/s t/u", work: "/s t/w" }],
    devices: "/s t/dev",
    shm: "/s t/shm",
    stdout: "/s t/o",
    stderr: "/s t/e",
    mounts: [{ source: "/v", target: "/a b", readOnly: true }],
    readOnlyRoot: true,
    privileged: false,
    stdin: false,
    stdinOnce: false,
    tty: false,
    pids: { kind: "own" as const },
    cgroup: undefined,
    terminationLog: "/s t/log",
    identity: { uid: 1, gid: 2, groups: [], capabilities: [], noNewPrivileges: true },
    variables: { A: "it's $HOME\nb" },
    workingDir: "/",
    command: ["echo", "$(id)"],
  };
  const table = mountTable(launch);
  expect(table).toContain("/v /s\\040t/c/root/a\\040b none bind,ro 0 0\n");
  expect(table).toContain("overlay /s\\040t/c/root overlay ro,lowerdir=/s\\040t/h:/,");
  expect(initScript(launch)).toContain(`/ echo '$(id)'`);
});

test("values of variables reach the program whole and stand in no command line", () => {
  const variables = { PATH: "/usr/bin:/bin", A: "it's $HOME\nb", SECRET: "hush", "odd.name": "x y" };
  const identity = { uid: 1, gid: 2, groups: [], capabilities: [], noNewPrivileges: false };
  const words = processCommand({ identity, variables, workingDir: "/tmp" }, ["env", "--null"]);
  expect(words.join(" ")).not.toContain("hush");
  const folder = mkdtempSync(join(tmpdir(), "environment-"));
  writeFileSync(join(folder, "environment"), environmentText(variables), { mode: 0o600 });
  const descriptor = openSync(join(folder, "environment"), "r");
  const fromEnv = words.slice(words.indexOf("env"));
  const run = spawnSync(fromEnv[0] ?? "", fromEnv.slice(1), {
    stdio: ["ignore", "pipe", "inherit", "ignore", descriptor],
  });
  closeSync(descriptor);
  rmSync(folder, { recursive: true });
  const seen = run.stdout
    .toString()
    .split("\0")
    .filter((entry) => entry !== "");
  expect(seen.sort()).toEqual(
    Object.entries(variables)
      .map(([name, value]) => `${name}=${value}`)
      .sort(),
  );
});
