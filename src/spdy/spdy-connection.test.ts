import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { constants, createDeflate } from "node:zlib";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { SPDY_DICTIONARY } from "./dictionary.ts";
import { controlFrame, dataHead, type Frame, FrameReader } from "./frames.ts";
import { HeaderDecoder, HeaderEncoder } from "./header-block.ts";
import { SpdyConnection } from "./spdy-connection.ts";
import type { SpdyStream } from "./spdy-stream.ts";

const open: { destroy(): void }[] = [];
const servers: Server[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function connected(): Promise<{ client: SpdyConnection; server: SpdyConnection; raw: Socket }> {
  const listener = createServer();
  servers.push(listener);
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const accepted = once(listener, "connection") as Promise<[Socket]>;
  const raw = connect(address.port, "127.0.0.1");
  const [peer] = await accepted;
  open.push(raw, peer);
  return {
    client: new SpdyConnection(raw, { role: "client" }),
    server: new SpdyConnection(peer, { role: "server" }),
    raw,
  };
}

async function nextStream(connection: SpdyConnection): Promise<SpdyStream> {
  const { value } = await connection.streams().next();
  if (value === undefined) throw new Error("the connection ended");
  return value;
}

/** Everything up to the peer's FIN, leaving our half open. */
function collect(stream: SpdyStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    stream.once("end", () => resolve(Buffer.concat(chunks)));
    stream.once("close", () => reject(new Error("closed before its end")));
  });
}

describe("SpdyConnection over sockets", () => {
  test("carries headers and 3 MB each way on one stream", async () => {
    const { client, server } = await connected();
    const up = randomBytes(3_000_000);
    const down = randomBytes(3_000_000);
    const served = (async () => {
      const stream = await nextStream(server);
      expect(stream.headers).toEqual({ streamtype: "stdin", port: "80" });
      stream.end(down);
      return collect(stream);
    })();
    const stream = await client.openStream({ streamType: "stdin", port: "80" });
    stream.end(up);
    expect((await collect(stream)).equals(down)).toBe(true);
    expect((await served).equals(up)).toBe(true);
  });

  test("keeps many streams apart and in order", async () => {
    const { client, server } = await connected();
    void (async () => {
      for await (const stream of server.streams()) stream.pipe(stream);
    })();
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const stream = await client.openStream({ requestid: String(index) });
        const text = `${index}:`.repeat(20_000);
        stream.end(text);
        return (await collect(stream)).toString() === text;
      }),
    );
    expect(results).toEqual(Array.from({ length: 20 }, () => true));
  });

  test("half closes: the peer may still write after our FIN", async () => {
    const { client, server } = await connected();
    const [theirs, ours] = await Promise.all([nextStream(server), client.openStream({ streamtype: "data" })]);
    ours.end("question");
    expect((await collect(theirs)).toString()).toBe("question");
    theirs.end("answer");
    expect((await collect(ours)).toString()).toBe("answer");
  });

  test("a slow reader does not lose bytes, and the transport pauses for it", async () => {
    const { client, server, raw } = await connected();
    const bytes = randomBytes(12 << 20);
    const [theirs, ours] = await Promise.all([nextStream(server), client.openStream({})]);
    theirs.end(bytes);
    await until(() => raw.isPaused(), { reason: "the reading socket pauses", timeoutMs: 60_000, intervalMs: 5 });
    expect((await collect(ours)).equals(bytes)).toBe(true);
  });

  test("echoes PING both ways", async () => {
    const { client, server } = await connected();
    await Promise.all([client.ping(), server.ping(), client.ping()]);
  });

  test("destroying a stream resets it at the peer and leaves the others alone", async () => {
    const { client, server } = await connected();
    const incoming = server.streams();
    const first = await client.openStream({ streamtype: "a" });
    const second = await client.openStream({ streamtype: "b" });
    const theirFirst = (await incoming.next()).value;
    const theirSecond = (await incoming.next()).value;
    if (!theirFirst || !theirSecond) throw new Error("streams missing");
    const closed = once(theirFirst, "close");
    first.destroy();
    await closed;
    theirSecond.end("still here");
    expect((await collect(second)).toString()).toBe("still here");
  });

  test("a lost transport closes streams without an error event and ends streams()", async () => {
    const { client, server, raw } = await connected();
    const [theirs] = await Promise.all([nextStream(server), client.openStream({})]);
    theirs.resume();
    const closed = once(theirs, "close");
    raw.destroy();
    await closed;
    await server.closed;
    expect(await server.streams().next()).toEqual({ done: true, value: undefined });
    await expect(server.openStream({})).rejects.toThrow("closing");
  });

  test("after close() nothing new opens and the peer sees the end", async () => {
    const { client, server } = await connected();
    client.close();
    await Promise.all([client.closed, server.closed]);
    await expect(client.openStream({})).rejects.toThrow("closing");
  });

  test("close() lets out what streams have still to send", async () => {
    const { client, server } = await connected();
    const bytes = randomBytes(20 << 20);
    const [theirs, ours] = await Promise.all([nextStream(server), client.openStream({ streamtype: "stdout" })]);
    const received = collect(ours);
    for (let at = 0; at < bytes.length; at += 64 * 1024) theirs.write(bytes.subarray(at, at + 64 * 1024));
    theirs.end();
    server.close();
    expect((await received).equals(bytes)).toBe(true);
    await Promise.all([client.closed, server.closed]);
  });

  test("bytes that are no SPDY close the connection", async () => {
    const { server, raw } = await connected();
    raw.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n").fill(0x81, 0, 2));
    await server.closed;
  });

  test("frames cut at every byte arrive whole", async () => {
    const sent: Buffer[] = [];
    const sink = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        sent.push(chunk);
        done();
      },
    });
    const client = new SpdyConnection(sink, { role: "client" });
    client.openStream({ streamtype: "error", port: "8080" }).catch(() => undefined);
    const drip = new Duplex({
      read() {},
      write(_chunk, _encoding, done) {
        done();
      },
    });
    const server = new SpdyConnection(drip, { role: "server" });
    for (const byte of Buffer.concat(sent)) drip.push(Buffer.from([byte]));
    expect((await nextStream(server)).headers).toEqual({ streamtype: "error", port: "8080" });
    client.destroy();
    server.destroy();
  });
});

describe("header blocks", () => {
  test("our blocks round-trip, empty ones included", () => {
    const encoder = new HeaderEncoder();
    const decoder = new HeaderDecoder();
    const long = "x".repeat(100_000);
    for (const headers of [{}, { streamtype: "stdin" }, { port: "80", requestid: "0" }, {}, { long }]) {
      expect(decoder.decode(encoder.encode(headers))).toEqual(headers);
    }
  });

  test("blocks of a compressing peer decode, back-references into earlier blocks included", async () => {
    const deflate = createDeflate({ dictionary: SPDY_DICTIONARY, level: 9 });
    const decoder = new HeaderDecoder();
    for (let round = 0; round < 40; round += 1) {
      const headers = { streamtype: "error", requestid: String(round), filler: `some-long-value-${round}`.repeat(60) };
      const plain = Object.entries(headers).flatMap((pair) => pair.flatMap((text) => [length(text.length), text]));
      deflate.write(Buffer.concat([length(3), ...plain.map((part) => Buffer.from(part as string))]));
      await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
      expect(decoder.decode(deflate.read() as Buffer)).toEqual(headers);
    }
  });
});

describe("frames", () => {
  const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const frame = fc.oneof(
    fc.record({ kind: fc.constant("data" as const), streamId: fc.nat(0x7fffffff), flags: fc.nat(255), payload }),
    fc.record({ kind: fc.constant("control" as const), type: fc.nat(0xffff), flags: fc.nat(255), payload }),
  );
  const render = (one: Frame) =>
    one.kind === "data"
      ? Buffer.concat([dataHead(one.streamId, one.flags, one.payload.length), one.payload])
      : controlFrame(one.type, one.flags, one.payload);

  test("are read back however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(2000), { maxLength: 20 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(render));
        const edges = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const reader = new FrameReader();
        const read = edges.slice(1).flatMap((end, index) => [...reader.push(bytes.subarray(edges[index], end))]);
        expect(read).toEqual(frames);
      }),
    );
  });

  test("a connection survives any bytes: it goes on or closes, and nothing is thrown", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(payload, frame.map(render)), { maxLength: 6 }), async (chunks) => {
        const transport = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
        const connection = new SpdyConnection(transport, { role: "server" });
        for (const chunk of chunks) if (!transport.destroyed) transport.push(chunk);
        await new Promise(setImmediate);
        connection.destroy();
        await connection.closed;
      }),
      { numRuns: 300 },
    );
  });
});

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
