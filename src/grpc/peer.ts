import type { Socket } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";

/** Who is at the other end of a connection. */
export interface PeerInfo {
  /** IP address, or empty for a Unix socket. */
  readonly address: string;
  /** TLS or not. */
  readonly encrypted: boolean;
  /** URI names of the client certificate, only when it was verified against our roots. */
  readonly uris: readonly string[];
}

export function peerOf(socket: Socket | TLSSocket): PeerInfo {
  const address = socket.remoteAddress ?? "";
  if (!isEncrypted(socket)) return { address, encrypted: false, uris: [] };
  return { address, encrypted: true, uris: socket.authorized ? urisOf(socket.getPeerCertificate()) : [] };
}

/** Sessions of node:http2 wrap their socket so that every name seems to be in it: only the value tells. */
function isEncrypted(socket: Socket | TLSSocket): socket is TLSSocket {
  return "encrypted" in socket && socket.encrypted === true;
}

/** Node joins names as `URI:a, DNS:b`; a URI with a comma in it is quoted, and SPIFFE ids hold none. */
function urisOf(certificate: PeerCertificate): readonly string[] {
  return (certificate.subjectaltname ?? "")
    .split(", ")
    .filter((name) => name.startsWith("URI:"))
    .map((name) => name.slice("URI:".length));
}
