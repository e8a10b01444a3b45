// port-forward of the kubelet API: pairs of streams, joined to ports on the pod's own loopback address.
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { SpdyConnection } from "#spdy/spdy-connection";
import type { SpdyStream } from "#spdy/spdy-stream";
import { TOOL_ENVIRONMENT } from "../run-command.ts";
import { channelPairs, type PortPair } from "./channel-pairs.ts";
import { findPod } from "./find-container.ts";
import type { KubeletServerOptions, PodRequest, Upgraded } from "./kubelet-request.ts";

/**
 * Runs in the pod's network namespace and joins each connection of a Unix socket, which is reachable from every
 * namespace, to the port of 127.0.0.1 that its first line names.
 */
const FORWARDER = `
const net = require("node:net");
net.createServer({ allowHalfOpen: true }, (near) => {
  near.on("error", () => near.destroy());
  near.once("data", (head) => {
    near.pause();
    const end = head.indexOf(10);
    const far = net.connect({ host: "127.0.0.1", port: Number(head.subarray(0, end)), allowHalfOpen: true });
    let joined = false;
    far.once("connect", () => {
      joined = true;
      near.write("+");
      far.write(head.subarray(end + 1));
      near.pipe(far);
      far.pipe(near);
    });
    far.on("error", (error) => (joined ? near.destroy() : near.end("-" + error.message)));
    near.on("close", () => far.destroy());
  });
}).listen(process.argv[1], () => process.stdout.write("ready"));
process.stdin.on("end", () => process.exit()).resume();
`;

let sessions = 0;

export async function servePortForward(
  { manager, config }: KubeletServerOptions,
  on: PodRequest,
  upgraded: Upgraded,
): Promise<void> {
  const worker = findPod(manager, on);
  const network = worker.sandbox?.enter.filter((word) => word.startsWith("--net="));
  if (!network) throw new Error(`pod ${on.namespace}/${on.pod} has no network`);
  const path = join(config.stateDir, `forward-${++sessions}.sock`);
  const forwarder = startForwarder(network, path);
  try {
    for await (const pair of pairsOf(on, upgraded)) void forwarder.ready.then(() => joinPort(path, pair));
  } finally {
    forwarder.stop();
    rmSync(path, { force: true });
  }
}

/** Ends when the client is gone. */
function pairsOf(on: PodRequest, upgraded: Upgraded): AsyncIterable<PortPair> {
  const isWebSocket = upgraded.request.headers.upgrade?.toLowerCase() === "websocket";
  return isWebSocket ? channelPairs(on, upgraded) : spdyPairs(upgraded);
}

async function* spdyPairs({ request, socket, head }: Upgraded): AsyncIterable<PortPair> {
  const protocol = String(request.headers["x-stream-protocol-version"] ?? "portforward.k8s.io").split(/,\s*/)[0];
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  const connection = new SpdyConnection(socket, { role: "server", head });
  const waiting = new Map<string, SpdyStream>();
  for await (const stream of connection.streams()) {
    const id = stream.headers.requestid ?? stream.headers.port ?? "";
    const other = waiting.get(id);
    if (!other) {
      waiting.set(id, stream);
      continue;
    }
    waiting.delete(id);
    const [error, data] = stream.headers.streamtype === "data" ? [other, stream] : [stream, other];
    yield { port: data.headers.port ?? "", error, data };
  }
}

function joinPort(path: string, { port, error, data }: PortPair): void {
  const near = connect({ path, allowHalfOpen: true });
  const failed = (what: string) => {
    if (!error.writableEnded) error.end(`cannot connect to port ${port} in the pod: ${what}`);
    data.destroy();
  };
  near.on("error", (thrown) => failed(thrown.message));
  near.write(`${port}\n`);
  near.once("data", (first: Buffer) => {
    if (first[0] !== "+".charCodeAt(0)) {
      failed(first.subarray(1).toString());
      near.destroy();
      return;
    }
    near.unshift(first.subarray(1));
    // Either side may close its half first; the error stream ends when both are through.
    pipeline(near, data, () => error.end());
    pipeline(data, near, () => undefined);
  });
}

function startForwarder(network: readonly string[], path: string) {
  const child: ChildProcess = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "nsenter", ...network, process.execPath, "-e", FORWARDER, path],
    { stdio: ["pipe", "pipe", "ignore"], env: TOOL_ENVIRONMENT },
  );
  child.on("error", () => undefined);
  const ready = new Promise<void>((resolve) => {
    child.stdout?.once("data", () => resolve());
    child.once("close", () => resolve());
  });
  return { ready, stop: () => child.kill("SIGKILL") };
}
