// How a check of the pod security standards says what it found.
import type { JsonObject } from "../../contract.ts";
import { objectAt, objectsAt, stringAt } from "../../json.ts";

export interface Finding {
  /** Short: shown when a whole namespace is looked at. */
  readonly reason: string;
  /** Shown in brackets behind it for one object; may be empty. */
  readonly detail: string;
}

export interface PodSubject {
  readonly annotations: JsonObject;
  readonly spec: JsonObject;
}

export type CheckPod = (pod: PodSubject) => Finding | undefined;

/** Init containers first, ephemeral ones last. */
export function allContainers(spec: JsonObject): readonly JsonObject[] {
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((list) => objectsAt(spec, list));
}

export const securityOf = (owner: JsonObject): JsonObject => objectAt(owner, "securityContext");

/** Names of the containers for which it is so. */
export function containersThat(spec: JsonObject, bad: (container: JsonObject) => boolean): string[] {
  return allContainers(spec)
    .filter(bad)
    .map((container) => stringAt(container, "name"));
}

export const quoted = (items: readonly string[]): string => items.map((item) => `"${item}"`).join(", ");

export const sortedOnce = (items: readonly string[]): string[] => [...new Set(items)].sort();

export const plural = (word: string, items: readonly unknown[]): string => (items.length === 1 ? word : `${word}s`);

export const containerWords = (names: readonly string[]): string => `${plural("container", names)} ${quoted(names)}`;

/** `pod and containers "a", "b"`: who set something. */
export function setters(pod: boolean, containers: readonly string[]): string {
  return [...(pod ? ["pod"] : []), ...(containers.length > 0 ? [containerWords(containers)] : [])].join(" and ");
}

export const isWindows = (spec: JsonObject): boolean => stringAt(spec, "os", "name") === "windows";

/** A pod with users of its own is less of a danger. */
export const hasOwnUsers = (spec: JsonObject): boolean => spec["hostUsers"] === false;
