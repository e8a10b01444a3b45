// The pod security standards by version: which checks make up a profile, in the order in which they are told.
import * as baseline from "./baseline-checks.ts";
import type { CheckPod, Finding, PodSubject } from "./pod-check.ts";
import * as restricted from "./restricted-checks.ts";

export type Level = "privileged" | "baseline" | "restricted";

/** `minor` of 1.x; undefined is the newest. */
export interface LevelVersion {
  readonly level: Level;
  readonly minor: number | undefined;
}

interface Check {
  readonly id: string;
  readonly level: "baseline" | "restricted";
  /** By the minor version from which each counts, oldest first. */
  readonly since: readonly (readonly [number, CheckPod])[];
  /** The check of the baseline that it takes the place of. */
  readonly instead?: string;
}

/** The newest version in which a check changed: later ones are like it. */
const NEWEST_MINOR = 35;

/** Sorted by id within a level: the order of messages. */
const CHECKS: readonly Check[] = [
  { id: "appArmorProfile", level: "baseline", since: [[0, baseline.appArmorProfile]] },
  { id: "capabilities_baseline", level: "baseline", since: [[0, baseline.capabilitiesBaseline]] },
  { id: "hostNamespaces", level: "baseline", since: [[0, baseline.hostNamespaces]] },
  { id: "hostPathVolumes", level: "baseline", since: [[0, baseline.hostPathVolumes]] },
  { id: "hostPorts", level: "baseline", since: [[0, baseline.hostPorts]] },
  { id: "hostProbesAndHostLifecycle", level: "baseline", since: [[34, baseline.hostProbesAndLifecycle]] },
  { id: "privileged", level: "baseline", since: [[0, baseline.privileged]] },
  {
    id: "procMount",
    level: "baseline",
    since: [
      [0, baseline.procMount],
      [35, baseline.procMountUnlessOwnUsers],
    ],
  },
  {
    id: "seLinuxOptions",
    level: "baseline",
    since: [
      [0, baseline.seLinuxOptions],
      [31, baseline.seLinuxOptionsWithEngine],
    ],
  },
  {
    id: "seccompProfile_baseline",
    level: "baseline",
    since: [
      [0, baseline.seccompAnnotations],
      [19, baseline.seccompProfile],
    ],
  },
  {
    id: "sysctls",
    level: "baseline",
    since: [
      [0, baseline.sysctls],
      [27, baseline.sysctls27],
      [29, baseline.sysctls29],
      [32, baseline.sysctls32],
    ],
  },
  { id: "windowsHostProcess", level: "baseline", since: [[0, baseline.windowsHostProcess]] },
  {
    id: "allowPrivilegeEscalation",
    level: "restricted",
    since: [
      [8, restricted.allowPrivilegeEscalation],
      [25, restricted.allowPrivilegeEscalation25],
    ],
  },
  {
    id: "capabilities_restricted",
    level: "restricted",
    instead: "capabilities_baseline",
    since: [
      [22, restricted.capabilitiesRestricted],
      [25, restricted.capabilitiesRestricted25],
    ],
  },
  { id: "procMount_restricted", level: "restricted", instead: "procMount", since: [[35, baseline.procMount]] },
  {
    id: "restrictedVolumes",
    level: "restricted",
    instead: "hostPathVolumes",
    since: [[0, restricted.restrictedVolumes]],
  },
  {
    id: "runAsNonRoot",
    level: "restricted",
    since: [
      [0, restricted.runAsNonRoot],
      [35, restricted.runAsNonRoot35],
    ],
  },
  {
    id: "runAsUser",
    level: "restricted",
    since: [
      [23, restricted.runAsUser],
      [35, restricted.runAsUser35],
    ],
  },
  {
    id: "seccompProfile_restricted",
    level: "restricted",
    instead: "seccompProfile_baseline",
    since: [
      [19, restricted.seccompRestricted],
      [25, restricted.seccompRestricted25],
    ],
  },
];

/** What a pod does that the profile does not allow. */
export function violations({ level, minor }: LevelVersion, pod: PodSubject): Finding[] {
  if (level === "privileged") return [];
  const version = Math.min(minor ?? NEWEST_MINOR, NEWEST_MINOR);
  const current = CHECKS.filter((check) => level === "restricted" || check.level === "baseline").flatMap((check) => {
    const [, run] = check.since.findLast(([since]) => since <= version) ?? [];
    return run === undefined ? [] : [{ ...check, run }];
  });
  const replaced = new Set(current.map(({ instead }) => instead));
  return current.filter(({ id }) => !replaced.has(id)).flatMap(({ run }) => run(pod) ?? []);
}

export const reasonsOf = (findings: readonly Finding[]): string => findings.map(({ reason }) => reason).join(", ");

export const detailsOf = (findings: readonly Finding[]): string =>
  findings.map(({ reason, detail }) => (detail === "" ? reason : `${reason} (${detail})`)).join(", ");
