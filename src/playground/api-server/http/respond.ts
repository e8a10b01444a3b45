// How answers leave the server.
import { stringify as stringifyYaml } from "yaml";
import { type ApiResponse, ApiStatusError, type JsonValue } from "../contract.ts";
import type { Written } from "./media-types.ts";

export interface Answer {
  readonly code?: number;
  readonly contentType?: string;
  readonly warnings?: readonly string[];
  /** Default: nobody may keep it without asking again. */
  readonly cacheControl?: string;
}

const forms = new WeakMap<ApiResponse, Written>();

/** In which form JSON answers go out from here on. What this server cannot write goes out as JSON. */
export function writeAs(response: ApiResponse, written: Written): void {
  forms.set(response, written);
}

const isYaml = (response: ApiResponse, { contentType }: Answer) =>
  contentType === undefined && forms.get(response) === "application/yaml";

const YAML = { version: "1.1", sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false } as const;

/** The keys in order, as Kubernetes writes YAML. */
const asYaml = (json: string): string => stringifyYaml(JSON.parse(json), YAML);

function setHeaders(response: ApiResponse, length: number, answer: Answer): void {
  response.statusCode = answer.code ?? 200;
  response.setHeader("content-type", answer.contentType ?? "application/json");
  response.setHeader("cache-control", answer.cacheControl ?? "no-cache, private");
  if (answer.warnings !== undefined) warn(response, answer.warnings);
  response.setHeader("content-length", length);
}

/** Tells warnings with the answer, each once, whatever the answer will be. */
export function warn(response: ApiResponse, warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  const before = response.getHeader("warning");
  const first = Array.isArray(before) ? before : typeof before === "string" ? [before] : [];
  response.setHeader("warning", [...new Set([...first, ...warnings.map(warningHeader)])]);
}

/** Sends a whole answer; nothing may have been sent before. */
export function send(response: ApiResponse, body: Buffer | string, answer: Answer = {}): void {
  const yaml = isYaml(response, answer);
  const text = yaml ? asYaml(body.toString()) : body;
  const data = typeof text === "string" ? Buffer.from(text) : text;
  setHeaders(response, data.length, yaml ? { ...answer, contentType: "application/yaml" } : answer);
  finish(response, data);
}

/** Sends a code and headers alone. */
export function sendEmpty(response: ApiResponse, code: number): void {
  response.statusCode = code;
  if (!response.hasHeader("cache-control")) response.setHeader("cache-control", "no-cache, private");
  if (code !== 304) response.setHeader("content-length", 0);
  finish(response, Buffer.alloc(0));
}

/** Bytes of an answer: all of a buffer, or what stands in it from `start` to `end`. */
export type Piece = Buffer | { readonly bytes: Buffer; readonly start: number; readonly end: number };

const lengthOf = (piece: Piece) => ("bytes" in piece ? piece.end - piece.start : piece.length);

const PIECE_BYTES = 128 * 1024;

/** Sends a long answer at the speed at which the client reads it, so that it never stands in memory as one. */
export async function sendPieces(response: ApiResponse, pieces: readonly Piece[], answer: Answer = {}): Promise<void> {
  const length = pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
  if (length <= PIECE_BYTES) return send(response, joined(pieces, length), answer);
  setHeaders(response, length, answer);
  let first = 0;
  let bytes = 0;
  for (const [index, piece] of pieces.entries()) {
    bytes += lengthOf(piece);
    if (bytes < PIECE_BYTES) continue;
    const full = writePiece(response, joined(pieces, bytes, first, index + 1));
    first = index + 1;
    bytes = 0;
    if (!full && !(await drained(response))) return;
  }
  finish(response, joined(pieces, bytes, first));
}

/** The bytes of some pieces, `length` together. */
export function joined(pieces: readonly Piece[], length: number, first = 0, end = pieces.length): Buffer {
  const whole = Buffer.allocUnsafe(length);
  let at = 0;
  for (let index = first; index < end; index++) {
    const piece = pieces[index];
    if (piece === undefined) continue;
    at += "bytes" in piece ? piece.bytes.copy(whole, at, piece.start, piece.end) : piece.copy(whole, at);
  }
  return whole;
}

/** Waits until the client has read what it was sent; false when it has gone. */
export function drained(response: ApiResponse): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (result: boolean) => {
      response.off("drain", onDrain);
      response.off("close", onClose);
      resolve(result);
    };
    const onDrain = () => settle(true);
    const onClose = () => settle(false);
    response.on("drain", onDrain);
    response.on("close", onClose);
  });
}

/** `end` has different overloads in HTTP/1.1 and HTTP/2; this is the form they share. */
function finish(response: ApiResponse, data: Buffer): void {
  if ("stream" in response) response.end(data);
  else response.end(data);
}

/** Writes a piece of a stream; false when the client reads more slowly than it is written to. */
export function writePiece(response: ApiResponse, data: Buffer | string): boolean {
  return "stream" in response ? response.write(data) : response.write(data);
}

/** One warning as a header's value. */
export const warningHeader = (text: string) => `299 - "${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

export function sendJson(response: ApiResponse, value: JsonValue, answer: Answer = {}): void {
  send(response, JSON.stringify(value), answer);
}

/** Any error becomes a Status object; one that is no API error is the server's own fault. */
export function statusError(thrown: unknown): ApiStatusError {
  if (thrown instanceof ApiStatusError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiStatusError(500, "InternalError", `Internal error occurred: ${message}`);
}

/** Paths that nobody serves get no Status object. */
export function sendNoPage({ response }: { readonly response: ApiResponse }): void {
  response.setHeader("x-content-type-options", "nosniff");
  send(response, "404 page not found\n", { code: 404, contentType: "text/plain; charset=utf-8" });
}
