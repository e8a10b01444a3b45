// From a step to a request for one server: placeholders get this server's own values.
import type { Answer, Body, Json, JsonMap, Step } from "../step.ts";
import type { TargetRequest } from "./target.ts";

export interface Filling {
  readonly seq: string;
  readonly answers: ReadonlyMap<number, Answered>;
  readonly webhook: WebhookAddress;
}

/** Of the run's own webhook: stands for `{{webhook}}` (https://HOST:PORT) and `{{webhookCa}}` (base64). */
export interface WebhookAddress {
  readonly url: string;
  readonly caBundle: string;
}

export interface Answered {
  readonly kind: string;
  readonly answer: Answer;
}

const PLACEHOLDER = /\{\{(?:(\d+):([^}]+)|(ns|seq|seqHex|webhook|webhookCa))\}\}/g;

/** A missing step or field becomes `missing`, on both servers alike. */
export function fillIn(text: string, { seq, answers, webhook }: Filling, encode = false): string {
  return text.replace(PLACEHOLDER, (_whole, step?: string, path?: string, own?: string) => {
    if (own !== undefined) {
      return { ns: `d-${seq}`, seq, seqHex: inHex(seq), webhook: webhook.url, webhookCa: webhook.caBundle }[own] ?? "";
    }
    const value = fieldOf(objectAt(answers, Number(step)), path ?? "");
    // After the last page there is no token: the next list begins anew.
    if (value === "missing" && path === "metadata.continue") return "";
    return encode ? encodeURIComponent(value) : value;
  });
}

/** At most three groups of an IPv6 address. */
function inHex(seq: string): string {
  const even = seq.length % 2 === 0 ? seq : `${seq}0`;
  return Buffer.from(even.slice(-6))
    .toString("hex")
    .replaceAll(/(?<=^(?:.{4})+)(?=.)/g, ":");
}

/** The steps that a step's placeholders name. */
export function referencesOf(step: Step): number[] {
  const found = [...JSON.stringify(step).matchAll(PLACEHOLDER)].flatMap(([, id]) =>
    id === undefined ? [] : [Number(id)],
  );
  return step.body !== undefined && "copyOf" in step.body ? [...found, step.body.copyOf] : found;
}

export function requestOf(step: Step, filling: Filling): TargetRequest {
  const headers = Object.fromEntries(
    Object.entries(step.headers ?? {}).map(([name, value]) => [name, fillIn(value, filling)]),
  );
  const body = bodyOf(step.body, filling);
  if (body !== undefined && headers["content-type"] === undefined) headers["content-type"] = "application/json";
  return {
    method: step.method,
    path: fillIn(step.path, filling, true),
    headers: { accept: "application/json", "user-agent": "differential/v1", ...headers },
    user: step.user ?? "admin",
    ...(body === undefined ? {} : { body }),
  };
}

function bodyOf(body: Body | undefined, filling: Filling): string | undefined {
  if (body === undefined) return undefined;
  if ("raw" in body) return fillIn(body.raw, filling);
  if ("json" in body) return fillIn(JSON.stringify(body.json), filling);
  const base = objectAt(filling.answers, body.copyOf);
  const edit = JSON.parse(fillIn(JSON.stringify(body.edit), filling)) as JsonMap;
  return JSON.stringify(merge(base, edit));
}

function merge(base: Json | undefined, edit: Json): Json {
  if (edit === null || typeof edit !== "object" || Array.isArray(edit)) return edit;
  const result: JsonMap = isMap(base) ? { ...base } : {};
  for (const [field, value] of Object.entries(edit)) {
    if (value === null) delete result[field];
    else result[field] = merge(result[field], value);
  }
  return result;
}

/** What a step answered; when it was refused, what the step before it of the same kind answered, and so on. */
function objectAt(answers: ReadonlyMap<number, Answered>, step: number): Json | undefined {
  const kind = answers.get(step)?.kind;
  for (let at = step; at >= 0; at--) {
    const found = answers.get(at);
    if (found === undefined || found.kind !== kind || found.answer.status >= 300) continue;
    const body = parse(found.answer.text);
    if (at === step || (isMap(body) && isMap(body["metadata"]) && "name" in body["metadata"])) return body;
  }
  return undefined;
}

function fieldOf(answer: Json | undefined, path: string): string {
  let value = answer;
  for (const part of path.split(".")) {
    if (Array.isArray(value)) value = value[Number(part)];
    else value = isMap(value) ? value[part] : undefined;
  }
  return value === undefined || value === null || typeof value === "object" ? "missing" : String(value);
}

export const isMap = (value: Json | undefined): value is JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
