import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptProbe } from "./probe-attempt.ts";

const ANSWERS: Readonly<Record<string, readonly [number, string?]>> = {
  "/ok": [200],
  "/down": [503],
  "/to-ok": [302, "/ok"],
  "/to-down": [301, "down"],
  "/elsewhere": [302, "http://other.example/down"],
  "/round": [302, "/round"],
};
const server = createServer((request, response) => {
  const [status, location] = ANSWERS[request.url ?? ""] ?? [404];
  response.writeHead(status, location === undefined ? {} : { location }).end("body");
});
const probe = (path: string) => {
  const { port } = server.address() as AddressInfo;
  const target = { podIP: "127.0.0.1", container: { name: "c" }, exec: () => Promise.reject(new Error("none")) };
  return attemptProbe({ httpGet: { port, path } }, target, 60_000);
};

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => server.close());

test.each([
  ["/ok", true, "HTTP probe succeeded with statuscode: 200"],
  ["/down", false, "HTTP probe failed with statuscode: 503"],
  ["/to-ok", true, "HTTP probe succeeded with statuscode: 200"],
  ["/to-down", false, "HTTP probe failed with statuscode: 503"],
  ["/elsewhere", true, "HTTP probe succeeded with statuscode: 302"],
])("an HTTP probe of %s", async (path, ok, output) => {
  expect(await probe(path)).toEqual({ ok, output });
});

test("an HTTP probe does not go round for ever, and tells who does not listen", async () => {
  expect((await probe("/round")).output).toMatch(/^Get "http:.*\/round": stopped after 10 redirects$/);
  const target = { podIP: "::1", container: { name: "c" }, exec: () => Promise.reject(new Error("none")) };
  const { ok, output } = await attemptProbe({ tcpSocket: { port: 1 } }, target, 60_000);
  expect([ok, output]).toEqual([false, expect.stringMatching(/^(dial tcp \[::1\]:1: |connect E)/)]);
});
