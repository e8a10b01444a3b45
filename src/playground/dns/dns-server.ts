// The two sockets of a DNS server: one datagram a query, or a stream of queries with two bytes of length before each.
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

const IDLE_MS = 10_000;
const MAX_QUERY = 65_535;

export interface DnsServerOptions {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  answer(query: Buffer, udp: boolean): Buffer | undefined;
}

export interface DnsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on UDP and TCP at once. Throws when the address is not there or the port is taken. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const tcp = createServer((socket) => serveStream(socket, options));
  tcp.listen(options.port, options.address);
  await once(tcp, "listening");
  const port = portOf(tcp);
  const udp = createSocket("udp4");
  try {
    udp.bind(port, options.address);
    await once(udp, "listening");
  } catch (thrown) {
    tcp.close();
    throw thrown;
  }
  udp.on("message", (query, from) => {
    const answer = options.answer(query, true);
    // A failed send is a lost datagram: the asker repeats.
    if (answer !== undefined) udp.send(answer, from.port, from.address, () => {});
  });
  udp.on("error", () => {});
  return { port, close: () => closeAll(udp, tcp) };
}

function serveStream(socket: Socket, options: DnsServerOptions): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      const answer = options.answer(rest.subarray(2, end), false);
      rest = rest.subarray(end);
      if (answer === undefined || answer.length > MAX_QUERY) return socket.destroy();
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([length, answer]));
    }
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function closeAll(udp: UdpSocket, tcp: Server): Promise<void> {
  await Promise.all([
    new Promise<void>((resolve) => udp.close(() => resolve())),
    new Promise<void>((resolve) => {
      tcp.close(() => resolve());
    }),
  ]);
}
