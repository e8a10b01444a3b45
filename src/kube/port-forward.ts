// Connections to a pod's ports through the API server, as `kubectl port-forward` makes them: SPDY/3.1, a pair of
// streams (error, data) for each connection.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { Kinds, resourcePath } from "#api/kinds";
import { SpdyConnection } from "#spdy/spdy-connection";
import { KubeError } from "./kube-client.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

const PROTOCOL = "portforward.k8s.io";
const UPGRADE_TIMEOUT_MS = 10_000;

export interface PodAddress {
  readonly namespace: string;
  readonly name: string;
}

/** One upgraded connection to a pod; any number of port connections run over it. */
export interface PodTunnel {
  /** Connects to a port inside the pod, loopback included. A refusal destroys the stream with the node's message. */
  dial(port: number): Promise<Duplex>;
  close(): void;
}

/** Opens a tunnel. Throws KubeError when the server refuses (no such pod, forbidden) or cannot be reached. */
export async function openPodTunnel(access: ClusterAccess, pod: PodAddress): Promise<PodTunnel> {
  const { socket, head } = await upgrade(access, pod);
  const connection = new SpdyConnection(socket, { role: "client", head });
  let requestId = 0;
  return {
    async dial(port) {
      const id = { port: String(port), requestid: String(requestId++) };
      const error = await connection.openStream({ streamtype: "error", ...id });
      error.end();
      const data = await connection.openStream({ streamtype: "data", ...id });
      let message = "";
      error.on("data", (chunk: Buffer) => {
        message += chunk.toString();
      });
      error.on("end", () => {
        if (message !== "")
          data.destroy(
            new KubeError(0, "PortForwardFailed", `pod ${pod.namespace}/${pod.name} port ${port}: ${message.trim()}`),
          );
      });
      error.on("error", () => {});
      return data;
    },
    close: () => connection.close(),
  };
}

async function upgrade(access: ClusterAccess, pod: PodAddress): Promise<{ socket: Duplex; head: Buffer }> {
  const authorization = await access.authorization?.();
  const url = new URL(access.server + resourcePath(Kinds.Pod, { ...pod, subresource: "portforward" }));
  return await new Promise((resolve, reject) => {
    const request = httpsRequest(url, {
      method: "POST",
      agent: false,
      timeout: UPGRADE_TIMEOUT_MS,
      ...(access.caPem === undefined ? {} : { ca: access.caPem }),
      ...(access.clientCertPem === undefined ? {} : { cert: access.clientCertPem }),
      ...(access.clientKeyPem === undefined ? {} : { key: access.clientKeyPem }),
      ...(access.tlsServerName === undefined ? {} : { servername: access.tlsServerName }),
      ...(access.insecureSkipTlsVerify === true ? { rejectUnauthorized: false } : {}),
      headers: {
        Connection: "Upgrade",
        Upgrade: "SPDY/3.1",
        "X-Stream-Protocol-Version": PROTOCOL,
        "Content-Length": "0",
        ...(authorization === undefined ? {} : { authorization }),
      },
    });
    const fail = (cause: unknown) =>
      reject(
        new KubeError(
          0,
          "Unreachable",
          `cannot reach ${access.server} to forward to pod ${pod.namespace}/${pod.name}`,
          { cause },
        ),
      );
    request.on("upgrade", (_answer, socket, head) => {
      socket.setTimeout(0);
      resolve({ socket, head });
    });
    request.on("response", (answer) => void readRefusal(answer).then(reject, fail));
    request.on("timeout", () => request.destroy(new Error("no answer in 10 s")));
    request.on("error", fail);
    request.end();
  });
}

async function readRefusal(answer: IncomingMessage): Promise<KubeError> {
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  try {
    const status = JSON.parse(text) as { reason?: string; message?: string };
    return new KubeError(answer.statusCode ?? 0, status.reason ?? "PortForwardRefused", status.message ?? text);
  } catch {
    return new KubeError(
      answer.statusCode ?? 0,
      "PortForwardRefused",
      `HTTP ${answer.statusCode}: ${text.slice(0, 200)}`,
    );
  }
}

/** GET (or another method) over a tunnel. Gives status and body text; throws when the connection fails. */
export async function requestThroughTunnel(
  tunnel: PodTunnel,
  at: { readonly port: number; readonly path: string; readonly method?: string },
): Promise<{ status: number; body: string }> {
  const stream = await tunnel.dial(at.port);
  return await new Promise((resolve, reject) => {
    stream.on("error", reject);
    const request = httpRequest({
      method: at.method ?? "GET",
      path: at.path,
      headers: { host: "localhost", connection: "close" },
      createConnection: () => stream,
    });
    request.on("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end();
  });
}
