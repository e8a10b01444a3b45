// The connector between real sockets: kubectl's side over TLS, the node's side as a small kubelet that speaks SPDY.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createWebSocketStream, WebSocket } from "ws";
import { silentLogger } from "#base/logger";
import { SpdyConnection } from "#spdy/spdy-connection";
import type { SpdyStream } from "#spdy/spdy-stream";
import { type ClusterPki, clusterPki } from "../../../../tests/kit/cluster-pki.ts";
import { type MemoryObjects, memoryObjects } from "../../../../tests/kit/memory-objects.ts";
import type { ApiStatusError, PodConnector, RequestInfo } from "../contract.ts";
import { createPodConnector } from "./create-pod-connector.ts";

let pki: ClusterPki;
let kubelet: Server;
let front: Server;
let objects: MemoryObjects;
let connector: PodConnector;
let asked: string[];
let nodeSocket: Duplex | undefined;
/** What the fake node's command does with its streams. */
let command: (streams: Record<string, SpdyStream>) => void;

const portOf = (server: Server) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  pki = await clusterPki();
  const { certificatePem, privateKeyPem } = pki.server;
  const tls = { cert: certificatePem, key: privateKeyPem };
  kubelet = createServer({ ...tls, ca: pki.clientCa.certificatePem, requestCert: true }, (incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    if (incoming.url?.includes("/waiting")) {
      response.writeHead(400);
      response.end('container "waiting" in pod "p" is waiting to start: ContainerCreating');
      return;
    }
    response.write("line 1\n");
    if (!incoming.url?.includes("follow=true")) response.end("line 2\n");
  });
  kubelet.on("upgrade", (incoming, socket, head) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    if (incoming.url?.includes("refused"))
      return socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno such");
    const protocol = [incoming.headers["x-stream-protocol-version"] ?? ""].flat()[0]?.split(",")[0];
    const head101 = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`;
    socket.write(head101);
    nodeSocket = socket;
    const spdy = new SpdyConnection(socket, { role: "server", head });
    const url = new URL(incoming.url ?? "", "https://node");
    void (url.pathname.startsWith("/portForward") ? servePorts(spdy) : serveCommand(spdy, url.searchParams));
  });
  front = createServer(tls, (incoming, response) => {
    connector.serve(incoming, response, infoOf(incoming.url)).catch((error: ApiStatusError) => {
      response.writeHead(error.code);
      response.end(error.message);
    });
  });
  front.on("upgrade", (incoming, socket: Duplex, head) => {
    void connector.upgrade(incoming, socket, head, infoOf(incoming.url));
  });
  for (const server of [kubelet, front]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
});

afterAll(() => {
  for (const server of [kubelet, front]) {
    server.closeAllConnections();
    server.close();
  }
  pki.remove();
});

beforeEach(() => {
  asked = [];
  command = () => undefined;
  objects = memoryObjects();
  connector = createPodConnector({ config: pki.config, objects, logger: silentLogger() });
  putNode(portOf(kubelet));
  const containers = [{ name: "c" }];
  objects.put("", "pods", { metadata: { namespace: "ns", name: "p" }, spec: { nodeName: "n", containers } });
});

function putNode(port: number): void {
  const addresses = [{ type: "InternalIP", address: "127.0.0.1" }];
  objects.put("", "nodes", {
    metadata: { name: "n" },
    status: { addresses, daemonEndpoints: { kubeletEndpoint: { Port: port } } },
  });
}

function infoOf(url = ""): RequestInfo {
  const [, namespace = "", name = "", subresource = ""] = /\/namespaces\/(.*?)\/pods\/(.*?)\/(\w+)/.exec(url) ?? [];
  return {
    isResource: true,
    path: "",
    verb: "get",
    group: "",
    version: "v1",
    resource: "pods",
    subresource,
    namespace,
    name,
  };
}

async function serveCommand(spdy: SpdyConnection, query: URLSearchParams): Promise<void> {
  const names = { input: "stdin", output: "stdout", error: "stderr", tty: "resize" } as const;
  const wanted = Object.entries(names).filter(([name]) => query.get(name) === "1").length + 1;
  const streams: Record<string, SpdyStream> = {};
  for await (const stream of spdy.streams()) {
    streams[stream.headers["streamtype"] ?? ""] = stream;
    if (Object.keys(streams).length === wanted) command(streams);
  }
}

/** Echoes what comes to port 80; says on the error stream that every other port is closed. */
async function servePorts(spdy: SpdyConnection): Promise<void> {
  for await (const stream of spdy.streams()) {
    const { streamtype, port } = stream.headers;
    if (streamtype === "data" && port === "80") stream.pipe(stream);
    if (streamtype === "error" && port !== "80") stream.end("connection refused");
  }
}

const path = (subresource: string, query = "") => `/api/v1/namespaces/ns/pods/p/${subresource}?${query}`;

function webSocket(url: string, protocol: string): WebSocket {
  return new WebSocket(`wss://127.0.0.1:${portOf(front)}${url}`, protocol, { ca: pki.serverCa.certificatePem });
}

/** Everything on each channel until the connection closes. */
async function channels(socket: WebSocket): Promise<Record<number, Buffer>> {
  const found: Record<number, Buffer[]> = {};
  socket.on("message", (data: Buffer) => {
    const channel = data[0] ?? -1;
    found[channel] = [...(found[channel] ?? []), data.subarray(1)];
  });
  await once(socket, "close");
  return Object.fromEntries(Object.entries(found).map(([channel, parts]) => [channel, Buffer.concat(parts)]));
}

const refusal = (socket: WebSocket): Promise<{ code: number; message: string }> =>
  new Promise((resolve, reject) => {
    socket.on("error", () => undefined);
    socket.on("open", () => reject(new Error("it was accepted")));
    socket.on("unexpected-response", (_request, response) => {
      text(response).then((body) => resolve({ code: response.statusCode ?? 0, ...JSON.parse(body) }), reject);
    });
  });

describe("WebSocket exec", () => {
  test("carries stdin with its end, stdout, stderr and the exit code", async () => {
    const status = { status: "Failure", reason: "NonZeroExitCode", details: { causes: [{ message: "3" }] } };
    command = ({ stdin, stdout, stderr, error }) => {
      stdin?.on("data", (chunk) => stdout?.write(chunk));
      stdin?.on("end", () => {
        stdout?.end();
        stderr?.end("warned");
        error?.end(JSON.stringify(status));
      });
    };
    const query = "command=sh&command=-c&command=x%20y&stdin=true&stdout=true&stderr=true";
    const socket = webSocket(path("exec", query), "v5.channel.k8s.io");
    await once(socket, "open");
    expect(socket.protocol).toBe("v5.channel.k8s.io");
    const result = channels(socket);
    const bytes = randomBytes(3_000_000);
    for (let at = 0; at < bytes.length; at += 32_000) {
      socket.send(Buffer.concat([Buffer.from([0]), bytes.subarray(at, at + 32_000)]));
    }
    socket.send(Buffer.from([255, 0]));
    const { 1: stdout, 2: stderr, 3: error } = await result;
    expect(stdout?.equals(bytes)).toBe(true);
    expect(stderr?.toString()).toBe("warned");
    expect(JSON.parse(error?.toString() ?? "")).toEqual(status);
    expect(asked).toEqual(["POST /exec/ns/p/c?command=sh&command=-c&command=x+y&input=1&output=1&error=1"]);
  });

  test("an empty error stream is success; resize reaches the node", async () => {
    let size = "";
    command = ({ stdout, error, resize }) => {
      resize?.on("data", (chunk: Buffer) => {
        size = chunk.toString();
        stdout?.end("done");
        error?.end();
      });
    };
    const socket = webSocket(path("exec", "command=sh&stdout=1&tty=1&stderr=1"), "v4.channel.k8s.io");
    await once(socket, "open");
    const result = channels(socket);
    socket.send(Buffer.concat([Buffer.from([4]), Buffer.from('{"Width":80,"Height":24}')]));
    const { 1: stdout, 3: error } = await result;
    expect(stdout?.toString()).toBe("done");
    expect(JSON.parse(error?.toString() ?? "")).toEqual({ metadata: {}, status: "Success" });
    expect(size).toBe('{"Width":80,"Height":24}');
  });

  test("a client that goes away takes the node's connection along", async () => {
    const gone = new Promise<void>((resolve) => {
      command = ({ stdout }) => stdout?.once("close", resolve);
    });
    const socket = webSocket(path("exec", "command=sleep&stdout=true"), "v5.channel.k8s.io");
    await once(socket, "message");
    socket.terminate();
    await gone;
  });

  test("a node that goes away ends in a failure, not in success", async () => {
    command = ({ stdout }) => {
      stdout?.write("half", () => nodeSocket?.destroy());
    };
    const socket = webSocket(path("exec", "command=x&stdout=true"), "v5.channel.k8s.io");
    const { 3: error } = await channels(socket);
    expect(JSON.parse(error?.toString() ?? "")).toMatchObject({ status: "Failure" });
  });

  test.each<[string, string, number, RegExp]>([
    ["v5.channel.k8s.io", "/api/v1/namespaces/ns/pods/x/exec?command=a&stdout=1", 404, /pods "x" not found/],
    ["v5.channel.k8s.io", path("exec", "container=z"), 400, /container z is not valid for pod p/],
    ["v9.channel.k8s.io", path("exec"), 400, /none of the subprotocols/],
    ["v5.channel.k8s.io", path("attach", "container=refused"), 404, /no such/],
  ])("%s to %s is refused with %i", async (protocol, url, code, message) => {
    objects.put("", "pods", {
      metadata: { namespace: "ns", name: "p" },
      spec: { nodeName: "n", containers: [{ name: "c" }], initContainers: [{ name: "refused" }] },
    });
    const answer = await refusal(webSocket(url, protocol));
    expect(answer.code).toBe(code);
    expect(answer.message).toMatch(message);
  });

  test("an unreachable node is told", async () => {
    putNode(1);
    const answer = await refusal(webSocket(path("exec", "stdout=1"), "v5.channel.k8s.io"));
    expect(answer.message).toContain("dial tcp 127.0.0.1:1: connect: connection refused");
  });
});

/** Upgrades by hand, as kubectl < 1.30 does. */
async function spdyUpgrade(url: string, versions: string): Promise<{ head: string; spdy: SpdyConnection }> {
  const socket: TLSSocket = connect({ port: portOf(front), host: "127.0.0.1", ca: pki.serverCa.certificatePem });
  socket.write(
    `POST ${url} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${versions}\r\nContent-Length: 0\r\n\r\n`,
  );
  const [first] = (await once(socket, "data")) as [Buffer];
  const end = first.indexOf("\r\n\r\n") + 4;
  return {
    head: first.subarray(0, end).toString(),
    spdy: new SpdyConnection(socket, { role: "client", head: first.subarray(end) }),
  };
}

describe("SPDY", () => {
  test("exec passes through with the version that the node chose", async () => {
    command = ({ stdout, error }) => {
      stdout?.end("hello");
      error?.end();
    };
    const { head, spdy } = await spdyUpgrade(path("exec", "command=x&stdout=true"), "v4.channel.k8s.io");
    expect(head).toMatch(/^HTTP\/1.1 101 /);
    expect(head.toLowerCase()).toContain("x-stream-protocol-version: v4.channel.k8s.io");
    await spdy.openStream({ streamtype: "error" });
    const stdout = await spdy.openStream({ streamtype: "stdout" });
    expect(await text(stdout)).toBe("hello");
    spdy.close();
  });

  test("port-forward carries several connections and the node's errors", async () => {
    const { spdy } = await spdyUpgrade(path("portforward"), "portforward.k8s.io");
    const open = async (port: string, requestid: string) => {
      const error = await spdy.openStream({ streamtype: "error", port, requestid });
      return { error, data: await spdy.openStream({ streamtype: "data", port, requestid }) };
    };
    const [one, two, closed] = await Promise.all([open("80", "0"), open("80", "1"), open("81", "2")]);
    one.data.end("first");
    two.data.end("second");
    expect(await text(one.data)).toBe("first");
    expect(await text(two.data)).toBe("second");
    expect(await text(closed.error)).toBe("connection refused");
    spdy.close();
  });

  test("a refusal is a plain HTTP answer with a Status", async () => {
    const { head } = await spdyUpgrade("/api/v1/namespaces/ns/pods/x/exec", "v4.channel.k8s.io");
    expect(head).toMatch(/^HTTP\/1.1 404 Not Found\r\n/);
  });
});

describe("WebSocket port-forward", () => {
  test("unwraps kubectl's SPDY tunnel", async () => {
    const server = `wss://127.0.0.1:${portOf(front)}${path("portforward")}`;
    // `ws` accepts no slash in a subprotocol, so the client's header is set by hand.
    const socket = new WebSocket(server, {
      ca: pki.serverCa.certificatePem,
      headers: { "sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io" },
    });
    let protocol: string | undefined;
    socket.once("upgrade", (response) => {
      protocol = response.headers["sec-websocket-protocol"];
      delete response.headers["sec-websocket-protocol"];
    });
    await once(socket, "open");
    expect(protocol).toBe("SPDY/3.1+portforward.k8s.io");
    const spdy = new SpdyConnection(createWebSocketStream(socket), { role: "client" });
    const data = await spdy.openStream({ streamtype: "data", port: "80", requestid: "0" });
    data.end("through");
    expect(await text(data)).toBe("through");
    spdy.destroy();
  });

  test("serves the channels of other clients", async () => {
    const socket = webSocket(path("portforward", "ports=80&ports=81"), "v4.channel.k8s.io");
    const seen: Buffer[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on("message", (data: Buffer) => {
        seen.push(data);
        if (seen.length === 4) socket.send(Buffer.from("\0ping"));
        if (data.length > 3 && seen.some((part) => part.toString() === "\0ping")) resolve();
      });
    });
    await all;
    expect(seen.slice(0, 4)).toContainEqual(Buffer.from([0, 80, 0]));
    expect(seen.map(String)).toContain("\x03connection refused");
    socket.close();
  });
});

describe("logs", () => {
  const get = async (url: string) => {
    const outgoing = request({
      port: portOf(front),
      host: "127.0.0.1",
      path: url,
      ca: pki.serverCa.certificatePem,
      agent: false,
    });
    outgoing.end();
    const [response] = await once(outgoing, "response");
    return response;
  };

  test("come from the node, with the parameters that it knows", async () => {
    const response = await get(path("log", "container=c&tailLines=5&timestamps=true&pretty=x"));
    expect(response.statusCode).toBe(200);
    expect(await text(response)).toBe("line 1\nline 2\n");
    expect(asked).toEqual(["GET /containerLogs/ns/p/c?tailLines=5&timestamps=true"]);
  });

  test("follow until the client leaves", async () => {
    const response = await get(path("log", "follow=true"));
    const [line] = await once(response, "data");
    expect(String(line)).toBe("line 1\n");
    const [upstream] = await Promise.all([once(kubelet, "connection"), get(path("log"))]);
    upstream[0].destroy();
    response.destroy();
  });

  test("a container that has not started says so in the node's words", async () => {
    const containers = [{ name: "waiting" }];
    objects.put("", "pods", { metadata: { namespace: "ns", name: "p" }, spec: { nodeName: "n", containers } });
    const response = await get(path("log"));
    expect(response.statusCode).toBe(400);
    expect(await text(response)).toBe('container "waiting" in pod "p" is waiting to start: ContainerCreating');
  });

  test("a pod of two containers wants a choice", async () => {
    const containers = [{ name: "a" }, { name: "b" }];
    objects.put("", "pods", { metadata: { namespace: "ns", name: "p" }, spec: { nodeName: "n", containers } });
    expect(await text(await get(path("log")))).toBe(
      "a container name must be specified for pod p, choose one of: [a b]",
    );
  });
});
