// Port-forward of clients that speak `v4.channel.k8s.io` (the JavaScript and Python ones): the ports are in the query,
// port number i has channels 2i (data) and 2i+1 (error), and each channel's first message is the port itself.
import type { WebSocket } from "ws";
import type { SpdyConnection } from "#spdy/spdy-connection";
import type { SpdyStream } from "#spdy/spdy-stream";

/** Opens the pair of streams of each port. Rejects when the node goes away. */
export async function openPortStreams(spdy: SpdyConnection, ports: readonly string[]): Promise<SpdyStream[]> {
  const streams: SpdyStream[] = [];
  for (const [index, port] of ports.entries()) {
    const requestid = String(index);
    const error = await spdy.openStream({ streamtype: "error", port, requestid });
    streams.push(await spdy.openStream({ streamtype: "data", port, requestid }), error);
  }
  return streams;
}

/** Moves bytes until one side is gone. `streams` are data and error of each port in turn. */
export function translatePortForward(
  socket: WebSocket,
  spdy: SpdyConnection,
  { streams, ports }: { readonly streams: readonly SpdyStream[]; readonly ports: readonly string[] },
): void {
  socket.on("error", () => socket.terminate());
  socket.on("close", () => spdy.destroy());
  spdy.closed.then(
    () => socket.close(),
    () => undefined,
  );
  for (const [channel, stream] of streams.entries()) {
    const hello = Buffer.alloc(3);
    hello.writeUInt8(channel);
    hello.writeUInt16LE(Number(ports[channel >> 1]), 1);
    socket.send(hello);
    stream.on("data", (chunk: Buffer) => socket.send(Buffer.concat([Buffer.from([channel]), chunk])));
  }
  socket.on("message", (data: Buffer) => {
    const channel = data[0] ?? 0;
    const stream = channel % 2 === 0 ? streams[channel] : undefined;
    if (stream?.writable && data.length > 1) stream.write(data.subarray(1));
  });
  // The node waits for the end of our half of each error stream.
  for (const [channel, stream] of streams.entries()) if (channel % 2 === 1) stream.end();
}
