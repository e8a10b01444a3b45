// One attempt of a probe or hook, made from the node against the pod's address as a kubelet does.
import { request as httpRequest } from "node:http";
import { connect as http2Connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect as tcpConnect } from "node:net";
import type { Container, GRPCAction, HTTPGetAction, IntOrString, Probe } from "#api/kubernetes/gen/types";
import { errorMessage } from "#base/mesh-error";

export interface AttemptTarget {
  readonly podIP: string;
  readonly container: Container;
  /** Runs a command in the container. */
  exec(command: readonly string[], timeoutMs: number): Promise<{ exitCode: number; output: string }>;
}

export interface AttemptResult {
  readonly ok: boolean;
  /** What happened, for the event. */
  readonly output: string;
  /** Of a command. */
  readonly exitCode?: number;
}

type Handler = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc">;

/** Never throws: what goes wrong is a failed attempt. */
export async function attemptProbe(handler: Handler, target: AttemptTarget, timeoutMs: number): Promise<AttemptResult> {
  try {
    if (handler.httpGet) return await httpGet(handler.httpGet, target, timeoutMs);
    if (handler.tcpSocket) {
      const { host = target.podIP, port } = handler.tcpSocket;
      return await tcpSocket(host, portNumber(port, target.container), timeoutMs);
    }
    if (handler.grpc) return await grpcHealth(handler.grpc, target.podIP, timeoutMs);
    const { exitCode, output } = await target.exec(handler.exec?.command ?? [], timeoutMs);
    return { ok: exitCode === 0, output, exitCode };
  } catch (thrown) {
    return { ok: false, output: errorMessage(thrown) };
  }
}

/** Whether a request is answered at all, for hooks. Never throws. */
export async function httpAnswers(
  action: HTTPGetAction,
  target: AttemptTarget,
  timeoutMs: number,
): Promise<AttemptResult> {
  try {
    const { output } = await httpGet(action, target, timeoutMs);
    return { ok: true, output };
  } catch (thrown) {
    return { ok: false, output: errorMessage(thrown) };
  }
}

/** In the words that clients know from kubelets. */
function dialError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const words = DIAL_ERRORS[error.code ?? ""];
  return words === undefined ? error : new Error(`dial tcp ${host}:${port}: ${words}`);
}

const DIAL_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

/** Resolves a port given by number or by the name of a container port. Throws for an unknown name. */
export function portNumber(port: IntOrString, container: Container): number {
  const number = Number(port);
  if (Number.isInteger(number)) return number;
  const named = container.ports?.find(({ name }) => name === port);
  if (!named) throw new Error(`container ${container.name} has no port named "${port}"`);
  return named.containerPort;
}

function httpGet(action: HTTPGetAction, target: AttemptTarget, timeoutMs: number): Promise<AttemptResult> {
  const secure = action.scheme?.toUpperCase() === "HTTPS";
  const { host = target.podIP, path = "/" } = action;
  const headers: Record<string, string> = { "User-Agent": "kube-probe/1.35", Accept: "*/*", Connection: "close" };
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value;
  const port = portNumber(action.port, target.container);
  const location = path.startsWith("/") ? path : `/${path}`;
  const url = `${secure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}${location}`;
  const options = {
    host,
    port,
    path: location,
    headers,
    agent: false,
    timeout: timeoutMs,
  };
  return new Promise((resolve, reject) => {
    const request = secure ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    const tooLate = new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
    const timer = setTimeout(() => request.destroy(tooLate), timeoutMs);
    request.once("close", () => clearTimeout(timer));
    request.once("error", (error) => reject(new Error(`Get "${url}": ${dialError(error, host, port).message}`)));
    request.once("response", (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      response.once("error", reject);
      const ok = statusCode >= 200 && statusCode < 400;
      resolve({ ok, output: `HTTP probe ${ok ? "succeeded" : "failed"} with statuscode: ${statusCode}` });
      request.destroy();
    });
    request.end();
  });
}

function tcpSocket(host: string, port: number, timeoutMs: number): Promise<AttemptResult> {
  return new Promise((resolve, reject) => {
    const socket = tcpConnect({ host, port });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`dial tcp ${host}:${port}: i/o timeout`)));
    socket.once("error", (error) => reject(dialError(error, host, port)));
    socket.once("connect", () => {
      socket.destroy();
      resolve({ ok: true, output: "" });
    });
  });
}

/** grpc.health.v1.Health/Check: one message with the service in field 1; field 1 of the answer is 1 when it serves. */
function grpcHealth({ port, service = "" }: GRPCAction, host: string, timeoutMs: number): Promise<AttemptResult> {
  const name = Buffer.from(service);
  const message = name.length ? Buffer.concat([Buffer.from([0x0a, name.length]), name]) : name;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return new Promise((resolve, reject) => {
    const session = http2Connect(`http://${host.includes(":") ? `[${host}]` : host}:${port}`);
    const timer = setTimeout(
      () => finish(new Error(`timeout: health rpc did not complete within ${timeoutMs / 1000}s`)),
      timeoutMs,
    );
    const finish = (result: Error | AttemptResult) => {
      clearTimeout(timer);
      session.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    session.once("error", finish);
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.once("error", finish);
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => {
      const serving = Buffer.concat(chunks)
        .subarray(5)
        .equals(Buffer.from([0x08, 1]));
      finish({ ok: serving, output: serving ? "" : 'service unhealthy (responded with "NOT_SERVING")' });
    });
    stream.end(Buffer.concat([head, message]));
  });
}
