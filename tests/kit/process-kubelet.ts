// A kubelet port without pods: exec runs a process of this machine, port-forward goes to one local port, logs are fixed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { SpdyConnection } from "../../src/spdy/spdy-connection.ts";
import type { SpdyStream } from "../../src/spdy/spdy-stream.ts";
import type { ClusterPki } from "./cluster-pki.ts";

export interface ProcessKubelet {
  readonly port: number;
  close(): void;
}

export async function processKubelet(pki: ClusterPki, forwardTo: number): Promise<ProcessKubelet> {
  const tls = { cert: pki.server.certificatePem, key: pki.server.privateKeyPem, ca: pki.clientCa.certificatePem };
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (_request, response) => {
    response.end("log line\n");
  });
  server.on("upgrade", (request, socket, head) => {
    const offered = String(request.headers["x-stream-protocol-version"]).split(/, */);
    const version = offered.find((name) => name === "v4.channel.k8s.io") ?? offered[0];
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${version}\r\n\r\n`,
    );
    const connection = new SpdyConnection(socket, { role: "server", head });
    const url = new URL(request.url ?? "/", "https://node");
    const forwards = url.pathname.startsWith("/portForward");
    void (forwards ? forward(connection, forwardTo) : execute(connection, url.searchParams));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function forward(connection: SpdyConnection, port: number): Promise<void> {
  for await (const stream of connection.streams()) {
    if (stream.headers["streamtype"] === "error") {
      stream.end();
      continue;
    }
    const target = connect(port, "127.0.0.1");
    target.on("error", () => stream.destroy());
    stream.pipe(target).pipe(stream);
  }
}

async function execute(connection: SpdyConnection, query: URLSearchParams): Promise<void> {
  const wanted = ["input", "output", "error", "tty"].filter((name) => query.get(name) === "1").length + 1;
  const streams = new Map<string | undefined, SpdyStream>();
  for await (const stream of connection.streams()) {
    streams.set(stream.headers["streamtype"], stream);
    if (streams.size === wanted) run(streams, query.getAll("command"));
  }
}

function run(streams: ReadonlyMap<string | undefined, SpdyStream>, [command = "", ...args]: string[]): void {
  const child = spawn(command, args);
  child.stdin.on("error", () => undefined);
  const stdin = streams.get("stdin");
  if (stdin === undefined) child.stdin.end();
  else stdin.pipe(child.stdin);
  for (const name of ["stdout", "stderr"] as const) {
    const stream = streams.get(name);
    if (stream !== undefined) child[name].pipe(stream);
  }
  child.on("close", (code) => {
    const details = { causes: [{ reason: "ExitCode", message: String(code) }] };
    const failure = {
      metadata: {},
      status: "Failure",
      reason: "NonZeroExitCode",
      message: `exit code ${code}`,
      details,
    };
    streams.get("error")?.end(JSON.stringify(code === 0 ? { metadata: {}, status: "Success" } : failure));
  });
}
