import { parse as parseYaml } from "yaml";
import { badRequest, unsupportedMediaType } from "../api-errors.ts";
import { type ApiRequest, ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";

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

type Reader = (body: Buffer) => JsonValue | Promise<JsonValue>;

function readJson(body: Buffer): JsonValue {
  try {
    return JSON.parse(body.toString("utf8")) as JsonValue;
  } catch (thrown) {
    throw badRequest(`the object provided is unrecognized: ${thrown instanceof Error ? thrown.message : "no JSON"}`);
  }
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

async function readProtobuf(body: Buffer): Promise<JsonObject> {
  const { decodeKubernetesProtobuf } = await import("../protobuf/decode.ts");
  return decodeKubernetesProtobuf(body);
}

const READERS: Readonly<Record<string, Reader>> = {
  // Old clients' create commands send no type at all.
  "": readJson,
  "application/json": readJson,
  "application/json-patch+json": readJson,
  "application/merge-patch+json": readJson,
  "application/strategic-merge-patch+json": readJson,
  // Often JSON in fact, which YAML contains.
  "application/apply-patch+yaml": readYaml,
  "application/yaml": readYaml,
  "application/vnd.kubernetes.protobuf": readProtobuf,
};

/** The body as JSON, whatever it came as; undefined when it is empty. Throws 400, 413 or 415. */
export async function readBody(request: ApiRequest): Promise<JsonValue | undefined> {
  const type = mediaType(request);
  const reader = READERS[type];
  if (reader === undefined) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${Object.keys(READERS)
        .filter((name) => name !== "")
        .join(", ")}`,
    );
  }
  const body = await readBytes(request);
  return body.length === 0 ? undefined : reader(body);
}
