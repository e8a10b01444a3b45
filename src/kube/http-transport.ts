// One API server's HTTP connections: TLS identity, authorization header, Status bodies turned into errors.
import type { Readable } from "node:stream";
import { createSecureContext } from "node:tls";
import { Agent, errors, request as send } from "undici";
import { errorMessage } from "#base/mesh-error";
import { KubeError } from "./kube-client.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

export interface TransportRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** Watches may be silent for as long as they like. */
  readonly endless?: boolean;
}

export interface Transport {
  /** Parsed JSON of a 2xx answer, or its text when it is not JSON. Throws KubeError otherwise. */
  json(request: TransportRequest): Promise<unknown>;
  /** The body of a 2xx answer as it comes. Throws KubeError otherwise. */
  stream(request: TransportRequest): Promise<Readable>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 60_000;

export function createTransport(access: ClusterAccess): Transport {
  const agent = new Agent({
    connect: {
      timeout: CONNECT_TIMEOUT_MS,
      ...credentialsOf(access),
      ...(access.tlsServerName === undefined ? {} : { servername: access.tlsServerName }),
      ...(access.insecureSkipTlsVerify === true ? { rejectUnauthorized: false } : {}),
    },
    keepAliveTimeout: 60_000,
  });
  const open = async (request: TransportRequest): Promise<Readable> => {
    const url = urlOf(access.server, request);
    const headers = await headersOf(access, request);
    const attempt = () =>
      send(url, {
        method: request.method as "GET",
        dispatcher: agent,
        headers,
        body: request.body === undefined ? null : JSON.stringify(request.body),
        bodyTimeout: request.endless === true ? 0 : ANSWER_TIMEOUT_MS,
        headersTimeout: ANSWER_TIMEOUT_MS,
        signal: request.signal ?? null,
      });
    const answer = await attempt()
      .catch((cause: unknown) => {
        if (request.method !== "GET" || !isClosedByPeer(cause)) throw cause;
        return attempt();
      })
      .catch((cause: unknown) => {
        if (request.signal?.aborted) throw cause;
        throw unreachable(access, cause);
      });
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer.body;
    throw refusal(answer.statusCode, await answer.body.text(), `${request.method} ${request.path}`);
  };
  return {
    stream: open,
    async json(request) {
      const text = await readText(await open(request));
      return parseBody(text);
    },
    close: () => agent.destroy(),
  };
}

/** Read once: a program opens a connection for each kind it watches. What cannot be read is told when it connects. */
function credentialsOf({ caPem, clientCertPem, clientKeyPem }: ClusterAccess) {
  const credentials = {
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(clientCertPem === undefined ? {} : { cert: clientCertPem }),
    ...(clientKeyPem === undefined ? {} : { key: clientKeyPem }),
  };
  try {
    return { secureContext: createSecureContext(credentials) };
  } catch {
    return credentials;
  }
}

/** A kept connection may have ended at the far side just before it was used: a read can be asked once more. */
function isClosedByPeer(cause: unknown): boolean {
  return cause instanceof errors.SocketError;
}

function urlOf(server: string, request: TransportRequest): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(request.query ?? {})) if (value !== undefined) query.set(key, value);
  const text = query.toString();
  return `${server}${request.path}${text === "" ? "" : `?${text}`}`;
}

async function headersOf(access: ClusterAccess, request: TransportRequest): Promise<Record<string, string>> {
  const authorization = await access.authorization?.();
  return {
    accept: "application/json",
    "user-agent": "isthmus",
    ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

async function readText(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every path answers JSON (/healthz, /version of a proxy): the text itself is the answer.
    return text;
  }
}

interface RefusalStatus {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string }[] };
}

function refusal(status: number, text: string, what: string): KubeError {
  const body = parseBody(text);
  const { reason, message, details }: RefusalStatus =
    typeof body === "object" && body !== null ? (body as RefusalStatus) : {};
  const causes = (details?.causes ?? []).map((one) => one.reason ?? "");
  const said = message ?? `${what}: HTTP ${status} ${text.slice(0, 200)}`;
  return new KubeError(status, reason ?? `HTTP${status}`, said, { causes });
}

function unreachable(access: ClusterAccess, cause: unknown): KubeError {
  return new KubeError(
    0,
    "Unreachable",
    `the API server ${access.server} of context "${access.contextName}" cannot be reached: ${errorMessage(cause)}`,
    {
      cause,
      hint: "check the address, the network and whether the API server runs",
    },
  );
}
