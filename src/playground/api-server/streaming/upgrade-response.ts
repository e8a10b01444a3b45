// Answers to Upgrade requests, which have a bare socket instead of a response object.
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ApiStatusError } from "../contract.ts";

/** Writes a Status as plain HTTP and closes. Clients show its message; after 400 and 403 kubectl tries its older protocol. */
export function refuseUpgrade(socket: Duplex, error: ApiStatusError): void {
  const body = JSON.stringify(error.status());
  writeHead(socket, error.code, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  });
  socket.end(body);
}

/** 101 Switching Protocols. */
export function acceptUpgrade(socket: Duplex, protocol: string, headers: Readonly<Record<string, string>>): void {
  writeHead(socket, 101, { connection: "Upgrade", upgrade: protocol, ...headers });
}

function writeHead(socket: Duplex, code: number, headers: Readonly<Record<string, string>>): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ""}\r\n${lines.join("")}\r\n`);
}

/** Joins two connections byte by byte; when one is gone the other goes too. */
export function joinSockets(one: Duplex, other: Duplex): void {
  for (const [from, to] of [[one, other] as const, [other, one] as const]) {
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
    from.pipe(to);
  }
}
