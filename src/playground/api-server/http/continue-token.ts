// Where the next page of a list begins: Kubernetes' own form of the token, and its sentences for what is none.
import { posix } from "node:path";
import { badRequest } from "../api-errors.ts";
import type { JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { scanJson } from "./scan-json.ts";

/** `start` is the first key of the page, below the root of the list; `revision` -1 is the newest state. */
export interface ContinueToken {
  readonly revision: number;
  readonly start: string;
}

const VERSION = "meta.k8s.io/v1";

export function continueToken({ revision, start }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start })).toString("base64url");
}

/** Throws 400. */
export function readContinueToken(token: string): ContinueToken {
  const at = illegalByte(token);
  if (at !== undefined) throw invalid(`continue key is not valid: illegal base64 data at input byte ${at}`);
  const text = Buffer.from(token, "base64url").toString();
  const { fault } = scanJson(text);
  if (fault !== undefined) throw invalid(`continue key is not valid: ${fault}`);
  const { v, rv, start } = fieldsOf(JSON.parse(text) as JsonValue);
  if (v !== VERSION) throw invalid(`continue key is not valid: server does not recognize this encoded version ${v}`);
  if (rv === 0)
    throw invalid(`continue key is not valid: incorrect encoded start resourceVersion (version ${VERSION})`);
  if (start === "") throw invalid(`continue key is not valid: encoded start key empty (version ${VERSION})`);
  // A key that leads elsewhere could show what the list may not.
  const key = start.startsWith("/") ? start : `/${start}`;
  if (posix.normalize(key) !== key || (key.length > 1 && key.endsWith("/")))
    throw invalid(`continue key is not valid: ${start}`);
  return { revision: rv, start: key.slice(1) };
}

/** As Go reads them: what is not there is zero, and the first of a wrong type is told. */
function fieldsOf(value: JsonValue): { readonly v: string; readonly rv: number; readonly start: string } {
  const fault = (what: JsonValue, into: string) =>
    invalid(`continue key is not valid: json: cannot unmarshal ${typeName(what)} into Go ${into}`);
  if (value !== null && !isObject(value)) throw fault(value, "value of type storage.continueToken");
  const read = <T extends JsonValue>(name: string, none: T, goType: string): T => {
    const field = value?.[name] ?? none;
    if (typeof field === typeof none) return field as T;
    throw fault(field, `struct field continueToken.${name} of type ${goType}`);
  };
  return {
    v: read("v", "" as string, "string"),
    rv: read("rv", 0 as number, "int64"),
    start: read("start", "" as string, "string"),
  };
}

function typeName(value: JsonValue): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

const invalid = (why: string) => badRequest(`invalid continue token: ${why}`);

/** Index of the first byte that is no URL-safe base64 without padding. */
function illegalByte(token: string): number | undefined {
  const bad = /[^\w\r\n-]/.exec(token);
  if (bad !== null) return bad.index;
  return token.replace(/[\r\n]/g, "").length % 4 === 1 ? token.length - 1 : undefined;
}
