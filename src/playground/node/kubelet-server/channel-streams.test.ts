import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { channelPairs, type PortPair } from "./channel-pairs.ts";
import { acceptChannelStreams } from "./channel-streams.ts";
import type { RemoteStreams } from "./exit-status.ts";
import type { Upgraded } from "./kubelet-request.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** What a client sees of a session: bytes by channel, and the code of its end. */
class Client {
  readonly socket: WebSocket;
  readonly channels = new Map<number, Buffer[]>();
  readonly closed: Promise<number>;

  constructor(port: number, query: string, protocols: string[]) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/exec/ns/pod/c?${query}`, protocols);
    this.socket.on("message", (data: Buffer) => {
      const channel = data[0] ?? -1;
      this.channels.set(channel, [...(this.channels.get(channel) ?? []), data.subarray(1)]);
    });
    this.closed = new Promise((resolve) => this.socket.once("close", (code) => resolve(code)));
    this.socket.on("error", () => {});
  }

  text(channel: number): string {
    return Buffer.concat(this.channels.get(channel) ?? []).toString();
  }

  async send(channel: number, text: string): Promise<void> {
    if (this.socket.readyState === WebSocket.CONNECTING) {
      await new Promise((resolve) => this.socket.once("open", resolve));
    }
    this.socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
  }
}

/** A server whose upgrades `accept` answers; the query is the request's. */
async function serving<T>(accept: (query: URLSearchParams, upgraded: Upgraded) => T): Promise<[number, Promise<T>]> {
  server = createServer();
  const accepted = new Promise<T>((resolve) => {
    server?.on("upgrade", (request, socket, head) => {
      const query = new URL(request.url ?? "/", "http://node").searchParams;
      resolve(accept(query, { request, socket, head }));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return [(server.address() as AddressInfo).port, accepted];
}

const on = (query: URLSearchParams) => ({ namespace: "ns", pod: "pod", container: "c", query });

describe("exec and attach over a WebSocket", () => {
  const session = async (query: string, protocols: string[]): Promise<[Client, RemoteStreams]> => {
    const [port, accepted] = await serving((asked, upgraded) => acceptChannelStreams(on(asked), upgraded));
    const client = new Client(port, query, protocols);
    return [client, await accepted];
  };

  it("carry input, output and a Status object with the exit code, in this order", async () => {
    const [client, streams] = await session("input=1&output=1&error=1", ["v4.channel.k8s.io"]);
    await client.send(0, "typed");
    const [typed] = (await streams.stdin?.take(1).toArray()) ?? [];
    expect(String(typed)).toBe("typed");
    streams.stdout?.write("out");
    streams.stderr?.write("err");
    streams.finish(7);
    expect(await client.closed).toBe(1000);
    expect(client.socket.protocol).toBe("v4.channel.k8s.io");
    expect([client.text(1), client.text(2)]).toEqual(["out", "err"]);
    expect(JSON.parse(client.text(3))).toMatchObject({
      reason: "NonZeroExitCode",
      details: { causes: [{ reason: "ExitCode", message: "7" }] },
    });
  });

  it("open with an empty message, so that a client knows that the session stands", async () => {
    const [client, streams] = await session("output=1", ["v4.channel.k8s.io"]);
    streams.finish(0);
    await client.closed;
    expect(client.channels.get(1)?.[0]).toEqual(Buffer.alloc(0));
  });

  it("v5 ends standard input when the client says so", async () => {
    const [client, streams] = await session("input=1&output=1", ["v5.channel.k8s.io"]);
    await client.send(0, "all");
    client.socket.send(Buffer.from([255, 0]));
    expect(Buffer.concat((await streams.stdin?.toArray()) ?? []).toString()).toBe("all");
    streams.finish(0);
    await client.closed;
    expect(JSON.parse(client.text(3))).toMatchObject({ status: "Success" });
  });

  it("on a terminal have sizes and no standard error", async () => {
    const [client, streams] = await session("input=1&output=1&error=1&tty=1", ["v4.channel.k8s.io"]);
    expect(streams.stderr).toBeUndefined();
    await client.send(4, '{"Width":80,"Height":24}');
    expect(String(await streams.resize?.take(1).toArray())).toBe('{"Width":80,"Height":24}');
    streams.finish(0);
    await client.closed;
  });

  it("tell when the client has gone, and then take what is written without harm", async () => {
    const [client, streams] = await session("output=1", ["v4.channel.k8s.io"]);
    client.socket.terminate();
    await streams.closed;
    streams.stdout?.write("too late");
    streams.finish(0);
    streams.stdout?.write("later still");
  });

  it("refuse protocols that are not known", async () => {
    const [port, accepted] = await serving((asked, upgraded) =>
      acceptChannelStreams(on(asked), upgraded).catch((thrown: unknown) => {
        upgraded.socket.destroy();
        return thrown;
      }),
    );
    new Client(port, "output=1", ["v9.channel.k8s.io"]);
    expect(await accepted).toMatchObject({ code: "BAD_REQUEST" });
  });
});

describe("port-forward over a WebSocket", () => {
  it("gives a pair for each port, and closes with the last connection", async () => {
    const pairs: PortPair[] = [];
    const [port, accepted] = await serving(async (asked, upgraded) => {
      for await (const pair of channelPairs(on(asked), upgraded)) {
        pairs.push(pair);
        pair.data.on("data", (bytes: Buffer) => pair.data.end(`${pair.port} got ${bytes}`));
      }
    });
    const client = new Client(port, "port=80&port=443", ["v4.channel.k8s.io"]);
    await client.send(0, "one");
    await client.send(2, "two");
    expect(await client.closed).toBe(1005);
    await accepted;
    const portMessage = (number: number) => Buffer.from([number & 255, number >> 8]).toString();
    expect(pairs.map((pair) => pair.port)).toEqual(["80", "443"]);
    expect([client.text(0), client.text(2)]).toEqual([
      `${portMessage(80)}80 got one`,
      `${Buffer.from([443 & 255, 443 >> 8])}443 got two`,
    ]);
    expect(client.channels.get(1)?.[0]).toEqual(Buffer.from([80, 0]));
    expect(client.channels.get(3)?.[0]).toEqual(Buffer.from([443 & 255, 443 >> 8]));
  });

  it.each(["", "port=0", "port=x"])("refuses the query %j", async (query) => {
    const [port, accepted] = await serving(async (asked, upgraded) => {
      try {
        for await (const _ of channelPairs(on(asked), upgraded));
      } catch (thrown) {
        upgraded.socket.destroy();
        return thrown;
      }
      return undefined;
    });
    new Client(port, query, ["v4.channel.k8s.io"]);
    expect(await accepted).toMatchObject({ code: "BAD_REQUEST" });
  });
});
