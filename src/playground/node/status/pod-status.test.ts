import { expect, test } from "vitest";
import type { ContainerStatus, Pod } from "#api/kubernetes/gen/types";
import { type ObservedContainer, type ObservedPod, podPhase, podStatus } from "./pod-status.ts";
import { nextBackOff, shouldRestart } from "./restart-policy.ts";

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
    ...{ podIP: "10.0.0.1", hostIP: "h", startTime: "s", now: "now", init, containers, conditions: [] },
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
  expect([
    shouldRestart("OnFailure", 0),
    shouldRestart("OnFailure", 1),
    shouldRestart("Never", 1),
    shouldRestart("Always", 0),
  ]).toEqual([false, true, false, true]);
});
