// How answers leave the server.
import { type ApiResponse, ApiStatusError, type JsonValue } from "../contract.ts";

export interface Answer {
  readonly code?: number;
  readonly contentType?: string;
  readonly warnings?: readonly string[];
}

/** Sends a whole answer; nothing may have been sent before. */
export function send(response: ApiResponse, body: Buffer | string, answer: Answer = {}): void {
  response.statusCode = answer.code ?? 200;
  response.setHeader("content-type", answer.contentType ?? "application/json");
  response.setHeader("cache-control", "no-cache, private");
  if (answer.warnings !== undefined && answer.warnings.length > 0) {
    response.setHeader("warning", answer.warnings.map(warningHeader));
  }
  const data = typeof body === "string" ? Buffer.from(body) : body;
  response.setHeader("content-length", data.length);
  finish(response, data);
}

/** `end` has different overloads in HTTP/1.1 and HTTP/2; this is the form they share. */
function finish(response: ApiResponse, data: Buffer): void {
  if ("stream" in response) response.end(data);
  else response.end(data);
}

/** Writes a piece of a stream. */
export function writePiece(response: ApiResponse, data: Buffer | string): void {
  if ("stream" in response) response.write(data);
  else response.write(data);
}

const warningHeader = (text: string) => `299 - "${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

export function sendJson(response: ApiResponse, value: JsonValue, answer: Answer = {}): void {
  send(response, JSON.stringify(value), answer);
}

/** Any error becomes a Status object; one that is no API error is the server's own fault. */
export function statusError(thrown: unknown): ApiStatusError {
  if (thrown instanceof ApiStatusError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiStatusError(500, "InternalError", `Internal error occurred: ${message}`);
}
