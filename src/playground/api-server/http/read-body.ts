import { parse as parseYaml } from "yaml";
import { badRequest, unsupportedMediaType } from "../api-errors.ts";
import { type ApiRequest, ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { parseMerging } from "./merge-doubled.ts";
import { scanJson } from "./scan-json.ts";

/** Kubernetes' own limit for a request. */
const LARGEST = 3 * 1024 * 1024;

export async function readBytes(request: ApiRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST) {
      throw new ApiStatusError(413, "RequestEntityTooLarge", `the request is larger than ${LARGEST} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The media type without its parameters; "" when none was sent. */
export function mediaType(request: ApiRequest): string {
  return (request.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
}

/** `kind` is what the body should hold. */
type Reader = (body: Buffer, kind: string) => JsonValue | Promise<JsonValue>;

const doubled = new WeakMap<object, readonly string[]>();

/** Paths of the keys that stood twice in a body that was read. */
export function duplicateFields(body: JsonValue): readonly string[] {
  return typeof body === "object" && body !== null ? (doubled.get(body) ?? []) : [];
}

function readJson(body: Buffer, kind: string): JsonValue {
  const text = body.toString("utf8");
  const whole = asWritten(text);
  if (whole !== undefined) return whole;
  const scan = scanJson(text);
  if (scan.fault !== undefined) throw badRequest(unrecognized(body, kind, scan.fault));
  if (scan.duplicates.length === 0) return JSON.parse(text) as JsonValue;
  const value = parseMerging(text);
  if (typeof value === "object" && value !== null) doubled.set(value, scan.duplicates);
  return value;
}

/** The value of a text that says each of it once and in the shortest form, as most clients do: it needs no closer look. */
function asWritten(text: string): JsonValue | undefined {
  try {
    const value = JSON.parse(text) as JsonValue;
    return JSON.stringify(value) === text.trimEnd() ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A whole object, which must say what it is in texts, if at all. */
function readObject(body: Buffer, kind: string): JsonValue {
  const value = readJson(body, kind);
  if (!isObject(value)) return value;
  for (const field of ["apiVersion", "kind"]) {
    const said = value[field] ?? "";
    if (typeof said === "string") continue;
    const type = Array.isArray(said) ? "array" : typeof said === "boolean" ? "bool" : typeof said;
    const fault = `json: cannot unmarshal ${type} into Go struct field .${field} of type string`;
    throw badRequest(unrecognized(body, kind, fault));
  }
  return value;
}

const MOST_SHOWN = 30;

function unrecognized(body: Buffer, kind: string, fault: string): string {
  return unreadable(body, kind, `couldn't get version/kind; json parse error: ${fault}`);
}

function unreadable(body: Buffer, kind: string, fault: string): string {
  const head = body.subarray(0, MOST_SHOWN);
  const shown =
    body.length === 0 ? "<empty>" : head[0] === OPENING_BRACE ? head.toString("utf8") : head.toString("hex");
  const more = body.length > MOST_SHOWN ? " ..." : "";
  return `the object provided is unrecognized (must be of type ${kind}): ${fault} (${shown}${more})`;
}

const OPENING_BRACE = 0x7b;

/** Most clients send JSON under this name, which a YAML reader takes many times as long for. */
function readYaml(body: Buffer): JsonValue {
  if (body[0] === OPENING_BRACE) {
    try {
      return JSON.parse(body.toString("utf8")) as JsonValue;
    } catch {
      // Flow style YAML begins with a brace too; its reader tells what is wrong.
    }
  }
  try {
    return parseYaml(body.toString("utf8"), { uniqueKeys: true }) as JsonValue;
  } catch (thrown) {
    throw badRequest(`error parsing YAML: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

const PROTOBUF_PREFIX = Buffer.from("k8s\0");
const NO_PROTOBUF = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";

async function readProtobuf(body: Buffer, kind: string): Promise<JsonObject> {
  if (!body.subarray(0, 4).equals(PROTOBUF_PREFIX)) throw badRequest(unreadable(body, kind, NO_PROTOBUF));
  const { decodeKubernetesProtobuf } = await import("../protobuf/decode.ts");
  return decodeKubernetesProtobuf(body);
}

const READERS: Readonly<Record<string, Reader>> = {
  // Old clients' create commands send no type at all.
  "": readObject,
  "application/json": readObject,
  "application/json-patch+json": readJson,
  "application/merge-patch+json": readJson,
  "application/strategic-merge-patch+json": readJson,
  // Often JSON in fact, which YAML contains.
  "application/apply-patch+yaml": readYaml,
  "application/yaml": readYaml,
  "application/vnd.kubernetes.protobuf": readProtobuf,
};

const ACCEPTED = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/** The body as JSON, whatever it came as; undefined when it is empty. Throws 400, 413 or 415. */
export async function readBody(request: ApiRequest, kind = "Status"): Promise<JsonValue | undefined> {
  const type = mediaType(request);
  const reader = READERS[type];
  if (reader === undefined) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${ACCEPTED}`,
    );
  }
  const body = await readBytes(request);
  return body.length === 0 ? undefined : reader(body, kind);
}
