// The streams of an exec or attach session, over SPDY here and in channel-streams.ts over a WebSocket: error, stdin, stdout, stderr, resize, as the client's query asks.
import type { Duplex } from "node:stream";
import { SpdyConnection } from "#spdy/spdy-connection";
import { acceptChannelStreams } from "./channel-streams.ts";
import { legacyText, type RemoteStreams, statusText } from "./exit-status.ts";
import type { PodRequest, Upgraded } from "./kubelet-request.ts";

/** Newest first; v4 tells exit codes as a Status object. */
const PROTOCOLS = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"] as const;
const STREAMS_TIMEOUT_MS = 30_000;

/** Answers the upgrade and waits for every stream that the query promises. Throws when they do not come. */
export function acceptRemoteStreams(on: PodRequest, upgraded: Upgraded): Promise<RemoteStreams> {
  const isWebSocket = upgraded.request.headers.upgrade?.toLowerCase() === "websocket";
  return (isWebSocket ? acceptChannelStreams : acceptSpdyStreams)(on, upgraded);
}

async function acceptSpdyStreams(on: PodRequest, upgraded: Upgraded): Promise<RemoteStreams> {
  const { request, socket, head } = upgraded;
  const offered = String(request.headers["x-stream-protocol-version"] ?? "").split(/,\s*/);
  const protocol = PROTOCOLS.find((name) => offered.includes(name)) ?? PROTOCOLS[3];
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  const connection = new SpdyConnection(socket, { role: "server", head });
  const wants = (...names: string[]) => names.some((name) => ["1", "true"].includes(on.query.get(name) ?? ""));
  const tty = wants("tty");
  const wanted = [
    "error",
    ...(wants("input", "stdin") ? ["stdin"] : []),
    ...(wants("output", "stdout") ? ["stdout"] : []),
    ...(wants("error", "stderr") && !tty ? ["stderr"] : []),
    ...(tty && protocol !== "v2.channel.k8s.io" && protocol !== "channel.k8s.io" ? ["resize"] : []),
  ];
  const streams = await collectStreams(connection, wanted);
  return {
    stdin: streams.named.get("stdin"),
    stdout: streams.named.get("stdout"),
    stderr: streams.named.get("stderr"),
    resize: streams.named.get("resize"),
    tty,
    closed: connection.closed,
    finish(exitCode, message) {
      streams.error.end(protocol === PROTOCOLS[0] ? statusText(exitCode, message) : legacyText(exitCode, message));
      for (const name of ["stdout", "stderr"]) streams.named.get(name)?.end();
      connection.close();
    },
  };
}

async function collectStreams(connection: SpdyConnection, wanted: readonly string[]) {
  const named = new Map<string, Duplex>();
  const timer = setTimeout(() => connection.destroy(), STREAMS_TIMEOUT_MS);
  for await (const stream of connection.streams()) {
    named.set(stream.headers.streamtype ?? "", stream);
    if (wanted.every((name) => named.has(name))) break;
  }
  clearTimeout(timer);
  const error = named.get("error");
  if (!error || !wanted.every((name) => named.has(name))) {
    connection.destroy();
    throw new Error(`the client opened ${[...named.keys()].join(", ")} and not ${wanted.join(", ")}`);
  }
  return { error, named };
}
