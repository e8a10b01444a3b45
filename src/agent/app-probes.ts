// Probes of the application that the injector pointed at the agent: the kubelet speaks no mTLS, so the agent asks the
// application itself, over the address that iptables lets through.
import { connect as connectTcp } from "node:net";
import { INBOUND_PASSTHROUGH_SOURCE } from "#api/constants/ports";
import { MeshError } from "#base/mesh-error";
import type { JsonObject, JsonValue } from "#envoy/struct";
import { callHttp } from "./call-http.ts";
import { isObject, parseJsonObject } from "./proxy-config.ts";

export interface ProbeTarget {
  /** The pod's own address. */
  readonly host: string;
  /** The source address that iptables lets through, undefined outside a pod. */
  readonly localAddress: string | undefined;
}

export const POD_SOURCE = INBOUND_PASSTHROUGH_SOURCE;

type Prober = (target: ProbeTarget, headers: Readonly<Record<string, string>>) => Promise<number>;

/** Probers by the path that the kubelet asks for. Throws MeshError for JSON that is not the injector's. */
export function readAppProbers(text: string): ReadonlyMap<string, Prober> {
  if (text === "") return new Map();
  const json = parseJsonObject("ISTIO_KUBE_APP_PROBERS", text);
  if (!isObject(json)) throw new MeshError("USAGE", "ISTIO_KUBE_APP_PROBERS is no JSON object");
  return new Map(
    Object.entries(json).flatMap(([path, definition]) => (isObject(definition) ? [[path, proberOf(definition)]] : [])),
  );
}

function proberOf(definition: JsonObject): Prober {
  const timeoutMs = numberOf(definition["timeoutSeconds"], 1) * 1000;
  const { httpGet, tcpSocket, grpc } = definition;
  if (isObject(httpGet)) return httpProber(httpGet, timeoutMs);
  if (isObject(tcpSocket)) return tcpProber(numberOf(tcpSocket["port"], 0), timeoutMs);
  if (isObject(grpc)) return grpcProber(grpc, timeoutMs);
  return async () => 400;
}

const PASSED_ON = new Set(["user-agent", "accept"]);

function httpProber(get: JsonObject, timeoutMs: number): Prober {
  const own: Record<string, string> = {};
  for (const header of Array.isArray(get["httpHeaders"]) ? get["httpHeaders"] : []) {
    if (isObject(header)) own[textOf(header["name"], "").toLowerCase()] = textOf(header["value"], "");
  }
  const path = textOf(get["path"], "/");
  const call = { port: numberOf(get["port"], 80), path: path.startsWith("/") ? path : `/${path}`, timeoutMs };
  const isHttps = textOf(get["scheme"], "HTTP").toUpperCase() === "HTTPS";
  return async ({ host, localAddress }, headers) => {
    const passed = Object.fromEntries(Object.entries(headers).filter(([name]) => PASSED_ON.has(name)));
    const from = localAddress === undefined ? {} : { localAddress };
    const target = { ...call, ...from, host: textOf(get["host"], host), headers: { ...passed, ...own } };
    return (await callHttp({ ...target, ...(isHttps ? { isHttps } : {}) })).status;
  };
}

function tcpProber(port: number, timeoutMs: number): Prober {
  return ({ host, localAddress }) =>
    new Promise((resolve) => {
      const socket = connectTcp({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
      const end = (status: number) => {
        socket.destroy();
        resolve(status);
      };
      socket.setTimeout(timeoutMs, () => end(500));
      socket.once("connect", () => end(200));
      socket.once("error", () => end(500));
    });
}

/** Over loopback, which iptables leaves alone. grpc.health.v1: the request names a service (field 1), the answer's status (field 1) is 1 for serving. */
function grpcProber(definition: JsonObject, timeoutMs: number): Prober {
  return async () => {
    const { createGrpcChannel } = await import("#grpc/channel");
    const service = Buffer.from(textOf(definition["service"], ""));
    const request = service.length === 0 ? service : Buffer.concat([Buffer.from([0x0a, service.length]), service]);
    const channel = createGrpcChannel({ target: `127.0.0.1:${numberOf(definition["port"], 0)}` });
    try {
      const answer = await channel.unary("/grpc.health.v1.Health/Check", request, { timeoutMs });
      return answer[0] === 0x08 && answer[1] === 1 ? 200 : 503;
    } catch {
      return 503;
    } finally {
      channel.close();
    }
  };
}

function textOf(value: JsonValue | undefined, fallback: string): string {
  return typeof value === "string" && value !== "" ? value : fallback;
}

function numberOf(value: JsonValue | undefined, fallback: number): number {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && number > 0 ? number : fallback;
}
