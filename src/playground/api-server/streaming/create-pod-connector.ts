// Relays exec, attach, port-forward and logs between a client and the node of the pod, as a real API server does: SPDY
// passes unchanged, WebSocket exec is translated, WebSocket port-forward is unwrapped.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createWebSocketStream } from "ws";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { SpdyConnection } from "#spdy/spdy-connection";
import type { ClusterProcessConfig } from "../../process-config.ts";
import { acceptWebSocket, offeredProtocols } from "../../websocket-accept.ts";
import { badRequest } from "../api-errors.ts";
import {
  type ApiResponse,
  ApiStatusError,
  type ObjectAccess,
  type PodConnector,
  type RequestInfo,
} from "../contract.ts";
import { createKubeletClient, type KubeletClient } from "./kubelet-client.ts";
import { isUnassigned, type PodTarget, podTarget } from "./pod-target.ts";
import { acceptUpgrade, joinSockets, refuseUpgrade } from "./upgrade-response.ts";
import { CHANNEL_PROTOCOLS, openExecStreams, translateExec } from "./websocket-exec.ts";
import { openPortStreams, translatePortForward } from "./websocket-port-forward.ts";

export interface PodConnectorOptions {
  readonly config: ClusterProcessConfig;
  readonly objects: ObjectAccess;
  readonly logger: Logger;
}

const SPDY = "SPDY/3.1";
const TUNNEL = "SPDY/3.1+portforward.k8s.io";
const PORT_FORWARD = ["portforward.k8s.io"];
const EXEC_VERSIONS = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly kubelet: KubeletClient;
  readonly target: PodTarget;
  readonly asked: URLSearchParams;
}

export function createPodConnector({ config, objects, logger }: PodConnectorOptions): PodConnector {
  const kubelet = createKubeletClient(config);
  return {
    async serve(request, response, info) {
      if (info.subresource === "log") {
        if (!isUnassigned(objects, info)) {
          return serveLog(kubelet, response, podTarget(objects, info, queryOf(request.url)));
        }
        response.writeHead(200, { "content-type": "text/plain" }).end();
        return;
      }
      throw badRequest(`pods/${info.subresource} needs a connection upgrade: send "Upgrade: ${SPDY}" or "websocket"`);
    },
    async upgrade(request, socket, head, info) {
      socket.on("error", () => socket.destroy());
      try {
        const asked = queryOf(request.url);
        const target = podTarget(objects, info, asked);
        await relay({ request, socket, head, kubelet, target, asked }, info);
      } catch (thrown) {
        const error =
          thrown instanceof ApiStatusError ? thrown : new ApiStatusError(500, "InternalError", errorMessage(thrown));
        const pod = `${info.namespace}/${info.name}`;
        logger.info({ pod, action: info.subresource, error: error.message }, "pod connection refused");
        if (!socket.destroyed) refuseUpgrade(socket, error);
      }
    },
  };
}

function queryOf(url: string | undefined): URLSearchParams {
  const text = url ?? "";
  const mark = text.indexOf("?");
  return new URLSearchParams(mark < 0 ? "" : text.slice(mark));
}

async function serveLog(kubelet: KubeletClient, response: ApiResponse, target: PodTarget): Promise<void> {
  const stop = new AbortController();
  response.once("close", () => stop.abort());
  const log = await kubelet.get(target, stop.signal);
  response.writeHead(200, { "content-type": "text/plain" });
  // A followed log may say nothing for long, but the client must see that it stands. HTTP/2 has sent its head already.
  if ("flushHeaders" in response) response.flushHeaders();
  // A client that stops following is no failure.
  await pipeline(log, response).catch(() => undefined);
}

function relay(upgrade: Upgrade, info: RequestInfo): Promise<void> {
  const wanted = (upgrade.request.headers.upgrade ?? "").toLowerCase();
  if (wanted === SPDY.toLowerCase()) return passSpdy(upgrade);
  if (wanted !== "websocket") throw badRequest(`unable to upgrade to ${wanted}: use ${SPDY} or websocket`);
  return info.subresource === "portforward" ? webSocketPortForward(upgrade) : webSocketExec(upgrade);
}

async function passSpdy({ request, socket, head, kubelet, target }: Upgrade): Promise<void> {
  const offered = [request.headers["x-stream-protocol-version"] ?? []].flat().flatMap((line) => line.split(/, */));
  const node = await kubelet.upgrade(target, offered);
  acceptUpgrade(socket, SPDY, node.protocol === undefined ? {} : { "x-stream-protocol-version": node.protocol });
  if (node.head.length > 0) socket.write(node.head);
  if (head.length > 0) node.socket.write(head);
  joinSockets(socket, node.socket);
}

async function webSocketExec(upgrade: Upgrade): Promise<void> {
  const offered = offeredProtocols(upgrade.request);
  const protocol = CHANNEL_PROTOCOLS.find((name) => offered.includes(name));
  if (protocol === undefined)
    throw badRequest(`none of the subprotocols is known: offer ${CHANNEL_PROTOCOLS.join(" or ")}`);
  const node = await upgrade.kubelet.upgrade(upgrade.target, EXEC_VERSIONS);
  const spdy = new SpdyConnection(node.socket, { role: "client", head: node.head });
  try {
    const streams = await openExecStreams(spdy, upgrade.asked);
    await translateExec(await acceptWebSocket(upgrade, protocol), spdy, streams);
  } catch (thrown) {
    spdy.destroy();
    throw thrown;
  }
}

async function webSocketPortForward(upgrade: Upgrade): Promise<void> {
  const offered = offeredProtocols(upgrade.request);
  const node = await upgrade.kubelet.upgrade(upgrade.target, PORT_FORWARD);
  if (offered.includes(TUNNEL)) {
    const tunnel = createWebSocketStream(await acceptWebSocket(upgrade, TUNNEL));
    if (node.head.length > 0) tunnel.write(node.head);
    return joinSockets(tunnel, node.socket);
  }
  const spdy = new SpdyConnection(node.socket, { role: "client", head: node.head });
  try {
    const ports = portsOf(upgrade.asked);
    if (!offered.includes("v4.channel.k8s.io") || ports.length === 0) {
      throw badRequest(`port-forward needs the subprotocol ${TUNNEL}, or v4.channel.k8s.io with ports in the query`);
    }
    const streams = await openPortStreams(spdy, ports);
    translatePortForward(await acceptWebSocket(upgrade, "v4.channel.k8s.io"), spdy, { streams, ports });
  } catch (thrown) {
    spdy.destroy();
    throw thrown;
  }
}

function portsOf(asked: URLSearchParams): string[] {
  const ports = asked.getAll("ports").flatMap((list) => list.split(","));
  const bad = ports.find((port) => !(Number(port) >= 1 && Number(port) <= 65535));
  if (bad !== undefined) throw badRequest(`${JSON.stringify(bad)} is no port: give 1 to 65535`);
  return ports;
}
