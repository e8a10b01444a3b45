// From the client's tunnel through the real API server to a small kubelet, and on to a local HTTP server.
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KubeletCluster, startKubeletCluster } from "../../tests/kit/kubelet-cluster.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { openPodTunnel, requestThroughTunnel } from "./port-forward.ts";

let cluster: KubeletCluster;
let access: ClusterAccess;

beforeAll(async () => {
  cluster = await startKubeletCluster(
    createServer((request, response) => response.end(`${request.method} ${request.url}`)),
  );
  access = cluster.access;
});

afterAll(() => cluster.stop());

test("one tunnel carries many requests, at the same time too", async () => {
  const tunnel = await openPodTunnel(access, { namespace: "default", name: "p" });
  const paths = Array.from({ length: 8 }, (_, index) => `/page-${index}`);
  const answers = await Promise.all(paths.map((path) => requestThroughTunnel(tunnel, { port: 80, path })));
  expect(answers).toEqual(paths.map((path) => ({ status: 200, body: `GET ${path}` })));
  const posted = await requestThroughTunnel(tunnel, { port: 80, path: "/", method: "POST" });
  expect(posted.body).toBe("POST /");
  tunnel.close();
});

test("a pod that is not there: the server's own refusal", async () => {
  await expect(openPodTunnel(access, { namespace: "default", name: "missing" })).rejects.toMatchObject({
    status: 404,
    message: expect.stringContaining("missing"),
  });
});

test("a server that is not there: says which and for which pod", async () => {
  const nowhere = { ...access, server: "https://127.0.0.1:1" };
  await expect(openPodTunnel(nowhere, { namespace: "default", name: "p" })).rejects.toMatchObject({
    status: 0,
    message: "cannot reach https://127.0.0.1:1 to forward to pod default/p",
  });
});
