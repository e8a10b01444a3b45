import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { grpcHealth } from "./grpc-health.ts";

let server: Http2Server | undefined;
afterEach(() => server?.close());

async function serve(answer: (stream: ServerHttp2Stream) => void): Promise<string> {
  const one = createServer();
  server = one;
  one.on("stream", answer);
  await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(one.address() as AddressInfo).port}`;
}

const HEADERS = { ":status": 200, "content-type": "application/grpc" };
const says = (status: number) => (stream: ServerHttp2Stream) => {
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.from(status === 0 ? [0, 0, 0, 0, 0] : [0, 0, 0, 0, 2, 8, status]));
};
const refuses = (status: number, message: string) => (stream: ServerHttp2Stream) =>
  stream.respond({ ...HEADERS, "grpc-status": String(status), "grpc-message": message }, { endStream: true });

const ASK_MS = 60_000;

test.each([
  ["serves", says(1), true, "service healthy"],
  ["does not serve", says(2), false, 'service unhealthy (responded with "NOT_SERVING")'],
  ["does not know", says(0), false, 'service unhealthy (responded with "UNKNOWN")'],
  [
    "knows no such service",
    refuses(5, "unknown service"),
    false,
    "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
  ],
  [
    "has no health",
    refuses(12, "unknown service grpc.health.v1.Health"),
    false,
    "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health",
  ],
])("a server that %s", async (_, answer, ok, output) => {
  expect(await grpcHealth({ port: 0 }, await serve(answer), ASK_MS)).toEqual({ ok, output });
});

test("nobody there, and nobody who answers", async () => {
  const address = await serve(() => undefined);
  expect((await grpcHealth({ port: 0 }, address, 200)).output).toMatch(/^timeout: .* within 0\.2s/);
  await new Promise((resolve) => server?.close(resolve));
  expect(await grpcHealth({ port: 0 }, address, ASK_MS)).toEqual({
    ok: false,
    output: `timeout: failed to connect service "${address}" within 60s: context deadline exceeded`,
  });
});
