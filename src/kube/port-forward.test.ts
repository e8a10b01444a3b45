// From the client's tunnel through the real API server to a small kubelet, and on to a local HTTP server.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Kinds } from "#api/kinds";
import type { Pod } from "#api/kubernetes/gen/types";
import { silentLogger } from "#base/logger";
import { runApiServer } from "#playground/api-server/api-server";
import { type ClusterPki, clusterPki } from "../../tests/kit/cluster-pki.ts";
import { type ProcessKubelet, processKubelet } from "../../tests/kit/process-kubelet.ts";
import { createKubeClient } from "./create-kube-client.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { openPodTunnel, requestThroughTunnel } from "./port-forward.ts";

const stop = new AbortController();
const web = createServer((request, response) => response.end(`${request.method} ${request.url}`));
let pki: ClusterPki;
let kubelet: ProcessKubelet;
let access: ClusterAccess;

beforeAll(async () => {
  pki = await clusterPki();
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  kubelet = await processKubelet(pki, (web.address() as AddressInfo).port);
  const config = { ...pki.config, listen: { address: "127.0.0.1", port: 0 } };
  const { url, objects } = await runApiServer(config, silentLogger(), stop.signal);
  const admin = await pki.client("admin", "system:masters");
  access = {
    server: url,
    caPem: pki.serverCa.certificatePem,
    clientCertPem: admin.certificatePem,
    clientKeyPem: admin.privateKeyPem,
    contextName: "test",
    clusterName: "test",
    namespace: "default",
  };
  const client = createKubeClient(access);
  await client.create(Kinds.Node, { metadata: { name: "n" } });
  await client.create(Kinds.ServiceAccount, { metadata: { name: "default", namespace: "default" } });
  const spec = { nodeName: "n", containers: [{ name: "c", image: "i" }] };
  await client.create<Pod>(Kinds.Pod, { metadata: { name: "p", namespace: "default" }, spec });
  await client.close();
  const addresses = [{ type: "InternalIP", address: "127.0.0.1" }];
  const node = { addresses, daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } } };
  objects.update({ group: "", resource: "nodes", namespace: "", name: "n" }, (old) => ({ ...old, status: node }));
  objects.update({ group: "", resource: "pods", namespace: "default", name: "p" }, (old) => ({
    ...old,
    status: { phase: "Running" },
  }));
});

afterAll(() => {
  stop.abort();
  kubelet.close();
  web.close();
  pki.remove();
});

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
