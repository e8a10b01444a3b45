import { FieldReader } from "../../field-reader.ts";
import type { Parsed } from "../../violation.ts";
import { type Gateway, type GatewayServer, SERVER_PROTOCOLS, TLS_MODES } from "./types.ts";

/** Reads the spec of a Gateway of any served version (they are equal in form). */
export function parseGateway(spec: unknown): Parsed<Gateway> {
  const reader = new FieldReader(spec, "spec");
  const servers = reader.children("servers").map(readServer);
  if (servers.length === 0) reader.refuse("servers", "must name at least one server");
  return reader.done({ selector: reader.textMap("selector"), servers });
}

function readServer(reader: FieldReader): GatewayServer {
  const port = reader.child("port");
  const number = port.number("number", 0);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) port.refuse("number", "must be from 1 to 65535");
  const hosts = reader.texts("hosts");
  if (hosts.length === 0) reader.refuse("hosts", "must name at least one host");
  const server = {
    name: reader.text("name"),
    port: { number, name: port.text("name"), protocol: readProtocol(port) },
    bind: reader.text("bind"),
    hosts,
  };
  return reader.has("tls") ? { ...server, tls: readTls(reader.child("tls")) } : server;
}

function readProtocol(port: FieldReader): GatewayServer["port"]["protocol"] {
  const written = port.text("protocol").toUpperCase();
  const known = SERVER_PROTOCOLS.find((protocol) => protocol === written);
  if (known === undefined) port.refuse("protocol", `is "${written}"; allowed are ${SERVER_PROTOCOLS.join(", ")}`);
  return known ?? "TCP";
}

function readTls(reader: FieldReader): NonNullable<GatewayServer["tls"]> {
  return {
    mode: reader.oneOf("mode", TLS_MODES, "PASSTHROUGH"),
    httpsRedirect: reader.flag("httpsRedirect", false),
    credentialName: reader.text("credentialName"),
  };
}
