// The API server's connections to nodes: HTTPS with its own client certificate; the node must show a certificate of the
// cluster's CA for the address that is dialled.
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { type RequestOptions, request } from "node:https";
import type { Duplex } from "node:stream";
import { errorMessage } from "#base/mesh-error";
import type { ClusterProcessConfig } from "../../process-config.ts";
import { ApiStatusError } from "../contract.ts";
import type { PodTarget } from "./pod-target.ts";

const CONNECT_TIMEOUT_MS = 30_000;
const MAX_ERROR_BYTES = 64 * 1024;

export interface UpgradedConnection {
  readonly socket: Duplex;
  /** Bytes that the node sent right after its answer. */
  readonly head: Buffer;
  /** Which of the offered stream protocols the node chose. */
  readonly protocol: string | undefined;
}

export interface KubeletClient {
  /** A plain GET. Resolves with a 200 whose body is still to be read; throws ApiStatusError else. */
  get(target: PodTarget, signal: AbortSignal): Promise<IncomingMessage>;
  /** POST with `Upgrade: SPDY/3.1`. Throws ApiStatusError when the node refuses or cannot be reached. */
  upgrade(target: PodTarget, protocols: readonly string[]): Promise<UpgradedConnection>;
}

export function createKubeletClient(config: Pick<ClusterProcessConfig, "pki">): KubeletClient {
  const tls = {
    ca: readFileSync(config.pki.caCert),
    cert: readFileSync(config.pki.kubeletClientCert),
    key: readFileSync(config.pki.kubeletClientKey),
    ALPNProtocols: ["http/1.1"],
    agent: false,
  };
  const open = (target: PodTarget, options: RequestOptions) => {
    const call = request({ ...tls, ...target, ...options });
    // Only until the connection stands: a followed log may be silent for hours.
    const timer = setTimeout(() => call.destroy(new Error("i/o timeout")), CONNECT_TIMEOUT_MS);
    const stop = () => clearTimeout(timer);
    return call.once("response", stop).once("upgrade", stop).once("close", stop);
  };
  return {
    get(target, signal) {
      return new Promise((resolve, reject) => {
        const call = open(target, { method: "GET", signal });
        call.once("response", (response) => {
          if (response.statusCode === 200) resolve(response);
          else refusal(response).then(reject, reject);
        });
        call.once("error", (error) => reject(unreachable("Get", target, error)));
        call.end();
      });
    },
    upgrade(target, protocols) {
      return new Promise((resolve, reject) => {
        const headers = {
          connection: "Upgrade",
          upgrade: "SPDY/3.1",
          "content-length": "0",
          "x-stream-protocol-version": [...protocols],
        };
        const call = open(target, { method: "POST", headers });
        call.once("upgrade", (response, socket, head) => {
          const protocol = [response.headers["x-stream-protocol-version"] ?? []].flat()[0];
          resolve({ socket, head, protocol });
        });
        call.once("response", (response) => {
          refusal(response).then(reject, reject);
        });
        call.once("error", (error) => reject(unreachable("Post", target, error)));
        call.end();
      });
    },
  };
}

const REASONS: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "InternalError",
  403: "Forbidden",
  404: "NotFound",
};

/** The node's own words, with its code: `container "c" in pod "p" is waiting to start: ContainerCreating`. */
async function refusal(response: IncomingMessage): Promise<ApiStatusError> {
  let text = "";
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > MAX_ERROR_BYTES) break;
  }
  const code = response.statusCode ?? 500;
  const message = text.trim() || `the node answered ${code} without a message`;
  return new ApiStatusError(code >= 400 ? code : 500, REASONS[code] ?? "InternalError", message);
}

function unreachable(verb: string, { host, port, path }: PodTarget, error: Error): ApiStatusError {
  const refused = (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
  const why = refused ? `dial tcp ${host}:${port}: connect: connection refused` : errorMessage(error);
  return new ApiStatusError(500, "InternalError", `${verb} "https://${host}:${port}${path}": ${why}`);
}
