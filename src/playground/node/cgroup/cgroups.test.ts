import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "#base/clock";
import { createLogger } from "#base/logger";
import { findHierarchies } from "./cgroup-hierarchies.ts";
import { createContainerCgroups } from "./container-cgroups.ts";
import { cgroupFiles, resourceLimits } from "./resource-limits.ts";

const read = (path: string) => (path === "/cg/cgroup.controllers" ? "cpuset cpu io memory pids\n" : undefined);

test("version 1, version 2 and a mix of both", () => {
  const v1 = "cgroup /v1/memory cgroup rw,relatime,memory 0 0\ncgroup /v1/cpu cgroup rw,cpu,cpuacct 0 0";
  const v2 = "cgroup2 /cg cgroup2 rw,nsdelegate 0 0";
  const short = (mounts: string) =>
    findHierarchies(mounts, read).map(({ version, path, controllers }) => [version, path, [...controllers].join()]);
  expect(short(`${v1}\ncgroup2 /unified cgroup2 rw 0 0`)).toEqual([
    [1, "/v1/memory", "memory"],
    [1, "/v1/cpu", "cpu"],
  ]);
  expect(short(v2)).toEqual([[2, "/cg", "cpu,memory,pids"]]);
  expect(short("proc /proc proc rw 0 0")).toEqual([]);
});

test("requests and limits as the kernel takes them", () => {
  const resources = { requests: { cpu: "100m" }, limits: { cpu: "1500m", memory: "64Mi" } };
  const limits = resourceLimits({ resources }) ?? {};
  const all = new Set(["cpu", "memory", "pids"] as const);
  expect(Object.fromEntries(cgroupFiles({ version: 1, controllers: all }, limits))).toEqual({
    "memory.limit_in_bytes": "67108864",
    "cpu.shares": "102",
    "cpu.cfs_period_us": "100000",
    "cpu.cfs_quota_us": "150000",
    "pids.max": "8192",
  });
  expect(Object.fromEntries(cgroupFiles({ version: 2, controllers: all }, limits))).toEqual({
    "memory.max": "67108864",
    "memory.oom.group": "1",
    "cpu.weight": "4",
    "cpu.max": "150000 100000",
    "pids.max": "8192",
  });
  expect(resourceLimits({ resources: { limits: { "example.com/gpu": "1" } } })).toBeUndefined();
});

test("groups are made in the node's own folder; what an earlier run left goes first", () => {
  const top = mkdtempSync(join(tmpdir(), "cgroup-"));
  mkdirSync(join(top, "mine", "old"), { recursive: true });
  const hierarchy = { version: 2, path: top, controllers: new Set(["memory"] as const) } as const;
  const groups = createContainerCgroups([hierarchy], "mine", {
    clock: systemClock,
    logger: createLogger("t", "error"),
  });
  expect(readdirSync(top)).toEqual([]);
  const group = groups.create("pod-c-1", { memory: 1000 });
  expect(readFileSync(join(top, "mine/pod-c-1/memory.max"), "utf8")).toBe("1000");
  expect(group?.procsFiles).toEqual([join(top, "mine/pod-c-1/cgroup.procs")]);
  writeFileSync(join(top, "mine/pod-c-1/memory.events"), "low 0\noom 2\noom_kill 1\noom_group_kill 0\n");
  expect(group?.oomKills()).toBe(1);
  expect(
    createContainerCgroups([], "mine", { clock: systemClock, logger: createLogger("t", "error") }).create("x", {}),
  ).toBe(undefined);
  rmSync(top, { recursive: true });
});
