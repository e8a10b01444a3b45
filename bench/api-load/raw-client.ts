// A client that costs next to nothing beside the server that is measured: bytes are counted, not parsed.
import { setMaxListeners } from "node:events";
import { Agent, request } from "node:https";
import type { ClusterAccess } from "#kube/kubeconfig";

export interface Answer {
  readonly status: number;
  readonly bytes: number;
  /** From the call to the last byte, milliseconds. */
  readonly ms: number;
}

export interface RawClient {
  /** Throws for an answer that is not 2xx, with its text. */
  call(method: string, path: string, options?: { body?: unknown; type?: string; accept?: string }): Promise<Answer>;
  /** Calls `onLine` for each event until `close`; resolves when the server has accepted it. */
  watch(path: string, onLine: (line: Buffer) => void): Promise<void>;
  close(): void;
}

export function rawClient(access: ClusterAccess, sockets: number): RawClient {
  const { clientCertPem: cert, clientKeyPem: key, caPem: ca } = access;
  const agent = new Agent({ keepAlive: true, maxSockets: sockets, cert, key, ca });
  const base = new URL(access.server);
  const stop = new AbortController();
  // Every request listens to it.
  setMaxListeners(0, stop.signal);
  const options = { agent, host: base.hostname, port: base.port, signal: stop.signal };
  return {
    call: (method, path, { body, type = "application/json", accept = "application/json" } = {}) =>
      new Promise((resolve, reject) => {
        const began = performance.now();
        const data = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
        const headers = {
          accept,
          ...(data === undefined ? {} : { "content-type": type, "content-length": data.length }),
        };
        const call = request({ ...options, method, path, headers }, (response) => {
          let bytes = 0;
          const bad: Buffer[] = [];
          const status = response.statusCode ?? 0;
          response.on("data", (piece: Buffer) => {
            bytes += piece.length;
            if (status >= 300) bad.push(piece);
          });
          response.on("end", () => {
            if (status < 300) resolve({ status, bytes, ms: performance.now() - began });
            else reject(new Error(`${method} ${path}: ${status} ${Buffer.concat(bad).toString().slice(0, 300)}`));
          });
          response.on("error", reject);
        });
        call.on("error", reject);
        call.end(data);
      }),
    watch: (path, onLine) =>
      new Promise((resolve, reject) => {
        const own = new Agent({ cert, key, ca });
        const call = request({ ...options, agent: own, method: "GET", path }, (response) => {
          if (response.statusCode !== 200) return reject(new Error(`watch ${path}: ${response.statusCode}`));
          response.on("data", lineReader(onLine));
          response.on("error", () => {});
          resolve();
        });
        call.on("error", reject);
        call.end();
      }),
    close() {
      stop.abort();
      agent.destroy();
    },
  };
}

function lineReader(onLine: (line: Buffer) => void): (piece: Buffer) => void {
  let rest: Buffer[] = [];
  return (piece) => {
    let from = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, from)) {
      onLine(Buffer.concat([...rest, piece.subarray(from, end)]));
      rest = [];
      from = end + 1;
    }
    if (from < piece.length) rest.push(piece.subarray(from));
  };
}
