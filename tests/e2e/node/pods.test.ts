import { afterAll, beforeAll, expect, test } from "vitest";
import type { Container } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { NodeHarness } from "./node-harness.ts";

const node = new NodeHarness();
beforeAll(() => node.ready());
afterAll(() => node.close());

const shell = (name: string, script: string, more: Partial<Container> = {}): Container => ({
  name,
  image: "busybox",
  command: ["sh", "-c", script],
  ...more,
});
const sleeper = (name: string, more: Partial<Container> = {}) => shell(name, "exec sleep 1000", more);

test("two containers run, share the network, and are apart otherwise", async () => {
  node.run("two", {
    containers: [sleeper("a"), sleeper("b", { securityContext: { runAsUser: 1337, runAsGroup: 1337 } })],
  });
  await node.podReady("two");
  const script = "hostname; cat /proc/1/comm; id -u; ls -A /root 2>/dev/null | wc -l";
  const [a, b] = await Promise.all([node.exec("two", "a", script), node.exec("two", "b", script)]);
  expect(a.output).toBe("two\nsleep\n0\n0\n");
  expect(b.output).toBe("two\nsleep\n1337\n0\n");
  const address = "ip -4 -o addr show eth0 | grep -o '10[.0-9]*/32'";
  expect((await node.exec("two", "a", address)).output).toBe((await node.exec("two", "b", address)).output);
  await node.exec("two", "a", "echo mine > /etc/isthmus-test; echo x > /dev/stdout");
  expect((await node.exec("two", "b", "cat /etc/isthmus-test")).exitCode).not.toBe(0);
});

test("a locked-down container can do no more than it should; one that differs only in that can", async () => {
  const locked = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsUser: 1337,
    capabilities: { drop: ["ALL"] },
  };
  node.run("locked", {
    containers: [
      sleeper("locked", { securityContext: locked, volumeMounts: [{ name: "e", mountPath: "/etc/istio/proxy" }] }),
      sleeper("open"),
      sleeper("net", { securityContext: { capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] } } }),
    ],
    volumes: [{ name: "e", emptyDir: { medium: "Memory" } }],
  });
  await node.podReady("locked");
  const exitCode = async (container: string, script: string) => (await node.exec("locked", container, script)).exitCode;
  expect(await exitCode("locked", "touch /tmp/x")).not.toBe(0);
  expect(await exitCode("open", "touch /tmp/x")).toBe(0);
  expect(await exitCode("locked", "echo y > /etc/istio/proxy/y")).toBe(0);
  const caps = async (container: string) =>
    (await node.exec("locked", container, "grep -E 'CapBnd|NoNew' /proc/self/status")).output;
  expect(await caps("locked")).toMatch(/CapBnd:\s0+\nNoNewPrivs:\s1/);
  expect(await caps("open")).toMatch(/CapBnd:\s00000000a80425fb\nNoNewPrivs:\s0/);
  expect(await exitCode("net", "ip addr add 192.0.2.1/32 dev lo")).toBe(0);
  expect(await exitCode("open", "ip addr add 192.0.2.2/32 dev lo")).not.toBe(0);
});

test("a pod waits for its config map and goes on the moment it is there; later changes arrive in the file", async () => {
  node.run("late", {
    containers: [sleeper("c", { volumeMounts: [{ name: "ca", mountPath: "/var/run/secrets/istio" }] })],
    volumes: [{ name: "ca", configMap: { name: "istio-ca-root-cert" } }],
  });
  const failed = await node.event("event", ({ pod, reason }) => pod === "late" && reason === "FailedMount");
  expect(failed.message).toContain('volume "ca" : configmap "istio-ca-root-cert" not found');
  expect(node.status("late")?.phase).toBe("Pending");
  const metadata = { namespace: "default", name: "istio-ca-root-cert" };
  node.put({ kind: "ConfigMap", metadata, data: { "root-cert.pem": "one" } });
  await node.podReady("late");
  expect((await node.exec("late", "c", "cat /var/run/secrets/istio/root-cert.pem")).output).toBe("one");
  node.put({ kind: "ConfigMap", metadata, data: { "root-cert.pem": "two" } });
  await until(async () => (await node.exec("late", "c", "cat /run/secrets/istio/root-cert.pem")).output === "two", {
    reason: "the new certificate is in the file",
    timeoutMs: 60_000,
  });
});

test("init containers run in order, a postStart hook holds back the next container", async () => {
  node.run("ordered", {
    initContainers: [shell("one", "echo 1 >> /v/order"), shell("two", "echo 2 >> /v/order")].map(withVolume),
    containers: [
      {
        ...sleeper("first"),
        lifecycle: { postStart: { exec: { command: ["sh", "-c", "sleep 0.2; echo hook >> /v/order"] } } },
      },
      shell("second", "echo second >> /v/order; exec sleep 1000"),
    ].map(withVolume),
    volumes: [{ name: "v", emptyDir: {} }],
  });
  await node.podReady("ordered");
  await until(async () => (await node.exec("ordered", "first", "cat /v/order")).output === "1\n2\nhook\nsecond\n", {
    reason: "all have written in order",
    timeoutMs: 60_000,
  });
});

function withVolume(container: Container): Container {
  return { ...container, volumeMounts: [{ name: "v", mountPath: "/v" }] };
}

test("a container that ends starts again at once, then with back-off; its log stays", async () => {
  node.run("crash", { containers: [shell("c", "echo bye; exit 3")] });
  await node.event("status", ({ pod, status }) => {
    const [one] = status?.containerStatuses ?? [];
    return pod === "crash" && one?.restartCount === 1 && one.state?.waiting?.reason === "CrashLoopBackOff";
  });
  const [status] = node.status("crash")?.containerStatuses ?? [];
  expect(status?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: "Error" });
  expect(await node.log("crash", "c")).toMatch(/^\S+Z stdout F bye\n$/);
});

test("a pod that runs to its end succeeds; one that fails for good fails", async () => {
  node.run("good", { restartPolicy: "Never", containers: [shell("c", "exit 0")] });
  node.run("bad", { restartPolicy: "Never", containers: [shell("c", "exit 2")] });
  await node.event("status", ({ pod, status }) => pod === "good" && status?.phase === "Succeeded");
  await node.event("status", ({ pod, status }) => pod === "bad" && status?.phase === "Failed");
});

test("an image without an entry says how to add one", async () => {
  node.run("unknown", { containers: [{ name: "c", image: "example.test/team/app:1" }] });
  const failed = await node.event("event", ({ pod, reason }) => pod === "unknown" && reason === "Failed");
  expect(failed.message).toMatch(
    /no image catalogue has an entry for "example.test\/team\/app:1".*add to .*images.yaml/,
  );
  const reason = () => node.status("unknown")?.containerStatuses?.[0]?.state?.waiting?.reason;
  await until(() => reason() === "ErrImagePull", { reason: "the status says ErrImagePull", timeoutMs: 60_000 });
});

test("helloworld is ready as soon as it answers, and a failing liveness probe restarts it", async () => {
  const readinessProbe = { httpGet: { path: "/health", port: "http" }, periodSeconds: 30 };
  const often = { periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 60 };
  const livenessProbe = { exec: { command: ["test", "!", "-e", "/tmp/dead"] }, ...often };
  const ports = [{ name: "http", containerPort: 5000 }];
  const image = "docker.io/istio/examples-helloworld-v2";
  node.run("hello", {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "c", image, ports, readinessProbe, livenessProbe }],
  });
  await node.podReady("hello");
  expect((await node.exec("hello", "c", "curl -s localhost:5000/hello")).output).toBe(
    "Hello version: v2, instance: hello\n",
  );
  await node.exec("hello", "c", "touch /tmp/dead");
  await node.event(
    "status",
    ({ pod, status }) => pod === "hello" && status?.containerStatuses?.[0]?.restartCount === 1,
  );
});

test("a deleted pod gets its hook, its SIGTERM and its grace; then nothing is left of it", async () => {
  const trap = "trap 'echo term; exit 0' TERM; while true; do sleep 0.05; done";
  const pod = node.run("graceful", {
    containers: [
      shell("c", trap, { lifecycle: { preStop: { exec: { command: ["sh", "-c", "echo hook > /proc/1/fd/1"] } } } }),
    ],
  });
  const stubborn = node.run("stubborn", { containers: [sleeper("c")] });
  await Promise.all([node.podReady("graceful"), node.podReady("stubborn")]);
  const deletedAt = Date.now();
  node.remove(pod, 60);
  node.remove(stubborn, 1);
  await node.event("removed", ({ pod }) => pod === "graceful");
  expect(node.status("graceful")?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 0 });
  const forced = await node.event("removed", ({ pod }) => pod === "stubborn");
  // Clocks are read in two processes; a busy machine only makes it longer.
  expect(forced.at - deletedAt).toBeGreaterThanOrEqual(900);
  expect(node.status("stubborn")?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 137 });
});

test("when the node stops, no namespace and no link is left", async () => {
  expect(await node.quit()).toBe("");
});
