// When a CronJob is due: pure, so that schedules can be tested without waiting.
import { Cron } from "croner";
import type { CronJob } from "#api/kubernetes/gen/types";

/** Times in milliseconds since 1970. */
export interface Schedule {
  /** The first time after `time`; undefined: never again. */
  next(time: number): number | undefined;
}

/** More missed starts than so many are told of. */
const MANY = 100;
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Throws when the schedule or the time zone cannot be read; the API server has refused most of those. */
export function parseSchedule({ schedule, timeZone }: { schedule: string; timeZone?: string }): Schedule {
  const [, own, text = ""] = /^(?:(?:CRON_)?TZ=(\S+)\s+)?(.*)$/.exec(schedule.trim()) ?? [];
  if (text.startsWith("@every ")) {
    const seconds = Math.max(1, Math.floor(durationOf(text.slice(7)) / 1000));
    return { next: (time) => (Math.floor(time / 1000) + seconds) * 1000 };
  }
  const pattern = text === "@midnight" ? "@daily" : text;
  const options = { paused: true, sloppyRanges: true, timezone: own ?? timeZone ?? "UTC" };
  const cron = new Cron(pattern, options);
  return { next: (time) => cron.nextRun(new Date(time))?.getTime() };
}

function durationOf(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0) throw new Error(`failed to parse duration ${text}`);
  return parts.reduce((sum, [, value = "0", unit = "s"]) => sum + Number(value) * (UNITS[unit] ?? 0), 0);
}

export interface Due {
  /** The latest start that has passed and has no Job yet. */
  readonly at: number | undefined;
  /** How long until the next start. */
  readonly nextInMs: number | undefined;
  readonly missedMany: boolean;
}

/** What is due of a CronJob at `now`. */
export function dueOf(cronJob: CronJob, schedule: Schedule, now: number): Due {
  const { startingDeadlineSeconds } = cronJob.spec ?? {};
  const last = Date.parse(cronJob.status?.lastScheduleTime ?? cronJob.metadata?.creationTimestamp ?? "") || now;
  const oldest = startingDeadlineSeconds === undefined ? last : Math.max(last, now - startingDeadlineSeconds * 1000);
  const { at, missed } = latestUntil(schedule, oldest, now);
  const recent = latestUntil(schedule, last, now);
  const next = schedule.next(recent.at ?? (recent.missed > 0 ? now : last));
  return { at, missedMany: missed > MANY, nextInMs: next === undefined ? undefined : Math.max(0, next - now) };
}

/** The last time after `from` that is not after `now`, and about how many there were. */
function latestUntil(schedule: Schedule, from: number, now: number): { at: number | undefined; missed: number } {
  const first = schedule.next(from);
  if (first === undefined || first > now) return { at: undefined, missed: 0 };
  const second = schedule.next(first);
  if (second === undefined || second > now) return { at: first, missed: 1 };
  const between = Math.max(1000, second - first);
  const missed = Math.floor((now - first) / between) + 1;
  // From shortly before the end: years of missed minutes are not walked one by one.
  let at: number | undefined;
  let time = schedule.next(first + (missed - 2) * between);
  while (time !== undefined && time <= now) {
    at = time;
    time = schedule.next(time);
  }
  return { at, missed };
}

/** RFC 3339 in the CronJob's own time zone, as Jobs carry it. */
export function scheduledTimestamp(milliseconds: number, timeZone = "UTC"): string {
  const name = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" })
    .formatToParts(milliseconds)
    .find(({ type }) => type === "timeZoneName")?.value;
  const [, sign = "+", hours = "00", minutes = "00"] = /GMT([+-])(\d\d):(\d\d)/.exec(name ?? "") ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const local = new Date(milliseconds + offset * 60_000).toISOString().slice(0, 19);
  return offset === 0 ? `${local}Z` : `${local}${sign}${hours}:${minutes}`;
}
