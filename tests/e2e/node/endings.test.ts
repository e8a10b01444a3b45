// How containers and pods end, and what is told about it: the words are those of a real kubelet.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Container, ContainerStatus } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { type HarnessEvent, NodeHarness } from "./node-harness.ts";

const node = new NodeHarness();
beforeAll(() => node.ready());
afterAll(() => node.close());

const shell = (name: string, script: string, more: Partial<Container> = {}): Container => ({
  name,
  image: "busybox",
  command: ["sh", "-c", script],
  ...more,
});
const once = { restartPolicy: "Never" } as const;
const WAIT_MS = 60_000;

function status(pod: string, matches: (one: ContainerStatus) => boolean): Promise<HarnessEvent> {
  const found = (event: HarnessEvent) => (event.status?.containerStatuses ?? []).some(matches);
  return node.event("status", (event) => event.pod === pod && found(event), WAIT_MS);
}

async function terminated(pod: string) {
  const event = await status(pod, ({ state }) => state?.terminated !== undefined);
  return event.status?.containerStatuses?.[0]?.state?.terminated;
}

const phase = (pod: string, word: string) =>
  node.event("status", (event) => event.pod === pod && event.status?.phase === word, WAIT_MS);
const told = (pod: string, reason: string) =>
  node.event("event", (event) => event.pod === pod && event.reason === reason, WAIT_MS);

test.each([
  ["completed", "exit 0", { exitCode: 0, reason: "Completed" }],
  ["failed", "exit 7", { exitCode: 7, reason: "Error" }],
  ["terminated", "kill -TERM $$; sleep 1; exit 143", { exitCode: 143, reason: "Error" }],
  ["said", "echo why > /dev/termination-log; exit 1", { exitCode: 1, message: "why\n" }],
])("%s", async (name, script, expected) => {
  node.run(name, { ...once, containers: [shell("c", script)] });
  expect(await terminated(name)).toMatchObject(expected);
});

test("killed from outside is 137, not an unknown code", async () => {
  node.run("shot", { ...once, containers: [shell("c", "exec sleep 1000")] });
  await node.podReady("shot");
  node.send({ do: "kill", pod: "shot", container: "c" });
  expect(await terminated("shot")).toMatchObject({ exitCode: 137, reason: "Error" });
});

test("the end of the log stands in for a message, if the container wants that and fails", async () => {
  const terminationMessagePolicy = "FallbackToLogsOnError";
  node.run("log", { ...once, containers: [shell("c", "echo last words; exit 3", { terminationMessagePolicy })] });
  expect((await terminated("log"))?.message).toBe("last words\n");
});

test("a program that is not there is a start error", async () => {
  node.run("nothing", { ...once, containers: [{ name: "c", image: "busybox", command: ["/no/such"] }] });
  expect(await terminated("nothing")).toMatchObject({
    exitCode: 128,
    reason: "StartError",
    message: 'exec: "/no/such": stat /no/such: no such file or directory',
    startedAt: "1970-01-01T00:00:00Z",
  });
  expect((await told("nothing", "Failed")).message).toContain('Error: exec: "/no/such"');
});

test.each([
  ["plain", { command: ["/etc/passwd"] }, 'exec: "/etc/passwd": permission denied'],
  ["folder", { command: ["/etc"] }, 'exec: "/etc": is a directory'],
  [
    "cwd",
    { command: ["true"], workingDir: "/etc/passwd" },
    'chdir to cwd ("/etc/passwd") set in config.json failed: not a directory',
  ],
])("what cannot be started is a start error: %s", async (name, container, message) => {
  node.run(name, { ...once, containers: [{ name: "c", image: "busybox", ...container }] });
  expect(await terminated(name)).toMatchObject({ exitCode: 128, reason: "StartError", message });
});

test("a memory limit is real, where the machine has control groups", async (context) => {
  const eat = "a=x; while :; do a=$a$a; done";
  node.run("hungry", { ...once, containers: [shell("c", eat, { resources: { limits: { memory: "32Mi" } } })] });
  const ready = await node.event("ready", () => true);
  if (!ready.limits) context.skip("this machine offers no memory control group: limits are not kept here");
  const end = await terminated("hungry");
  expect(end).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
});

test("back-off is told as kubelets tell it", async () => {
  node.run("crash", { containers: [shell("c", "exit 3")] });
  const event = await status("crash", ({ state }) => state?.waiting?.reason === "CrashLoopBackOff");
  const [one] = event.status?.containerStatuses ?? [];
  expect(one?.state?.waiting?.message).toBe("back-off 10s restarting failed container=c pod=crash_default(uid-crash)");
  expect(one?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: "Error" });
  expect((await told("crash", "BackOff")).message).toBe(
    "Back-off restarting failed container c in pod crash_default(uid-crash)",
  );
});

test("a container's own rules decide before the pod's policy", async () => {
  const restartPolicyRules = [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }];
  const container = shell("c", "exit 42", { restartPolicy: "Never", restartPolicyRules });
  node.run("rules", { ...once, containers: [container] });
  await status("rules", ({ restartCount }) => restartCount === 1);
});

test("a postStart hook that fails ends its container; its words stand in the status, not in the event", async () => {
  const lifecycle = { postStart: { exec: { command: ["sh", "-c", "echo secret; exit 1"] } } };
  node.run("hook", { terminationGracePeriodSeconds: 0, containers: [shell("c", "exec sleep 1000", { lifecycle })] });
  expect((await told("hook", "FailedPostStartHook")).message).toBe("PostStartHook failed");
  expect((await told("hook", "Killing")).message).toBe("FailedPostStartHook");
  const event = await status("hook", ({ state }) => state?.waiting?.reason === "PostStartHookError");
  expect(event.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
    'Exec lifecycle hook ([sh -c echo secret; exit 1]) for Container "c" in Pod "hook_default(uid-hook)" failed - error: command \'sh -c echo secret; exit 1\' exited with 1: secret\n, message: "secret\\n"',
  );
});

test("a hook that opens a TCP port is one that no node can run", async () => {
  const lifecycle = { postStart: { tcpSocket: { port: 1 } } };
  node.run("tcp", { terminationGracePeriodSeconds: 0, containers: [shell("c", "exec sleep 1000", { lifecycle })] });
  const event = await status("tcp", ({ state }) => state?.waiting?.reason === "PostStartHookError");
  const message = "Cannot run handler: invalid handler: tcpSocket";
  expect(event.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(message);
});

test("a probe that cannot even be made counts for nothing", async () => {
  const livenessProbe = { exec: { command: ["/no/such"] }, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 60 };
  node.run("unmade", { containers: [shell("c", "exec sleep 1000", { livenessProbe })] });
  const again = () => node.events.filter((event) => event.pod === "unmade" && event.reason === "Unhealthy");
  await until(() => again().length > 2, { reason: "three periods", timeoutMs: WAIT_MS });
  expect(again()[0]?.message).toBe(
    'Liveness probe errored and resulted in unknown state: exec: "/no/such": stat /no/such: no such file or directory',
  );
  expect(node.status("unmade")?.containerStatuses?.[0]).toMatchObject({ restartCount: 0, ready: true });
});

test("what cannot be the name of an image is told so", async () => {
  node.run("misnamed", { containers: [{ name: "c", image: "Foo:1" }] });
  const event = await status("misnamed", ({ state }) => state?.waiting?.reason === "InvalidImageName");
  expect(event.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
    'Failed to apply default image tag "Foo:1": couldn\'t parse image name "Foo:1": invalid reference format: repository name (library/Foo) must be lowercase',
  );
});

test("hooks sleep, and a preStop hook that fails is told", async () => {
  const lifecycle = { postStart: { sleep: { seconds: 1 } }, preStop: { exec: { command: ["false"] } } };
  const pod = node.run("sleepy", { containers: [shell("c", "exec sleep 1000", { lifecycle })] });
  await node.podReady("sleepy");
  node.remove(pod, 1);
  expect((await told("sleepy", "FailedPreStopHook")).message).toBe("PreStopHook failed");
});

test("a pod past its deadline fails and ends", async () => {
  node.run("late", {
    activeDeadlineSeconds: 3,
    terminationGracePeriodSeconds: 0,
    containers: [shell("c", "exec sleep 1000")],
  });
  const event = await phase("late", "Failed");
  expect(event.status).toMatchObject({
    reason: "DeadlineExceeded",
    message: "Pod was active on the node longer than the specified deadline",
  });
  expect((await terminated("late"))?.exitCode).toBe(137);
});

test("sidecars start before, end after, the last first; with them the pod is complete", async () => {
  const sidecar = (name: string) => ({
    ...shell(
      name,
      `echo +${name} >> /v/log; trap 'echo -${name} >> /v/log; exit 0' TERM; while :; do sleep 0.05; done`,
    ),
    restartPolicy: "Always",
    startupProbe: {
      exec: { command: ["grep", "-q", `+${name}`, "/v/log"] },
      ...{ periodSeconds: 1, timeoutSeconds: 60, failureThreshold: 60 },
    },
  });
  const v = { volumeMounts: [{ name: "v", mountPath: "/v" }] };
  const late = shell("check", "trap 'cat /v/log; exit 0' TERM; while :; do sleep 0.05; done");
  node.run("job", {
    ...once,
    initContainers: [
      { ...late, ...v, restartPolicy: "Always" },
      ...["a", "b"].map((name) => ({ ...sidecar(name), ...v })),
    ],
    containers: [{ ...shell("main", "echo main >> /v/log"), ...v }],
    volumes: [{ name: "v", emptyDir: {} }],
  });
  const event = await phase("job", "Succeeded");
  const statuses = event.status?.initContainerStatuses ?? [];
  expect(statuses.map(({ state }) => state?.terminated?.exitCode)).toEqual([0, 0, 0]);
  expect((await node.log("job", "check")).match(/(?<= F ).*/g)).toEqual(["+a", "+b", "main", "-b", "-a"]);
});

test("an init container that fails for good fails the pod", async () => {
  node.run("init", { ...once, initContainers: [shell("i", "exit 1")], containers: [shell("c", "exit 0")] });
  const event = await phase("init", "Failed");
  expect(event.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe("PodInitializing");
});

test("a liveness probe ends a container within the probe's own grace period", async () => {
  const livenessProbe = {
    exec: { command: ["false"] },
    periodSeconds: 1,
    timeoutSeconds: 60,
    failureThreshold: 1,
    terminationGracePeriodSeconds: 1,
  };
  node.run("dead", {
    terminationGracePeriodSeconds: 3600,
    containers: [shell("c", "trap : TERM; while :; do sleep 0.1; done", { livenessProbe })],
  });
  await status("dead", ({ restartCount }) => restartCount === 1);
  expect((await told("dead", "Killing")).message).toBe("Container c failed liveness probe, will be restarted");
  expect((await told("dead", "Unhealthy")).message).toMatch(/^Liveness probe failed: /);
});

test("what asks for more than the node has is refused, unless a scheduler weighed it", async () => {
  const big = [shell("c", "exit 0", { resources: { requests: { cpu: "1000" } } })];
  node.run("big", { containers: big });
  const event = await phase("big", "Failed");
  expect(event.status).toMatchObject({ reason: "OutOfcpu" });
  expect(event.status?.message).toMatch(
    /^Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, used: \d+, capacity: 2000$/,
  );
  node.run("forbidden", {
    containers: [shell("c", "exit 0")],
    securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] },
  });
  expect((await phase("forbidden", "Failed")).status).toMatchObject({
    reason: "SysctlForbidden",
    message: 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted',
  });
});

test("a pod that is deleted at the moment of its end goes whole", async () => {
  const names = ["gone-1", "gone-2", "gone-3", "gone-4", "gone-5"];
  await Promise.all(
    names.map(async (name) => {
      const pod = node.run(name, { ...once, containers: [shell("c", "exit 0")] });
      await phase(name, "Succeeded");
      node.remove(pod, 30);
      await node.event("removed", (event) => event.pod === name);
    }),
  );
});
