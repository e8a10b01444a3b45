import { expect, test } from "vitest";
import type { Container, ContainerStatus, Pod } from "#api/kubernetes/gen/types";
import { type ObservedContainer, type ObservedPod, podPhase, podStatus, qosClass } from "./pod-status.ts";
import { durationText, isDone, nextBackOff, shouldRestart } from "./restart-policy.ts";

const waiting = { waiting: { reason: "ContainerCreating" } };
const running = { running: { startedAt: "t" } };
const ended = (exitCode: number) => ({ terminated: { exitCode } });

function observed(
  name: string,
  status: Partial<ContainerStatus>,
  rest: Partial<ObservedContainer> = {},
): ObservedContainer {
  const full = { name, image: "i", imageID: "", ready: false, started: false, restartCount: 0, ...status };
  return { status: full, sidecar: false, finished: false, ...rest };
}

function pod(
  containers: ObservedContainer[],
  init: ObservedContainer[] = [],
  more: Partial<ObservedPod> = {},
): ObservedPod {
  return {
    pod: { spec: { containers: [], restartPolicy: "Always" } },
    ...{ podIPs: ["10.0.0.1"], hostIPs: ["h"], hasSandbox: true, failure: undefined, ephemeral: [] },
    ...{ startTime: "s", now: "now", init, containers, conditions: [] },
    ...more,
  };
}

const withPolicy = (restartPolicy: string): { pod: Pod } => ({ pod: { spec: { containers: [], restartPolicy } } });

test.each([
  ["Pending", pod([observed("a", { state: waiting })])],
  ["Pending", pod([observed("a", { state: running }), observed("b", { state: waiting })])],
  ["Running", pod([observed("a", { state: running })])],
  ["Running", pod([observed("a", { state: { waiting: { reason: "CrashLoopBackOff" } }, restartCount: 2 })])],
  ["Pending", pod([observed("a", { state: running })], [observed("i", { state: running })])],
  [
    "Running",
    pod([observed("a", { state: running })], [observed("s", { state: running, started: true }, { sidecar: true })]),
  ],
  [
    "Failed",
    pod(
      [observed("a", { state: waiting })],
      [observed("i", { state: ended(1) }, { finished: true })],
      withPolicy("Never"),
    ),
  ],
  ["Succeeded", pod([observed("a", { state: ended(0) }, { finished: true })], [], withPolicy("OnFailure"))],
  [
    "Failed",
    pod(
      [observed("a", { state: ended(0) }, { finished: true }), observed("b", { state: ended(3) }, { finished: true })],
      [],
      withPolicy("Never"),
    ),
  ],
])("%s", (phase, one) => {
  expect(podPhase(one)).toBe(phase);
});

test("a pod is ready when its containers and gates are, and conditions keep their time while they stay", () => {
  const ready = observed("a", { state: running, ready: true });
  const first = podStatus(pod([ready, observed("b", { state: running })]));
  expect(first.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    status: "False",
    message: "containers with unready status: [b]",
  });
  const later = podStatus({ ...pod([ready, { ...ready }]), now: "later", conditions: first.conditions ?? [] });
  const time = (type: string) => later.conditions?.find((one) => one.type === type)?.lastTransitionTime;
  expect([time("Ready"), time("Initialized")]).toEqual(["later", "now"]);
  const gated = pod([ready], [], { pod: { spec: { containers: [], readinessGates: [{ conditionType: "x/y" }] } } });
  const conditions = podStatus(gated).conditions ?? [];
  expect(conditions.filter(({ status }) => status === "False").map(({ type }) => type)).toEqual(["Ready"]);
});

test("back-off: at once, then 10 s doubling to 5 min, forgotten after ten good minutes", () => {
  const waits: number[] = [];
  let last: number | undefined;
  for (let index = 0; index < 8; index++) {
    last = nextBackOff(last, 1000);
    waits.push(last / 1000);
  }
  expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
  expect(nextBackOff(300_000, 600_000)).toBe(0);
  expect([0, 10_000, 80_000, 300_000].map(durationText)).toEqual(["0s", "10s", "1m20s", "5m0s"]);
});

test("a pod that is over before its containers were tells their end as unknown", () => {
  const failure = { reason: "DeadlineExceeded", message: "m" };
  const over = { failure, hasSandbox: false };
  const reasons = (one: ObservedPod) => {
    const { initContainerStatuses = [], containerStatuses = [] } = podStatus(one);
    return [...initContainerStatuses, ...containerStatuses].map(
      ({ state }) => state?.terminated?.reason ?? state?.waiting?.reason,
    );
  };
  expect(reasons(pod([observed("a", { state: waiting })], [], over))).toEqual(["ContainerStatusUnknown"]);
  expect(reasons(pod([observed("a", { state: waiting })], [], { failure }))).toEqual(["ContainerCreating"]);
  const init = [observed("i", { state: { terminated: { exitCode: 1, reason: "Error" } } }, { finished: true })];
  expect(reasons(pod([observed("a", { state: waiting })], init, over))).toEqual(["Error", "ContainerCreating"]);
});

const restarts = (restartPolicy: string, container: Partial<Container>, exitCode: number) =>
  shouldRestart({ name: "c", ...container }, { spec: { containers: [], restartPolicy } }, exitCode);

test("restarts: the pod's policy, the container's own before it, its rules before both", () => {
  expect([restarts("OnFailure", {}, 0), restarts("OnFailure", {}, 1), restarts("Never", {}, 1)]).toEqual([
    false,
    true,
    false,
  ]);
  expect(restarts("Never", { restartPolicy: "OnFailure" }, 3)).toBe(true);
  const exitCodes = { operator: "In", values: [42] };
  const rules = { restartPolicy: "Never", restartPolicyRules: [{ action: "Restart", exitCodes }] };
  expect([restarts("Never", rules, 42), restarts("Always", rules, 1)]).toEqual([true, false]);
  const init = (policy: string | undefined, exitCode: number) =>
    isDone(
      { name: "i", ...(policy ? { restartPolicy: policy } : {}) },
      { spec: { containers: [], restartPolicy: "Always" } },
      { isInit: true, exitCode },
    );
  expect([init(undefined, 0), init(undefined, 1), init("Always", 0)]).toEqual([true, false, false]);
});

test("a pod whose sidecar still runs goes on, and conditions say what the kubelet's do", () => {
  const sidecar = observed("s", { state: running, started: true, ready: true }, { sidecar: true });
  const done = observed("a", { state: ended(0) }, { finished: true });
  expect(podPhase(pod([done], [sidecar]))).toBe("Running");
  const gone = observed("s", { state: ended(137) }, { sidecar: true, finished: true });
  const status = podStatus(pod([done], [gone], { hasSandbox: false }));
  expect(status.phase).toBe("Succeeded");
  expect(Object.fromEntries((status.conditions ?? []).map((one) => [one.type, [one.status, one.reason]]))).toEqual({
    PodReadyToStartContainers: ["False", undefined],
    Initialized: ["True", "PodCompleted"],
    Ready: ["False", "PodCompleted"],
    ContainersReady: ["False", "PodCompleted"],
    PodScheduled: ["True", undefined],
  });
  const failure = { reason: "DeadlineExceeded", message: "m" };
  expect(podStatus(pod([done], [], { failure }))).toMatchObject({ phase: "Failed", ...failure });
});

test("status and conditions tell the generation that they are of", () => {
  const of = { metadata: { generation: 4 }, spec: { containers: [] } };
  const { observedGeneration, conditions } = podStatus(pod([observed("a", {})], [], { pod: of }));
  expect([observedGeneration, ...(conditions ?? []).map((one) => one.observedGeneration)]).toEqual([4, 4, 4, 4, 4, 4]);
});

test.each([
  ["BestEffort", {}],
  ["Burstable", { requests: { cpu: "1" } }],
  ["Burstable", { limits: { cpu: "1" } }],
  ["Guaranteed", { limits: { cpu: "1", memory: "1Gi" } }],
  ["Guaranteed", { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "1000m" } }],
  ["BestEffort", { limits: { "example.com/x": "1" } }],
])("quality of service %s", (word, resources) => {
  expect(qosClass({ spec: { containers: [{ name: "c", resources }] } })).toBe(word);
});
