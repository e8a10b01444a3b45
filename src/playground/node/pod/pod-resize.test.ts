import { describe, expect, test } from "vitest";
import type { Container, Pod } from "#api/kubernetes/gen/types";
import type { PodEvent } from "../node-api.ts";
import { needsRestart, PodResizer, type Resizable } from "./pod-resize.ts";

const container = (cpu: string, memory = "64Mi"): Container => ({
  name: "c",
  resources: { requests: { cpu, memory }, limits: { cpu, memory } },
});
const pod = (name: string, ...containers: Container[]): Pod => ({
  metadata: { name, generation: 2 },
  spec: { containers },
});

function play(others: readonly Pod[] = [], refusal?: string) {
  const events: PodEvent[] = [];
  const left = [...others];
  let has = container("100m");
  const member: Resizable = {
    name: "c",
    get container() {
      return has;
    },
    resize(wanted) {
      if (refusal === undefined) has = wanted;
      return refusal;
    },
  };
  const resizer = new PodResizer({
    allocatable: { cpu: "2", memory: "1Gi" },
    labels: {},
    others: () => left,
    record: (event) => events.push(event),
  });
  return {
    resizer,
    member,
    events,
    left,
    told: () => events.map(({ type, reason }) => `${type} ${reason}`),
    has: () => has,
  };
}

describe("a pod that is to have other resources", () => {
  test("gets what the node has, once, and says so in the words of a kubelet", () => {
    const { resizer, member, events, told, has } = play();
    // The same amount in other words is the same amount.
    expect(resizer.look(pod("p", container("0.1", "65536Ki")), [member])).toBe(false);
    expect(resizer.look(pod("p", container("200m")), [member])).toBe(true);
    resizer.look(pod("p", container("200m")), [member]);
    expect(told()).toEqual(["Normal ResizeStarted", "Normal ResizeCompleted"]);
    expect(has().resources?.limits?.["cpu"]).toBe("200m");
    expect(events[1]?.message).toBe(
      'Pod resize completed: {"containers":[{"name":"c","resources":{"requests":{"cpu":"200m","memory":"64Mi"},"limits":{"cpu":"200m","memory":"64Mi"}}}],"generation":2}',
    );
    expect(resizer.condition).toBeUndefined();
  });

  test("waits for what others have, and gets it when they are gone", () => {
    const { resizer, member, told, left } = play([pod("other", container("1500m"))]);
    const wanted = pod("p", container("1"));
    resizer.look(wanted, [member]);
    expect(resizer.look(wanted, [member])).toBe(false);
    const message = "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000";
    expect(resizer.condition).toEqual({ type: "PodResizePending", reason: "Deferred", message });
    left.pop();
    resizer.look(wanted, [member]);
    expect(resizer.condition).toBeUndefined();
    expect(told()).toEqual(["Warning ResizeDeferred", "Normal ResizeStarted", "Normal ResizeCompleted"]);
  });

  test("never gets more than the node has", () => {
    const { resizer, member, told } = play();
    resizer.look(pod("p", container("3", "2Gi")), [member]);
    const message = "Node didn't have enough capacity: memory, requested: 2147483648, capacity: 1073741824";
    expect(resizer.condition).toEqual({ type: "PodResizePending", reason: "Infeasible", message });
    expect(told()).toEqual(["Warning ResizeInfeasible"]);
  });

  test("says what the machine refused", () => {
    const { resizer, member, told } = play([], "device or resource busy");
    resizer.look(pod("p", container("200m", "1Mi")), [member]);
    expect(resizer.condition).toEqual({
      type: "PodResizeInProgress",
      reason: "Error",
      message: "device or resource busy",
    });
    expect(told()).toEqual(["Normal ResizeStarted", "Warning ResizeError"]);
  });
});

test("a policy of restart holds for the resource that it names", () => {
  const resizePolicy = [{ resourceName: "memory", restartPolicy: "RestartContainer" }];
  const after = (cpu: string, memory: string) => ({ ...container(cpu, memory), resizePolicy });
  const before = container("1");
  expect([needsRestart(before, after("2", "64Mi")), needsRestart(before, after("1", "65Mi"))]).toEqual([false, true]);
});
