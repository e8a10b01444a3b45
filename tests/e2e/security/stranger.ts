// A client that is no workload: it stands on the outer segment and dials a gateway with whatever it likes to show.
import { connect as connectPlain } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import type { CertificateAndKey } from "#pki/issue-certificate";

export interface Dial {
  readonly address: string;
  readonly port?: number;
  readonly servername: string;
  /** Absent: none is offered. */
  readonly alpn?: readonly string[];
  /** Leaf and intermediates. */
  readonly certificate?: CertificateAndKey | undefined;
  /** What the server must show a certificate of; the server's SPIFFE identity is in the answer. */
  readonly rootsPem: string;
  readonly tls?: "TLSv1.2" | "TLSv1.3";
  readonly path?: string;
}

export interface Outcome {
  /** HTTP status; undefined when the connection ended without an answer. */
  readonly status?: number;
  readonly body?: string;
  /** Error code, or "closed" when the other side just closed, or "timeout". */
  readonly refused?: string;
  /** Whom we reached, when a certificate was shown: its subject alternative name, its serial, the ALPN agreed on. */
  readonly server?: { readonly name: string; readonly serial: string; readonly alpn: string | undefined };
}

const TIMEOUT_MS = 30_000;

/** Asks for a page by mesh TLS. Never throws: a refusal is an outcome. */
export function dialTls(dial: Dial): Promise<Outcome> {
  const { certificate } = dial;
  const options: ConnectionOptions = {
    host: dial.address,
    port: dial.port ?? 15443,
    servername: dial.servername,
    ca: dial.rootsPem,
    // A mesh certificate names no host; whom we reached is part of the outcome.
    checkServerIdentity: () => undefined,
    ...(dial.alpn === undefined ? {} : { ALPNProtocols: [...dial.alpn] }),
    ...(certificate === undefined ? {} : { cert: certificate.certificatePem, key: certificate.privateKeyPem }),
    ...(dial.tls === undefined ? {} : { minVersion: dial.tls, maxVersion: dial.tls }),
  };
  const socket = connectTls(options);
  return exchange(socket, "secureConnect", dial.path, () => shownBy(socket));
}

/** Asks for a page by plain HTTP. */
export function dialPlain(dial: Pick<Dial, "address" | "port" | "path">): Promise<Outcome> {
  return exchange(connectPlain(dial.port ?? 15443, dial.address), "connect", dial.path, () => undefined);
}

function shownBy(socket: TLSSocket): Outcome["server"] {
  const { subjectaltname: name, serialNumber } = socket.getPeerCertificate();
  const alpn = socket.alpnProtocol || undefined;
  return name === undefined ? undefined : { name, serial: serialNumber.toLowerCase(), alpn };
}

function exchange(
  socket: ReturnType<typeof connectPlain>,
  connected: string,
  path: string | undefined,
  shown: () => Outcome["server"],
): Promise<Outcome> {
  return new Promise((resolve) => {
    let text = "";
    let server: Outcome["server"];
    const end = (refused: string) => {
      const [, status, body] = /^HTTP\/1\.1 (\d+) .*?\r\n\r\n(.*)$/s.exec(text) ?? [];
      const whom = server === undefined ? {} : { server };
      resolve(status === undefined ? { refused, ...whom } : { status: Number(status), body: body ?? "", ...whom });
      socket.destroy();
    };
    socket.setTimeout(TIMEOUT_MS, () => end("timeout"));
    socket.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.on("close", () => end("closed"));
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on(connected, () => {
      server = shown();
      socket.write(`GET ${path ?? "/hello"} HTTP/1.1\r\nhost: helloworld.sample:5000\r\nconnection: close\r\n\r\n`);
    });
  });
}
