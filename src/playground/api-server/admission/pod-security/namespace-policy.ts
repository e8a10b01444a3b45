// What the labels of a namespace say about its pods.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject } from "../../contract.ts";
import { invalid } from "../../validation/field-errors.ts";
import type { Level, LevelVersion } from "./profiles.ts";

const PREFIX = "pod-security.kubernetes.io/";
const LEVELS: readonly Level[] = ["privileged", "baseline", "restricted"];

export interface PodSecurityPolicy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
  /** Labels that say nothing useful. */
  readonly errors: readonly FieldError[];
}

type Mode = "enforce" | "audit" | "warn";

export function policyOf(labels: JsonObject): PodSecurityPolicy {
  const errors: FieldError[] = [];
  const modeOf = (mode: Mode): LevelVersion & { readonly said: boolean } => {
    const level = readLevel(labels, mode, errors);
    return { level: level ?? "privileged", said: level !== undefined, minor: readVersion(labels, mode, errors) };
  };
  const enforce = modeOf("enforce");
  const audit = modeOf("audit");
  const warn = modeOf("warn");
  const warnsOfEnforced =
    enforce.said &&
    !errors.some(({ field }) => field === `metadata.labels[${PREFIX}enforce]`) &&
    labels[`${PREFIX}warn`] === undefined &&
    isStricter(enforce.level, warn.level);
  const warned: LevelVersion = warnsOfEnforced
    ? { level: enforce.level, minor: labels[`${PREFIX}warn-version`] === undefined ? enforce.minor : warn.minor }
    : warn;
  return { enforce, audit, warn: warned, errors };
}

/** A word that is no level is taken for the strictest where it is enforced, for the mildest elsewhere. */
function readLevel(labels: JsonObject, mode: Mode, errors: FieldError[]): Level | undefined {
  const label = `${PREFIX}${mode}`;
  const text = labels[label];
  if (text === undefined) return undefined;
  const level = LEVELS.find((one) => one === text);
  if (level !== undefined) return level;
  errors.push(invalid(`metadata.labels[${label}]`, text, `must be one of ${LEVELS.join(", ")}`));
  return mode === "enforce" ? "restricted" : "privileged";
}

function readVersion(labels: JsonObject, mode: Mode, errors: FieldError[]): number | undefined {
  const label = `${PREFIX}${mode}-version`;
  const text = labels[label];
  if (text === undefined || text === "latest") return undefined;
  const [, minor] = /^v1\.(\d|[1-9]\d*)$/.exec(String(text)) ?? [];
  if (minor !== undefined) return Number(minor);
  errors.push(invalid(`metadata.labels[${label}]`, text, 'must be "latest" or "v1.x"'));
  return undefined;
}

export const isStricter = (a: Level, b: Level): boolean => LEVELS.indexOf(a) > LEVELS.indexOf(b);

export const policyText = ({ level, minor }: LevelVersion): string =>
  `${level}:${minor === undefined ? "latest" : `v1.${minor}`}`;
