import type { Json } from "../step.ts";
import { isMap } from "./fill-in.ts";
import type { NormalAnswer } from "./normalise.ts";

/** One place where two normalised answers differ; undefined: not there. */
export interface Difference {
  /** `status`, `headers.warning`, `body.metadata.labels.app`; items of lists as `[3]`. */
  readonly path: string;
  readonly real: Json | undefined;
  readonly embedded: Json | undefined;
}

/** Empty when the answers are equal. */
export function compare(real: NormalAnswer, embedded: NormalAnswer): Difference[] {
  const found: Difference[] = [];
  visit("status", real.status, embedded.status, found);
  visit("headers", real.headers, embedded.headers, found);
  visit("body", real.body, embedded.body, found);
  return found;
}

function visit(path: string, real: Json | undefined, embedded: Json | undefined, found: Difference[]): void {
  if (real === embedded) return;
  if (Array.isArray(real) && Array.isArray(embedded)) {
    for (let i = 0; i < Math.max(real.length, embedded.length); i++)
      visit(`${path}[${i}]`, real[i], embedded[i], found);
    return;
  }
  if (isMap(real) && isMap(embedded)) {
    for (const key of new Set([...Object.keys(real), ...Object.keys(embedded)]))
      visit(`${path}.${key}`, real[key], embedded[key], found);
    return;
  }
  found.push({ path, real, embedded });
}

/**
 * What sorts of differences one answer shows, so that the same fault in many answers is one finding: where they differ
 * without indexes, of which kind unless every kind has the place, and the form of the message when statuses differ.
 */
export function signaturesOf(verb: string, kind: string, differences: readonly Difference[]): string[] {
  const status = differences.find(({ path }) => path === "status");
  if (status !== undefined) {
    const message = messageOf(differences);
    const where = /^ \((?:the |Operation|strconv|no kind|name of)/.test(message) ? "any kind" : `${verb} ${kind}`;
    return [`${where}: ${status.real} ≠ ${status.embedded}${message}`];
  }
  return [...new Set(differences.map((difference) => placeOf(verb, kind, difference)))];
}

/** Whether a difference belongs to a signature of its answer. */
export function belongsTo(signature: string, step: { verb: string; kind: string }, difference: Difference): boolean {
  return signature.includes(" ≠ ") || placeOf(step.verb, step.kind, difference) === signature;
}

function placeOf(verb: string, kind: string, difference: Difference): string {
  const place = difference.path
    .replace(/\[\d+\]/g, "[]")
    .replace(/^body\.items\[\]|^body\[\]\.object/, "body")
    .replace(/fieldsV1\.f:(\w+).*/, "fieldsV1.$1")
    .replace(/\b(labels|annotations|data|matchLabels)\..*/, "$1.*");
  if (kind === "path") return `${verb}: ${place.split(".").slice(0, 4).join(".")}`;
  const more = difference.path === "body.message" ? messageOf([difference]) : "";
  const ofEveryKind = /^headers|^body\.(apiVersion|kind|message|reason|code|details|metadata\.(?!managedFields))/.test(
    place,
  );
  return ofEveryKind ? `any kind: ${place}${more}` : `${kind}: ${place}${more}`;
}

/** What is quoted or bracketed in a message changes from object to object, the rest of it is its kind. */
function messageOf(differences: readonly Difference[]): string {
  const message = differences.find(({ path }) => path === "body.message");
  const text = [message?.real, message?.embedded].find((value) => typeof value === "string");
  if (typeof text !== "string") return "";
  const form = text
    .replace(/"[^"]*"|\[[^\]]*\]|<[^>]*>|(?<=\()[\w-]+…?(?=\))|(?<=fulfilled on )\S*/g, "…")
    .replace(/^\S* … is invalid: /, "");
  return ` (${form.slice(0, 110)})`;
}
