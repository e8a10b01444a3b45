// WebSocket exec and attach (`v5.channel.k8s.io` of kubectl >= 1.30, v4 of other clients): every binary message starts
// with a channel number. The node speaks SPDY, so each channel becomes a stream.
import type { WebSocket } from "ws";
import type { SpdyConnection } from "#spdy/spdy-connection";
import type { SpdyStream } from "#spdy/spdy-stream";
import { ApiStatusError } from "../contract.ts";
import { isOn } from "./pod-target.ts";

/** Best first. */
export const CHANNEL_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"] as const;

const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
/** v5: `255 n` says that the sender will write no more to channel n. */
const CLOSE_SIGNAL = 255;
const NORMAL_CLOSURE = 1000;
/** Output waits while the client has this much unsent. */
const MAX_BUFFERED = 1 << 20;

export interface ExecStreams {
  readonly error: SpdyStream;
  readonly stdin?: SpdyStream;
  readonly stdout?: SpdyStream;
  readonly stderr?: SpdyStream;
  readonly resize?: SpdyStream;
}

/** Opens the streams that the query asks for, in the order that nodes expect. Rejects when the node goes away. */
export async function openExecStreams(spdy: SpdyConnection, asked: URLSearchParams): Promise<ExecStreams> {
  const open = (name: string, wanted: boolean) => (wanted ? spdy.openStream({ streamtype: name }) : undefined);
  const error = await spdy.openStream({ streamtype: "error" });
  const tty = isOn(asked, "tty");
  const stdin = await open("stdin", isOn(asked, "stdin"));
  const stdout = await open("stdout", isOn(asked, "stdout"));
  const stderr = await open("stderr", isOn(asked, "stderr") && !tty);
  const resize = await open("resize", tty);
  return {
    error,
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    ...(resize === undefined ? {} : { resize }),
  };
}

/** Moves bytes both ways until the command has ended or one side is gone; then both connections are closed. */
export async function translateExec(socket: WebSocket, spdy: SpdyConnection, streams: ExecStreams): Promise<void> {
  socket.on("error", () => socket.terminate());
  socket.on("close", () => spdy.destroy());
  socket.on("message", (data: Buffer) => onMessage(socket, streams, data));
  // Tells the client that the session stands, before the command says anything.
  if (streams.stdout !== undefined) socket.send(Buffer.from([CHANNELS.stdout]));
  const outputs = (["stdout", "stderr"] as const).map((name) => relayOutput(socket, streams[name], CHANNELS[name]));
  const status = await readAll(streams.error);
  await Promise.all(outputs);
  const text = status.length > 0 ? status.toString("utf8") : JSON.stringify({ metadata: {}, status: "Success" });
  socket.send(Buffer.concat([Buffer.from([CHANNELS.error]), Buffer.from(text)]));
  socket.close(NORMAL_CLOSURE);
  spdy.close();
}

function onMessage(socket: WebSocket, streams: ExecStreams, data: Buffer): void {
  const channel = data[0];
  if (channel === CLOSE_SIGNAL) {
    if (data[1] === CHANNELS.stdin) streams.stdin?.end();
    return;
  }
  const target = channel === CHANNELS.stdin ? streams.stdin : channel === CHANNELS.resize ? streams.resize : undefined;
  if (target === undefined || data.length < 2 || target.writableEnded || target.destroyed) return;
  if (target.write(data.subarray(1))) return;
  socket.pause();
  const resume = () => socket.resume();
  target.once("drain", resume);
  target.once("close", resume);
}

function relayOutput(socket: WebSocket, stream: SpdyStream | undefined, channel: number): Promise<void> {
  if (stream === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    stream.on("data", (chunk: Buffer) => {
      socket.send(Buffer.concat([Buffer.from([channel]), chunk]), () => stream.resume());
      if (socket.bufferedAmount > MAX_BUFFERED) stream.pause();
    });
    stream.once("end", resolve);
    stream.once("close", resolve);
  });
}

/** The error stream's content; a node that goes away before its end has failed. */
function readAll(stream: SpdyStream): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => resolve(Buffer.concat(chunks)));
    stream.once("close", () => {
      const lost = new ApiStatusError(500, "InternalError", "the connection to the node was lost");
      resolve(Buffer.from(JSON.stringify(lost.status())));
    });
  });
}
