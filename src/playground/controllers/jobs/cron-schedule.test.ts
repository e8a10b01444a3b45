import { describe, expect, it } from "vitest";
import type { CronJob } from "#api/kubernetes/gen/types";
import { dueOf, parseSchedule, scheduledTimestamp } from "./cron-schedule.ts";

const at = (time: string) => Date.parse(time);
const told = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());

describe("parseSchedule", () => {
  it.each([
    ["*/15 * * * *", "2026-03-01T10:07:00Z", "2026-03-01T10:15:00.000Z"],
    ["30 6-16/4 * * 1-5", "2026-03-06T14:31:00Z", "2026-03-09T06:30:00.000Z"],
    ["0 0 13 * FRI", "2026-03-01T00:00:00Z", "2026-03-06T00:00:00.000Z"],
    ["5/20 * * * ?", "2026-03-01T10:26:00Z", "2026-03-01T10:45:00.000Z"],
    ["0 12 * JAN *", "2026-03-01T00:00:00Z", "2027-01-01T12:00:00.000Z"],
    ["@hourly", "2026-03-01T10:00:00Z", "2026-03-01T11:00:00.000Z"],
    ["@midnight", "2026-03-01T10:00:00Z", "2026-03-02T00:00:00.000Z"],
    ["@every 1m30s", "2026-03-01T10:00:00.700Z", "2026-03-01T10:01:30.000Z"],
  ])("finds the next time of %s", (schedule, after, next) => {
    expect(told(parseSchedule({ schedule }).next(at(after)))).toBe(next);
  });

  it("reads a schedule in its time zone, summer time included", () => {
    const { next } = parseSchedule({ schedule: "30 8 * * *", timeZone: "Europe/Berlin" });
    expect(told(next(at("2026-01-10T12:00:00Z")))).toBe("2026-01-11T07:30:00.000Z");
    expect(told(next(at("2026-07-10T12:00:00Z")))).toBe("2026-07-11T06:30:00.000Z");
  });

  it("has no next time for a day that never comes", () => {
    expect(parseSchedule({ schedule: "0 0 31 2 *" }).next(at("2026-01-01T00:00:00Z"))).toBeUndefined();
  });
});

describe("dueOf", () => {
  const cronJob = (last: string | undefined, spec: object = {}): CronJob => ({
    metadata: { name: "tick", creationTimestamp: "2026-03-01T10:00:30Z" },
    spec: { schedule: "* * * * *", jobTemplate: {}, ...spec },
    ...(last === undefined ? {} : { status: { lastScheduleTime: last } }),
  });
  const minutes = parseSchedule({ schedule: "* * * * *" });
  const due = (object: CronJob, now: string) => {
    const found = dueOf(object, minutes, at(now));
    return [told(found.at), found.nextInMs, found.missedMany];
  };

  it.each([
    ["before its first time", undefined, "2026-03-01T10:00:40Z", [undefined, 20_000, false]],
    ["at its first time", undefined, "2026-03-01T10:01:00Z", ["2026-03-01T10:01:00.000Z", 60_000, false]],
    ["after a start", "2026-03-01T10:01:00Z", "2026-03-01T10:01:10Z", [undefined, 50_000, false]],
    [
      "after a pause: only the latest",
      "2026-03-01T10:01:00Z",
      "2026-03-01T10:09:15Z",
      ["2026-03-01T10:09:00.000Z", 45_000, false],
    ],
    [
      "after a very long pause",
      "2020-03-01T10:01:00Z",
      "2026-03-01T10:09:15Z",
      ["2026-03-01T10:09:00.000Z", 45_000, true],
    ],
  ] as const)("tells what is due %s", (_when, last, now, expected) => {
    expect(due(cronJob(last), now)).toEqual(expected);
  });

  it("forgets what is older than the deadline", () => {
    const late = cronJob("2026-03-01T10:01:00Z", { startingDeadlineSeconds: 10 });
    expect(due(late, "2026-03-01T10:05:30Z")).toEqual([undefined, 30_000, false]);
    expect(due(late, "2026-03-01T10:05:05Z")).toEqual(["2026-03-01T10:05:00.000Z", 55_000, false]);
  });
});

describe("scheduledTimestamp", () => {
  it.each([
    [undefined, "2026-03-01T10:05:00Z"],
    ["Europe/Berlin", "2026-03-01T11:05:00+01:00"],
    ["America/St_Johns", "2026-03-01T06:35:00-03:30"],
  ])("tells the time of %s", (zone, expected) => {
    expect(scheduledTimestamp(at("2026-03-01T10:05:00Z"), zone)).toBe(expected);
  });
});
