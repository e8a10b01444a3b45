import { describe, expect, it } from "vitest";
import type { JsonObject } from "../contract.ts";
import { shortDuration } from "./durations.ts";
import { jsonPath } from "./json-path.ts";
import { podStatus } from "./pod-columns.ts";

describe("durations", () => {
  it.each([
    [5, "5s"],
    [119, "119s"],
    [125, "2m5s"],
    [600, "10m"],
    [3 * 3600 + 60, "3h1m"],
    [9 * 3600, "9h"],
    [50 * 3600, "2d2h"],
    [20 * 86400, "20d"],
    [800 * 86400, "2y70d"],
  ])("%d s is %s", (seconds, text) => {
    expect(shortDuration(seconds)).toBe(text);
  });
});

describe("JSONPath", () => {
  const object: JsonObject = {
    spec: { hosts: ["a", "b"], "odd.key": 1 },
    status: {
      conditions: [
        { type: "Ready", status: "True" },
        { type: "Other", status: "False" },
      ],
    },
  };
  it.each([
    [".spec.hosts", [["a", "b"]]],
    [".spec.hosts[*]", ["a", "b"]],
    [".spec.hosts[-1]", ["b"]],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type!='Ready')].status", ["False"]],
    [".spec['odd.key']", [1]],
    [".spec.odd\\.key", [1]],
    [".spec.missing", []],
  ])("%s", (path, values) => {
    expect(jsonPath(path, object)).toEqual(values);
  });
});

describe("pod status", () => {
  const pod = (status: JsonObject, more: JsonObject = {}): JsonObject => ({
    metadata: {},
    spec: { containers: [{ name: "a" }], initContainers: [{ name: "i" }] },
    status,
    ...more,
  });
  const waiting = (reason: string): JsonObject => ({ name: "a", state: { waiting: { reason } } });

  it.each([
    ["Pending", { phase: "Pending" }],
    ["CrashLoopBackOff", { phase: "Running", containerStatuses: [waiting("CrashLoopBackOff")] }],
    ["Init:0/1", { phase: "Pending", initContainerStatuses: [{ name: "i", state: { running: {} } }] }],
    ["Init:ErrImagePull", { phase: "Pending", initContainerStatuses: [waiting("ErrImagePull")] }],
    ["Error", { phase: "Failed", containerStatuses: [{ state: { terminated: { reason: "Error", exitCode: 1 } } }] }],
    ["ExitCode:2", { phase: "Failed", containerStatuses: [{ state: { terminated: { exitCode: 2 } } }] }],
  ])("%s", (text, status) => {
    expect(podStatus(pod(status as JsonObject))).toBe(text);
  });

  it("is Terminating while it goes", () => {
    const metadata = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    expect(podStatus(pod({ phase: "Running" }, { metadata }))).toBe("Terminating");
  });
});
