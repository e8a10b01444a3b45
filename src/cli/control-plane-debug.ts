// Asks every control plane replica of a cluster for a debug page, through the API server.
import { PORTS } from "#api/constants/ports";
import { errorMessage, MeshError } from "#base/mesh-error";
import type { KubeClient } from "#kube/kube-client";
import type { ClusterAccess } from "#kube/kubeconfig";
import { openPodTunnel, requestThroughTunnel } from "#kube/port-forward";
import { type FoundPod, runningPods } from "./find-pod.ts";

export interface ReplicaAnswer<T> {
  readonly pod: string;
  readonly page: T;
}

/** One answer a replica. Throws MeshError when the cluster has no running control plane or one does not answer. */
export async function askControlPlane<T>(
  client: KubeClient,
  access: ClusterAccess,
  at: { namespace: string; path: string },
): Promise<ReplicaAnswer<T>[]> {
  const pods = await controlPlanePods(client, at.namespace);
  return Promise.all(
    pods.map(async (pod) => ({ pod: pod.name, page: parse<T>(await ask(access, pod, at.path), pod, at.path) })),
  );
}

/** The plain text of a page, such as /version. */
export async function askControlPlaneText(
  client: KubeClient,
  access: ClusterAccess,
  at: { namespace: string; path: string },
): Promise<ReplicaAnswer<string>[]> {
  const pods = await controlPlanePods(client, at.namespace);
  return Promise.all(pods.map(async (pod) => ({ pod: pod.name, page: await ask(access, pod, at.path) })));
}

async function controlPlanePods(client: KubeClient, namespace: string): Promise<FoundPod[]> {
  const pods = await runningPods(client, namespace, { app: "istiod" });
  if (pods.length > 0) return pods;
  throw new MeshError(
    "CONTROL_PLANE_MISSING",
    `no running control plane in namespace ${namespace} of ${client.server}`,
    {
      hint: "install one: istioctl install; or name its namespace with --istioNamespace",
    },
  );
}

async function ask(access: ClusterAccess, pod: FoundPod, path: string): Promise<string> {
  const where = `control plane ${pod.namespace}/${pod.name}`;
  const tunnel = await openPodTunnel(access, pod);
  try {
    const answer = await requestThroughTunnel(tunnel, { port: PORTS.controlPlaneMonitoring, path });
    if (answer.status === 200) return answer.body;
    throw new MeshError(
      "DEBUG_PAGE_REFUSED",
      `${where} answered HTTP ${answer.status} to ${path}: ${answer.body.trim()}`,
    );
  } catch (thrown) {
    if (thrown instanceof MeshError) throw thrown;
    throw new MeshError("DEBUG_PAGE_FAILED", `${where} did not answer ${path}: ${errorMessage(thrown)}`, {
      cause: thrown,
    });
  } finally {
    tunnel.close();
  }
}

function parse<T>(text: string, pod: FoundPod, path: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new MeshError(
      "DEBUG_PAGE_INVALID",
      `${pod.namespace}/${pod.name} answered ${path} with something that is not JSON`,
      { cause },
    );
  }
}
