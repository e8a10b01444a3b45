import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "#base/clock";
import { requestProxy, waitForProxy } from "./client-commands.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(
  answer: (path: string, method: string, body: string) => readonly [number, string],
): Promise<number> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [status, body] = answer(request.url ?? "", request.method ?? "", Buffer.concat(chunks).toString());
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const waiting = (port: number, timeoutMs: number) =>
  waitForProxy({
    url: new URL(`http://127.0.0.1:${port}/healthz/ready`),
    timeoutMs,
    requestTimeoutMs: 500,
    periodMs: 5,
    clock: systemClock,
  });

test("wait ends when the proxy has become ready", async () => {
  let asked = 0;
  const port = await serve((path) => (path === "/healthz/ready" && ++asked > 2 ? [200, ""] : [503, "starting"]));
  await waiting(port, 5000);
  expect(asked).toBe(3);
});

test("wait tells what was answered last when time is over", async () => {
  const port = await serve(() => [503, "no clusters from the control plane yet\n"]);
  await expect(waiting(port, 20)).rejects.toMatchObject({
    code: "TIMEOUT",
    message: expect.stringContaining("503 no clusters from the control plane yet"),
  });
});

test("request sends method, path and body, and fails for a refusal", async () => {
  const port = await serve((path, method, body) => (path === "/drain" ? [200, `${method} ${body}`] : [404, "no"]));
  expect(await requestProxy({ method: "post", path: "drain", body: "x", port })).toBe("POST x");
  const refused = requestProxy({ method: "GET", path: "/nothing", body: undefined, port });
  await expect(refused).rejects.toMatchObject({ code: "REQUEST_REFUSED", message: "GET /nothing answered 404: no" });
});
