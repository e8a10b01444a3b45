// One attempt of a probe or hook, made from the node against the pod's address as a kubelet does.
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as tcpConnect } from "node:net";
import type { Container, HTTPGetAction, IntOrString, Probe } from "#api/kubernetes/gen/types";
import { errorMessage, MeshError } from "#base/mesh-error";
import { grpcHealth } from "./grpc-health.ts";

export interface AttemptTarget {
  readonly podIP: string;
  readonly container: Container;
  /** Runs a command in the container. */
  exec(command: readonly string[], timeoutMs: number): Promise<CommandResult>;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
  /** Why it could not even be started. */
  readonly notStarted?: string | undefined;
}

export interface AttemptResult {
  readonly ok: boolean;
  /** What happened, for the event. */
  readonly output: string;
  /** Of a command. */
  readonly exitCode?: number;
  /** Nothing was asked, so that it counts neither for nor against the container. */
  readonly unknown?: true;
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
    if (handler.grpc) return await grpcHealth(handler.grpc, hostPort(target.podIP, handler.grpc.port), timeoutMs);
    const { exitCode, output, notStarted } = await target.exec(handler.exec?.command ?? [], timeoutMs);
    if (notStarted !== undefined) return { ok: false, output: notStarted, exitCode, unknown: true };
    return { ok: exitCode === 0, output, exitCode };
  } catch (thrown) {
    const failed = { ok: false, output: errorMessage(thrown) };
    return thrown instanceof MeshError && thrown.code === NO_SUCH_PORT ? { ...failed, unknown: true } : failed;
  }
}

const NO_SUCH_PORT = "NO_SUCH_PORT";

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

/** IPv6 addresses stand in brackets. */
function hostPort(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** In the words that clients know from kubelets. */
function dialError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const words = DIAL_ERRORS[error.code ?? ""];
  return words === undefined ? error : new Error(`dial tcp ${hostPort(host, port)}: ${words}`);
}

const DIAL_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

/** Resolves a port given by number or by the name of a container port. Throws MeshError NO_SUCH_PORT for an unknown name. */
export function portNumber(port: IntOrString, container: Container): number {
  const number = Number(port);
  if (Number.isInteger(number)) return number;
  const named = container.ports?.find(({ name }) => name === port);
  if (!named) throw new MeshError(NO_SUCH_PORT, `strconv.Atoi: parsing ${JSON.stringify(port)}: invalid syntax`);
  return named.containerPort;
}

/** Redirects on the same host are followed; one to elsewhere is an answer, as it says nothing of this program. */
async function httpGet(action: HTTPGetAction, target: AttemptTarget, timeoutMs: number): Promise<AttemptResult> {
  const scheme = action.scheme?.toLowerCase() ?? "http";
  const { host = target.podIP, path = "/" } = action;
  const port = portNumber(action.port, target.container);
  const headers: Record<string, string> = { "User-Agent": "kube-probe/1.35", Accept: "*/*", Connection: "close" };
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value;
  const deadline = AbortSignal.timeout(timeoutMs);
  let url = `${scheme}://${hostPort(host, port)}${path.startsWith("/") ? path : `/${path}`}`;
  for (let redirects = 0; redirects < MOST_REDIRECTS; redirects++) {
    const { statusCode, location } = await httpAnswer(url, { headers, deadline, dialled: [host, port] });
    const next = location !== undefined && URL.canParse(location, url) ? new URL(location, url) : undefined;
    if (!isRedirect(statusCode) || next?.hostname !== new URL(url).hostname) {
      const ok = statusCode >= 200 && statusCode < 400;
      return { ok, output: `HTTP probe ${ok ? "succeeded" : "failed"} with statuscode: ${statusCode}` };
    }
    url = next.href;
  }
  throw new Error(`Get "${url}": stopped after ${MOST_REDIRECTS} redirects`);
}

const MOST_REDIRECTS = 10;
const isRedirect = (statusCode: number) => [301, 302, 303, 307, 308].includes(statusCode);

interface HttpAsk {
  readonly headers: Readonly<Record<string, string>>;
  readonly deadline: AbortSignal;
  /** For the words of an error. */
  readonly dialled: readonly [host: string, port: number];
}

function httpAnswer(url: string, { headers, deadline, dialled }: HttpAsk) {
  return new Promise<{ statusCode: number; location: string | undefined }>((resolve, reject) => {
    const options = { headers, agent: false };
    const request = url.startsWith("https:")
      ? httpsRequest(url, { ...options, rejectUnauthorized: false })
      : httpRequest(url, options);
    const onLate = () =>
      request.destroy(new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)"));
    if (deadline.aborted) onLate();
    deadline.addEventListener("abort", onLate, { once: true });
    request.once("close", () => deadline.removeEventListener("abort", onLate));
    request.once("error", (error) => reject(new Error(`Get "${url}": ${dialError(error, ...dialled).message}`)));
    request.once("response", (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      response.once("error", reject);
      resolve({ statusCode, location: response.headers.location });
      request.destroy();
    });
    request.end();
  });
}

function tcpSocket(host: string, port: number, timeoutMs: number): Promise<AttemptResult> {
  return new Promise((resolve, reject) => {
    const socket = tcpConnect({ host, port });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`dial tcp ${hostPort(host, port)}: i/o timeout`)));
    socket.once("error", (error) => reject(dialError(error, host, port)));
    socket.once("connect", () => {
      socket.destroy();
      resolve({ ok: true, output: "" });
    });
  });
}
