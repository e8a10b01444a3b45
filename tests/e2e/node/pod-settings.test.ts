// What a pod's spec asks of its containers' surroundings: namespaces, files, names, users, limits.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Container } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { NodeHarness } from "./node-harness.ts";

const node = new NodeHarness();
beforeAll(() => node.ready());
afterAll(() => node.close());

const sleeper = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: "busybox",
  command: ["sh", "-c", "exec sleep 1000"],
  ...more,
});
const output = async (pod: string, script: string, container = "c") => (await node.exec(pod, container, script)).output;
const WAIT_MS = 60_000;

test("containers that share processes see each other; the end of one leaves nothing of it", async () => {
  const script = "sleep 4321 & exec sleep 1000";
  node.run("shared", {
    shareProcessNamespace: true,
    restartPolicy: "Never",
    containers: [sleeper("c"), { ...sleeper("d"), command: ["sh", "-c", script] }],
  });
  await node.podReady("shared");
  expect(await output("shared", "pgrep -x sleep | wc -l")).toMatch(/^[34]\n$/);
  expect(await output("shared", "cat /proc/1/comm")).toBe("sh\n");
  node.send({ do: "kill", pod: "shared", container: "d" });
  const ended = (state: { terminated?: { exitCode?: number } } = {}) => state.terminated?.exitCode;
  await node.event(
    "status",
    ({ pod, status }) => pod === "shared" && (status?.containerStatuses ?? []).some((one) => ended(one.state) === 137),
    WAIT_MS,
  );
  expect(await output("shared", "pgrep -f '[s]leep 4321' | wc -l")).toBe("0\n");
});

test("an ephemeral container joins a running one and sees its processes", async () => {
  const pod = node.run("debugged", { containers: [sleeper("c")] });
  await node.podReady("debugged");
  const command = ["sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '; echo; exec sleep 1000"];
  const ephemeralContainers = [{ name: "debugger", image: "busybox", targetContainerName: "c", command }];
  node.send({ do: "pod", type: "MODIFIED", pod: { ...pod, spec: { ...pod.spec, ephemeralContainers } } });
  await node.event(
    "status",
    (one) => one.pod === "debugged" && one.status?.ephemeralContainerStatuses?.[0]?.state?.running !== undefined,
    WAIT_MS,
  );
  await until(async () => (await node.log("debugged", "debugger")).includes("sleep 1000"), {
    reason: "the debugger sees the program of its target",
    timeoutMs: WAIT_MS,
  });
  expect(node.status("debugged")?.phase).toBe("Running");
});

test("the node's own processes and IPC for those who ask", async () => {
  node.run("host", { hostPID: true, hostIPC: true, hostNetwork: true, containers: [sleeper("c")] });
  await node.podReady("host");
  expect(await output("host", "hostname")).toBe("node1\n");
  expect(await output("host", "cat /proc/1/cmdline | tr '\\0' ' '")).toContain("harness.ts");
  expect(node.status("host")?.podIP).toBe("172.30.0.11");
  node.send({ do: "kill", pod: "host", container: "c" });
  const killed = await node.event(
    "status",
    (one) => one.pod === "host" && one.status?.containerStatuses?.[0]?.lastState?.terminated !== undefined,
    WAIT_MS,
  );
  expect(killed.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(137);
});

test("names: subdomain, full host name, aliases, resolver, sysctls", async () => {
  node.run("named", {
    ...{ hostname: "web-0", subdomain: "db", setHostnameAsFQDN: true, enableServiceLinks: false },
    hostAliases: [{ ip: "1.2.3.4", hostnames: ["far"] }],
    dnsPolicy: "None",
    dnsConfig: { nameservers: ["192.0.2.1"], searches: ["x.test"] },
    securityContext: { sysctls: [{ name: "net.ipv4.ip_local_port_range", value: "40000 40010" }] },
    containers: [sleeper("c")],
  });
  await node.podReady("named");
  expect(await output("named", "hostname")).toBe("web-0.db.default.svc.cluster.local\n");
  const hosts = await output("named", "cat /etc/hosts");
  expect(hosts).toContain("\tweb-0.db.default.svc.cluster.local\tweb-0\n");
  expect(hosts).toContain("1.2.3.4\tfar\n");
  expect(await output("named", "cat /etc/resolv.conf")).toBe("search x.test\nnameserver 192.0.2.1\n");
  expect(await output("named", "cat /proc/sys/net/ipv4/ip_local_port_range")).toMatch(/40000\s+40010/);
});

test("subPath shows one file and does not change; the whole volume does; links lead nowhere else", async () => {
  const metadata = { namespace: "default", name: "cm" };
  node.put({ kind: "ConfigMap", metadata, data: { a: "one", b: "one" } });
  node.run("paths", {
    containers: [
      sleeper("c", {
        env: [{ name: "DIR", value: "sub" }],
        volumeMounts: [
          { name: "cm", mountPath: "/one", subPath: "a" },
          { name: "cm", mountPath: "/all", readOnly: true },
          { name: "e", mountPath: "/expanded", subPathExpr: "$(DIR)" },
          { name: "e", mountPath: "/whole" },
          { name: "m", mountPath: "/small" },
        ],
      }),
    ],
    volumes: [
      { name: "cm", configMap: { name: "cm", defaultMode: 0o400, items: [{ key: "a", path: "a", mode: 0o444 }] } },
      { name: "e", emptyDir: {} },
      { name: "m", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    ],
  });
  await node.podReady("paths");
  expect(await output("paths", "cat /one /all/a; ls /all; stat -Lc %a /all/a")).toBe("oneonea\n444\n");
  await output("paths", "echo hi > /expanded/f");
  expect(await output("paths", "cat /whole/sub/f")).toBe("hi\n");
  expect((await node.exec("paths", "c", "head -c 2000000 /dev/zero > /small/f")).exitCode).not.toBe(0);
  expect((await node.exec("paths", "c", "touch /all/x")).exitCode).not.toBe(0);
  node.put({ kind: "ConfigMap", metadata, data: { a: "two" } });
  await until(async () => (await output("paths", "cat /all/a")) === "two", {
    reason: "the volume",
    timeoutMs: WAIT_MS,
  });
  expect(await output("paths", "cat /one")).toBe("one");
});

test("settings of the machine are there to be read, home is the user's, and groups hold the first", async () => {
  const securityContext = { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000] };
  node.run("own", {
    containers: [sleeper("c"), sleeper("d", { securityContext: { runAsUser: 1000 } })],
    securityContext,
  });
  node.run("rooted", { containers: [sleeper("c")] });
  await Promise.all([node.podReady("own"), node.podReady("rooted")]);
  expect(await output("rooted", "echo $HOME; echo 1 2>&- >/proc/sys/vm/drop_caches || echo refused")).toBe(
    "/root\nrefused\n",
  );
  expect(await output("own", "echo $HOME; grep ^Groups: /proc/self/status")).toMatch(/^\/\nGroups:\s+3000 4000\s*\n$/);
});

test("a subPath of a variable that is not there is told", async () => {
  const volumeMounts = [{ name: "e", mountPath: "/e", subPathExpr: "$(NOPE)/x" }];
  node.run("nowhere", { containers: [sleeper("c", { volumeMounts })], volumes: [{ name: "e", emptyDir: {} }] });
  const event = await node.event("event", ({ pod, reason }) => pod === "nowhere" && reason === "Failed", WAIT_MS);
  expect(event.message).toBe("Error: missing value for NOPE");
});

test("who may not run as root does not; the status says so in the kubelet's words", async () => {
  node.run("root", { containers: [sleeper("c", { securityContext: { runAsNonRoot: true } })] });
  const event = await node.event("event", ({ pod, reason }) => pod === "root" && reason === "Failed", WAIT_MS);
  expect(event.message).toBe(
    'Error: container has runAsNonRoot and image will run as root (pod: "root_default(uid-root)", container: c)',
  );
  const reason = () => node.status("root")?.containerStatuses?.[0]?.state?.waiting?.reason;
  await until(() => reason() === "CreateContainerConfigError", { reason: "the status says so", timeoutMs: WAIT_MS });
});

test("limits and requests stand in control groups, and the groups go with their container", async (context) => {
  const ready = await node.event("ready", () => true);
  if (!ready.limits) context.skip("this machine offers no control groups: limits are not kept here");
  const resources = { requests: { cpu: "100m" }, limits: { cpu: "500m", memory: "64Mi" } };
  const pod = node.run("limited", { containers: [sleeper("c", { resources })] });
  await node.podReady("limited");
  const before = await node.groups();
  expect(before).toContain("uid-limited-c-1");
  expect(await output("limited", "cat /proc/1/cgroup")).toContain("uid-limited-c-1");
  // What is run in a container by exec is limited with it.
  expect(await output("limited", "cat /proc/self/cgroup")).toContain("uid-limited-c-1");
  // Programs find their limits where they look for them, and change nothing there.
  const limit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max";
  expect(await output("limited", limit)).toBe(`${64 << 20}\n`);
  expect((await node.exec("limited", "c", "find /sys/fs/cgroup -name cgroup.procs | xargs touch")).exitCode).not.toBe(
    0,
  );
  expect(node.status("limited")).toMatchObject({ qosClass: "Burstable" });
  expect(node.status("limited")?.containerStatuses?.[0]).toMatchObject({
    resources,
    allocatedResources: { cpu: "100m" },
  });
  node.remove(pod, 1);
  await node.event("removed", (one) => one.pod === "limited", WAIT_MS);
  expect(await node.groups()).not.toContain("uid-limited-c-1");
});

test("a pod of a node with both families has an address of each, and both lead to it", async (context) => {
  const ready = await node.event("ready", () => true);
  if (!ready.ipv6) context.skip("the kernel of this machine has no IPv6: pods have IPv4 addresses only");
  const program = "require('http').createServer((q, s) => s.end('hello')).listen(8080, '::')";
  const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1 };
  const env = [{ name: "IPS", valueFrom: { fieldRef: { fieldPath: "status.podIPs" } } }];
  node.run("six", {
    containers: [{ name: "c", image: "busybox", command: [process.execPath, "-e", program], readinessProbe, env }],
  });
  node.run("caller", { containers: [sleeper("c")] });
  await Promise.all([node.podReady("six"), node.podReady("caller")]);
  const addresses = (node.status("six")?.podIPs ?? []).map(({ ip = "" }) => ip);
  expect(addresses).toEqual([expect.stringMatching(/^10\.244\./), expect.stringMatching(/^fd44::/)]);
  expect(await output("six", "echo $IPS")).toBe(`${addresses.join(",")}\n`);
  expect(await output("six", "cat /etc/hosts")).toContain(`${addresses[1]}\tsix\n`);
  expect(await output("caller", `curl -s --max-time 20 http://[${addresses[1]}]:8080`)).toBe("hello");
});

test("a pod that runs is given other resources, which hold at once", async (context) => {
  const ready = await node.event("ready", () => true);
  if (!ready.limits) context.skip("this machine offers no control groups: limits are not kept here");
  const bytes = 120_000_000;
  const wait = "until [ -e /v/go ]; do sleep 0.05; done";
  const command = ["sh", "-c", `${wait}; head -c ${bytes} /dev/zero | tail -c ${bytes} | wc -c; exec sleep 1000`];
  const sized = (memory: string): Container => ({
    ...sleeper("c", { command, volumeMounts: [{ name: "v", mountPath: "/v" }] }),
    resources: { requests: { memory: "16Mi" }, limits: { memory } },
  });
  const spec = (memory: string) => ({ containers: [sized(memory)], volumes: [{ name: "v", emptyDir: {} }] });
  const pod = node.run("grows", spec("32Mi"));
  await node.podReady("grows");
  node.send({ do: "pod", type: "MODIFIED", pod: { ...pod, spec: spec("512Mi") } });
  const has = (memory: string) => {
    const [status] = node.status("grows")?.containerStatuses ?? [];
    return status?.resources?.limits?.["memory"] === memory && status.restartCount === 0;
  };
  await until(() => has("512Mi"), { reason: "the status tells the new limit", timeoutMs: WAIT_MS });
  await node.exec("grows", "c", "touch /v/go");
  const counted = async () => (await node.log("grows", "c")).includes(`${bytes}`);
  await until(counted, { reason: "the program has the memory that it needs", timeoutMs: WAIT_MS });
  const told = node.events.filter((one) => one.event === "event" && one.pod === "grows").map(({ reason }) => reason);
  expect(told).toEqual(expect.arrayContaining(["ResizeStarted", "ResizeCompleted"]));
});

test("when the node stops, nothing is left", async () => {
  expect(await node.quit()).toBe("");
});
