// Port-forward over a WebSocket, as the JavaScript and Python clients speak it: the ports stand in the query, port number
// i has channels 2i (data) and 2i+1 (error), and each channel's first message is the port itself.
import { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { MeshError } from "#base/mesh-error";
import { acceptWebSocket, offeredProtocols } from "../../websocket-accept.ts";
import { outputChannel } from "./channel-streams.ts";
import type { PodRequest, Upgraded } from "./kubelet-request.ts";

/** One forwarded connection: bytes both ways, and words when it cannot be made. */
export interface PortPair {
  readonly port: string;
  readonly error: Duplex;
  readonly data: Duplex;
}

const PROTOCOL = "v4.channel.k8s.io";

/** A pair for each port; ends when the client is gone. Throws MeshError BAD_REQUEST. */
export async function* channelPairs(on: PodRequest, upgraded: Upgraded): AsyncIterable<PortPair> {
  const ports = ["port", "ports"].flatMap((name) => on.query.getAll(name)).flatMap((list) => list.split(","));
  if (ports.length === 0 || ports.some((port) => !(Number(port) >= 1 && Number(port) <= 65535))) {
    throw new MeshError("BAD_REQUEST", "port-forward over a WebSocket needs the ports in the query: port=1 to 65535");
  }
  if (!offeredProtocols(upgraded.request).includes(PROTOCOL)) {
    throw new MeshError("BAD_REQUEST", `the subprotocol is not known: offer ${PROTOCOL}`);
  }
  const socket = await acceptWebSocket(upgraded, PROTOCOL);
  socket.on("error", () => socket.terminate());
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const data = ports.map((port, index) => dataChannel(socket, index * 2, Number(port)));
  let open = data.length;
  for (const stream of data) {
    stream.once("close", () => {
      open -= 1;
      // Nothing else could tell the client that the last connection has ended.
      if (open === 0) socket.close();
    });
  }
  socket.on("message", (message: Buffer) => {
    const channel = message[0] ?? 0;
    const stream = channel % 2 === 0 ? data[channel / 2] : undefined;
    if (stream !== undefined && message.length > 1 && !stream.push(message.subarray(1))) socket.pause();
  });
  for (const [index, port] of ports.entries()) {
    const error = outputChannel(socket, index * 2 + 1);
    error.write(portMessage(Number(port)));
    const stream = data[index];
    if (stream !== undefined) yield { port, error, data: stream };
  }
  await closed;
  for (const stream of data) stream.push(null);
}

function dataChannel(socket: WebSocket, channel: number, port: number): Duplex {
  const output = outputChannel(socket, channel);
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => socket.resume(),
    write: (chunk: Buffer, encoding, done) => output.write(chunk, encoding, done),
  });
  stream.on("error", () => {});
  stream.write(portMessage(port));
  // The client cannot end its half: the connection is over with the pod's.
  stream.once("finish", () => stream.destroy());
  return stream;
}

function portMessage(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(port);
  return bytes;
}
