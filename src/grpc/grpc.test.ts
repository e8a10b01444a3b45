import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { createGrpcChannel, type GrpcChannel } from "./channel.ts";
import { FrameParser, frameMessage } from "./frames.ts";
import { errorFromTrailers, encodeMessage, GrpcError } from "./grpc-error.ts";
import { createGrpcServer, type GrpcMethod } from "./server.ts";
import type { ServerStream } from "./server-call.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(services: GrpcMethod[], maxMessageBytes = 1 << 20): Promise<GrpcChannel> {
  const server = createGrpcServer({ services, logger: silentLogger(), maxMessageBytes });
  const port = await server.listen({ port: 0, host: "127.0.0.1" });
  const channel = createGrpcChannel({ target: `127.0.0.1:${port}`, metadata: () => ({ authorization: "Bearer t" }) });
  closers.push(() => server.close());
  closers.push(() => channel.close());
  return channel;
}

const echo: GrpcMethod = { kind: "unary", path: "/t.T/Echo", handle: async (request) => request };
const bidi = (handle: (stream: ServerStream) => Promise<void>): GrpcMethod => ({
  kind: "bidi",
  path: "/t.T/Bidi",
  handle,
});

test("a unary call comes back", async () => {
  const channel = await start([echo]);
  expect((await channel.unary("/t.T/Echo", Buffer.from("hello"), { timeoutMs: 60_000 })).toString()).toBe("hello");
  const long = Buffer.alloc(900_000, 7);
  expect((await channel.unary("/t.T/Echo", long, { timeoutMs: 60_000 })).equals(long)).toBe(true);
});

test("a caller in plain text is not taken for an encrypted one", async () => {
  const who: GrpcMethod = {
    kind: "unary",
    path: "/t.T/Who",
    handle: async (_, { peer }) => Buffer.from(JSON.stringify(peer)),
  };
  const channel = await start([who]);
  const peer = JSON.parse((await channel.unary("/t.T/Who", Buffer.alloc(0), { timeoutMs: 60_000 })).toString());
  expect(peer).toEqual({ address: "127.0.0.1", encrypted: false, uris: [] });
});

test("a refusal carries its code and text, an unknown path is unimplemented", async () => {
  const refuse: GrpcMethod = {
    kind: "unary",
    path: "/t.T/Refuse",
    handle: async () => {
      throw new GrpcError("permissionDenied", "nicht für dich: 100 %\n");
    },
  };
  const channel = await start([refuse]);
  const call = (path: string) => channel.unary(path, Buffer.alloc(0), { timeoutMs: 60_000 });
  await expect(call("/t.T/Refuse")).rejects.toMatchObject({
    code: "permissionDenied",
    message: "nicht für dich: 100 %\n",
  });
  await expect(call("/t.T/None")).rejects.toMatchObject({ code: "unimplemented" });
});

test("a message over the limit is refused by name", async () => {
  const channel = await start([echo], 100);
  await expect(channel.unary("/t.T/Echo", Buffer.alloc(101), { timeoutMs: 60_000 })).rejects.toMatchObject({
    code: "resourceExhausted",
  });
});

test("a deadline ends the call on both sides", async () => {
  let reason: unknown;
  const hang: GrpcMethod = {
    kind: "unary",
    path: "/t.T/Hang",
    handle: (_request, call) =>
      new Promise((_, reject) => {
        call.signal.addEventListener("abort", () => {
          reason = call.signal.reason;
          reject(call.signal.reason);
        });
      }),
  };
  const channel = await start([hang]);
  await expect(channel.unary("/t.T/Hang", Buffer.alloc(0), { timeoutMs: 50 })).rejects.toMatchObject({
    code: "deadlineExceeded",
  });
  await until(() => reason !== undefined, { reason: "the handler heard of it", timeoutMs: 60_000 });
});

test("a bidirectional stream: metadata, both ways, clean end", async () => {
  const channel = await start([
    bidi(async (stream) => {
      stream.write(frameMessage(Buffer.from(stream.metadata["authorization"] ?? "")));
      for await (const message of stream.messages) stream.write(frameMessage(Buffer.from(`got ${message}`)));
    }),
  ]);
  const stream = channel.bidi("/t.T/Bidi");
  stream.write(frameMessage(Buffer.from("1")));
  stream.write(frameMessage(Buffer.from("2")));
  stream.end();
  const seen: string[] = [];
  for await (const message of stream.messages) seen.push(message.toString());
  expect(seen).toEqual(["Bearer t", "got 1", "got 2"]);
});

test("a stream's handler that throws ends it with its status, after what was written", async () => {
  const channel = await start([
    bidi(async (stream) => {
      stream.write(frameMessage(Buffer.from("first")));
      throw new GrpcError("invalidArgument", "bad node");
    }),
  ]);
  const seen: string[] = [];
  const read = async () => {
    for await (const message of channel.bidi("/t.T/Bidi").messages) seen.push(message.toString());
  };
  await expect(read()).rejects.toMatchObject({ code: "invalidArgument", message: "bad node" });
  expect(seen).toEqual(["first"]);
});

test("one frame goes to a slow reader without growing memory: write says stop, drained says go", async () => {
  let stopped = 0;
  const frame = frameMessage(Buffer.alloc(256 << 10, 1));
  const channel = await start([
    bidi(async (stream) => {
      for (let sent = 0; sent < 40; sent++) {
        if (stream.write(frame)) continue;
        stopped++;
        await stream.drained();
      }
    }),
  ]);
  let bytes = 0;
  for await (const message of channel.bidi("/t.T/Bidi").messages) bytes += message.length;
  expect(bytes).toBe(40 * (256 << 10));
  expect(stopped).toBeGreaterThan(0);
});

test("the client's going away aborts the handler's signal", async () => {
  let ended: AbortSignal | undefined;
  const channel = await start([
    bidi(async (stream) => {
      stream.write(frameMessage(Buffer.from("here")));
      for await (const _ of stream.messages);
      ended = stream.signal;
    }),
  ]);
  const stream = channel.bidi("/t.T/Bidi");
  for await (const _ of stream.messages) break;
  stream.cancel();
  await until(() => ended?.aborted, { reason: "the handler ended", timeoutMs: 60_000 });
});

test("a refused connection is unavailable, and the next call tries anew", async () => {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  await new Promise((resolve) => probe.close(resolve));
  const channel = createGrpcChannel({ target: `127.0.0.1:${port}` });
  closers.push(() => channel.close());
  const call = () => channel.unary("/t.T/Echo", Buffer.from("x"), { timeoutMs: 60_000 });
  await expect(call()).rejects.toMatchObject({ code: "unavailable" });
  const server = createGrpcServer({ services: [echo], logger: silentLogger() });
  await server.listen({ port, host: "127.0.0.1" });
  closers.push(() => server.close());
  expect((await call()).toString()).toBe("x");
});

test("Unix sockets serve too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "grpc-"));
  closers.push(() => rmSync(folder, { recursive: true }));
  const server = createGrpcServer({ services: [echo], logger: silentLogger() });
  await server.listen({ path: join(folder, "s") });
  closers.push(() => server.close());
  const channel = createGrpcChannel({ target: `unix:${folder}/s` });
  closers.push(() => channel.close());
  expect((await channel.unary("/t.T/Echo", Buffer.from("u"), { timeoutMs: 60_000 })).toString()).toBe("u");
});

test("frames are cut wherever the bytes break", () => {
  const messages = ["", "a", "x".repeat(300)].map((text) => Buffer.from(text));
  const wire = Buffer.concat(messages.map(frameMessage));
  for (const step of [1, 2, 3, 7, 64, wire.length]) {
    const parser = new FrameParser(1000);
    const seen: Buffer[] = [];
    for (let at = 0; at < wire.length; at += step) seen.push(...parser.push(wire.subarray(at, at + step)));
    expect(seen.map(String)).toEqual(messages.map(String));
    expect(parser.isEmpty()).toBe(true);
  }
});

test("a status without percent-encoding is read as it is", () => {
  expect(errorFromTrailers("13", "50 % done")).toMatchObject({ code: "internal", message: "50 % done" });
  expect(errorFromTrailers("13", encodeMessage("a\nb"))).toMatchObject({ message: "a\nb" });
  expect(errorFromTrailers("0", undefined)).toBeUndefined();
});
