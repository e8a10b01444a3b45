// Commands that containers of a pod run against the agent and its Envoy: hooks of the pod, and people in a shell.
import { Command } from "commander";
import { PORTS } from "#api/constants/ports";
import { type Clock, systemClock } from "#base/clock";
import { EXIT_CODES } from "#base/exit-code";
import { errorMessage, MeshError } from "#base/mesh-error";
import { until } from "#base/until";
import { callHttp } from "./call-http.ts";

export interface WaitOptions {
  readonly url: URL;
  readonly timeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly periodMs: number;
  readonly clock: Clock;
}

/** Waits until the URL answers 200. Throws MeshError TIMEOUT with what it answered last. */
export async function waitForProxy(options: WaitOptions): Promise<void> {
  const { url, timeoutMs, periodMs, clock } = options;
  let last = "nothing was asked yet";
  const isReady = async () => {
    try {
      const { status, body } = await callHttp({ ...targetOf(url), timeoutMs: options.requestTimeoutMs });
      last = `it answered ${status} ${body.trim()}`;
      return status === 200;
    } catch (thrown) {
      last = errorMessage(thrown);
      return false;
    }
  };
  try {
    await until(isReady, { reason: "the proxy is ready", timeoutMs, intervalMs: periodMs, clock });
  } catch (cause) {
    const message = `the proxy was not ready within ${timeoutMs / 1000} s: ${last}`;
    throw new MeshError("TIMEOUT", message, { cause, hint: "see the log of container istio-proxy" });
  }
}

function targetOf(url: URL) {
  return { host: url.hostname, port: Number(url.port || 80), path: `${url.pathname}${url.search}` };
}

export interface ProxyRequest {
  readonly method: string;
  /** With or without a slash at its start. */
  readonly path: string;
  readonly body: string | undefined;
  readonly port: number;
}

/** One request to Envoy's admin interface, or to another port of this pod. Throws MeshError when it is not answered well. */
export async function requestProxy({ method, path, body, port }: ProxyRequest): Promise<string> {
  const call = {
    host: "127.0.0.1",
    port,
    method: method.toUpperCase(),
    path: path.startsWith("/") ? path : `/${path}`,
    timeoutMs: REQUEST_TIMEOUT_MS,
    ...(body === undefined ? {} : { body }),
  };
  const answer = await callHttp(call).catch((cause: unknown) => {
    const message = `127.0.0.1:${port} does not answer: ${errorMessage(cause)}`;
    throw new MeshError("UNREACHABLE", message, { cause, hint: "this command runs inside a pod, beside its proxy" });
  });
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw new MeshError(
    "REQUEST_REFUSED",
    `${call.method} ${call.path} answered ${answer.status}: ${answer.body.trim()}`,
  );
}

const REQUEST_TIMEOUT_MS = 60_000;

interface WaitFlags {
  readonly url: string;
  readonly timeoutSeconds: string;
  readonly requestTimeoutMillis: string;
  readonly periodMillis: string;
}

/** `pilot-agent wait`, with Istio's flags. */
export function waitCommand(finish: (code: number) => void): Command {
  return new Command("wait")
    .description("Wait until the proxy of this pod is ready")
    .option("--url <url>", "what to ask", `http://localhost:${PORTS.proxyHealth}/healthz/ready`)
    .option("--timeoutSeconds <n>", "give up after this time", "60")
    .option("--requestTimeoutMillis <n>", "time for one answer", "500")
    .option("--periodMillis <n>", "time between two questions", "500")
    .action(async (flags: WaitFlags) => {
      await waitForProxy({
        url: readUrl(flags.url),
        timeoutMs: readNumber("--timeoutSeconds", flags.timeoutSeconds) * 1000,
        requestTimeoutMs: readNumber("--requestTimeoutMillis", flags.requestTimeoutMillis),
        periodMs: readNumber("--periodMillis", flags.periodMillis),
        clock: systemClock,
      });
      finish(EXIT_CODES.ok);
    });
}

/** `pilot-agent request`, with Istio's arguments. */
export function requestCommand(finish: (code: number) => void): Command {
  return new Command("request")
    .description("Send a request to the proxy of this pod and print the answer")
    .argument("<method>", "GET or POST")
    .argument("<path>", "such as config_dump or stats")
    .argument("[body]", "what to send")
    .option("--debug-port <port>", "port to ask", String(PORTS.envoyAdmin))
    .action(async (method: string, path: string, body: string | undefined, flags: { debugPort: string }) => {
      process.stdout.write(
        await requestProxy({ method, path, body, port: readNumber("--debug-port", flags.debugPort) }),
      );
      finish(EXIT_CODES.ok);
    });
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (text !== "" && value >= 0) return value;
  throw new MeshError("USAGE", `${name}: ${JSON.stringify(text)} is no number`);
}

function readUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new MeshError("USAGE", `--url: ${JSON.stringify(text)} is no URL`);
  }
}
