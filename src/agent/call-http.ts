// One HTTP request by node:http: a fetch would load a client ten times its size.
import { request as httpRequest } from "node:http";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

export interface HttpCall {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly localAddress?: string;
  readonly timeoutMs?: number;
  /** Over TLS, without looking at the certificate: a probe asks whether the server answers. */
  readonly isHttps?: boolean;
}

const MAX_BODY_BYTES = 64 << 20;

/** One request. Rejects when there is no answer in time. */
export async function callHttp({ timeoutMs = 5000, isHttps = false, body, ...options }: HttpCall): Promise<HttpAnswer> {
  const request = isHttps ? (await import("node:https")).request : httpRequest;
  const insecure = isHttps ? { rejectUnauthorized: false } : {};
  return new Promise((resolve, reject) => {
    const call = request({ ...options, ...insecure, agent: false, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= MAX_BODY_BYTES) chunks.push(chunk);
        else response.destroy(new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`));
      });
      response.once("end", () => {
        const contentType = response.headers["content-type"] ?? "";
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), contentType });
      });
      response.once("error", reject);
    });
    call.once("timeout", () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.once("error", reject);
    call.end(body);
  });
}
