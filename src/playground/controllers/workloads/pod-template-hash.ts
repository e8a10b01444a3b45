// A ReplicaSet stands for one pod template of its Deployment. The hash names it; equality is decided on the content.

import { createHash } from "node:crypto";
import type { PodTemplateSpec } from "#api/kubernetes/gen/types";

export const POD_TEMPLATE_HASH = "pod-template-hash";

/** No vowels, no look-alikes: a hash never spells a word. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const LENGTH = 10;

/** Stable over restarts and the order of keys. `collisionCount` gives another name to a template whose name is taken. */
export function podTemplateHash(template: PodTemplateSpec, collisionCount = 0): string {
  const digest = createHash("sha256")
    .update(`${collisionCount}\n${canonicalTemplate(template)}`)
    .digest();
  return [...digest.subarray(0, LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/** Equal but for the hash label that a ReplicaSet's copy carries. */
export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return canonicalTemplate(a) === canonicalTemplate(b);
}

function canonicalTemplate({ metadata, spec }: PodTemplateSpec): string {
  const { [POD_TEMPLATE_HASH]: _hash, ...labels } = metadata?.labels ?? {};
  return JSON.stringify([labels, metadata?.annotations ?? {}, spec ?? {}], sortKeys);
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Without regard to the order of keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, sortKeys) ?? "";
}

/** Ten letters that name a text. */
export function hashOf(text: string): string {
  const digest = createHash("sha256").update(text).digest();
  return [...digest.subarray(0, LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
}
