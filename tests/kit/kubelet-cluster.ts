// The real API server with one running pod whose node is a process kubelet: what exec, logs and port-forward need.
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Kinds } from "#api/kinds";
import type { Pod } from "#api/kubernetes/gen/types";
import { silentLogger } from "#base/logger";
import { createKubeClient } from "#kube/create-kube-client";
import type { ClusterAccess } from "#kube/kubeconfig";
import { runApiServer } from "#playground/api-server/api-server";
import type { ObjectAccess } from "#playground/api-server/contract";
import { clusterPki } from "./cluster-pki.ts";
import { processKubelet } from "./process-kubelet.ts";

export interface KubeletCluster {
  /** Of a system:masters user. */
  readonly access: ClusterAccess;
  stop(): void;
}

/** Starts a cluster with pod `default/p` on node `n`, whose forwarded ports all lead to `web`. */
export async function startKubeletCluster(web: Server): Promise<KubeletCluster> {
  const stop = new AbortController();
  const pki = await clusterPki();
  if (!web.listening) await once(web.listen(0, "127.0.0.1"), "listening");
  const kubelet = await processKubelet(pki, (web.address() as AddressInfo).port);
  const config = { ...pki.config, listen: { address: "127.0.0.1", port: 0 } };
  const { url, objects } = await runApiServer(config, silentLogger(), stop.signal);
  const admin = await pki.client("admin", "system:masters");
  const access: ClusterAccess = {
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
  markRunning(objects, kubelet.port);
  return {
    access,
    stop() {
      stop.abort();
      kubelet.close();
      web.close();
      pki.remove();
    },
  };
}

/** Gives node `n` the address of a kubelet on loopback, and says that pod `default/p` runs. */
export function markRunning(objects: ObjectAccess, kubeletPort: number): void {
  const addresses = [{ type: "InternalIP", address: "127.0.0.1" }];
  const status = { addresses, daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } } };
  objects.update({ group: "", resource: "nodes", namespace: "", name: "n" }, (node) => ({ ...node, status }));
  objects.update({ group: "", resource: "pods", namespace: "default", name: "p" }, (pod) => ({
    ...pod,
    status: { phase: "Running" },
  }));
}
