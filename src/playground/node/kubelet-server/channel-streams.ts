// The streams of an exec or attach session over a WebSocket, as the JavaScript and Python clients speak it through a real
// API server: every binary message begins with the number of its channel.
import { Duplex, PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import type { WebSocket } from "ws";
import { MeshError } from "#base/mesh-error";
import { acceptWebSocket, offeredProtocols } from "../../websocket-accept.ts";
import { legacyText, type RemoteStreams, statusText } from "./exit-status.ts";
import type { PodRequest, Upgraded } from "./kubelet-request.ts";

/** Best first; the oldest tells how a command ended in words, the others as a Status object. */
const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"] as const;
const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
/** v5: `255 n` says that the client will write no more to channel n. */
const CLOSE_SIGNAL = 255;
const NORMAL_CLOSURE = 1000;

/** Answers the upgrade. Throws MeshError BAD_REQUEST when the client offers no protocol that is known here. */
export async function acceptChannelStreams(on: PodRequest, upgraded: Upgraded): Promise<RemoteStreams> {
  const offered = offeredProtocols(upgraded.request);
  const protocol = PROTOCOLS.find((name) => offered.includes(name));
  if (protocol === undefined) {
    throw new MeshError("BAD_REQUEST", `none of the subprotocols is known: offer ${PROTOCOLS.join(" or ")}`);
  }
  const wants = (...names: string[]) => names.some((name) => ["1", "true"].includes(on.query.get(name) ?? ""));
  const tty = wants("tty");
  const socket = await acceptWebSocket(upgraded, protocol);
  const stdin = wants("input", "stdin") ? new PassThrough() : undefined;
  const stdout = wants("output", "stdout") ? outputChannel(socket, CHANNELS.stdout) : undefined;
  const stderr = wants("error", "stderr") && !tty ? outputChannel(socket, CHANNELS.stderr) : undefined;
  const resize = tty ? new PassThrough() : undefined;
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  void closed.then(() => stdin?.end());
  socket.on("error", () => socket.terminate());
  socket.on("message", (data: Buffer) => onMessage(socket, { stdin, resize }, data));
  // Tells the client that the session stands, before the command says anything.
  const first = [stdout && CHANNELS.stdout, stderr && CHANNELS.stderr, CHANNELS.error].find((n) => n !== undefined);
  socket.send(Buffer.from([first ?? CHANNELS.error]));
  const tell = (exitCode: number, message?: string) => {
    const text = (protocol === "channel.k8s.io" ? legacyText : statusText)(exitCode, message);
    if (text !== "") socket.send(Buffer.concat([Buffer.from([CHANNELS.error]), Buffer.from(text)]));
    socket.close(NORMAL_CLOSURE);
  };
  return {
    ...{ stdin, stdout, stderr, resize, tty, closed },
    finish(exitCode, message) {
      const outputs = [stdout, stderr].filter((stream) => stream !== undefined);
      for (const output of outputs) output.end();
      // A client that went away does not care how the command ended.
      const written = Promise.all(outputs.map((output) => finished(output, { readable: false })));
      written.then(
        () => tell(exitCode, message),
        () => socket.terminate(),
      );
    },
  };
}

/** What is written to it becomes messages; it takes more when the last one is on its way. */
export function outputChannel(socket: WebSocket, channel: number): Duplex {
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      socket.send(Buffer.concat([Buffer.from([channel]), chunk]), (error) => done(error ?? null));
    },
  });
  // That the client has gone is told by the socket.
  stream.on("error", () => {});
  return stream;
}

function onMessage(
  socket: WebSocket,
  { stdin, resize }: { readonly stdin: PassThrough | undefined; readonly resize: PassThrough | undefined },
  data: Buffer,
): void {
  const channel = data[0];
  if (channel === CLOSE_SIGNAL) {
    if (data[1] === CHANNELS.stdin) stdin?.end();
    return;
  }
  const target = channel === CHANNELS.stdin ? stdin : channel === CHANNELS.resize ? resize : undefined;
  if (target === undefined || data.length < 2 || target.writableEnded || target.destroyed) return;
  if (target.write(data.subarray(1))) return;
  socket.pause();
  const resume = () => socket.resume();
  target.once("drain", resume);
  target.once("close", resume);
}
