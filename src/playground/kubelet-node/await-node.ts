import { Kinds } from "#api/kinds";
import type { Deployment, Node } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { applyObject } from "#kube/apply-object";
import { isNotFound, type KubeClient } from "#kube/kube-client";
import { type ClusterDnsSettings, clusterDnsObjects } from "./cluster-dns-objects.ts";

/** On a busy machine a tenth of it is needed. */
const READY_MS = 150_000;
const FIELD_MANAGER = "isthmus-playground";
const DNS = { namespace: "kube-system", name: "kube-dns" };

/** Until the kubelet has said that its node is ready. */
export async function awaitNode(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  const look = async () => {
    const node = await absentIsUndefined(client.get<Node>(Kinds.Node, { name }));
    return node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  };
  await until(look, { reason: `node ${name} is Ready`, timeoutMs: READY_MS, intervalMs: 100, signal });
}

export async function setUpClusterDns(client: KubeClient, settings: ClusterDnsSettings): Promise<void> {
  for (const object of clusterDnsObjects(settings)) {
    await applyObject(client, object, FIELD_MANAGER);
  }
}

/** Until a pod of the cluster DNS answers: this also proves that pods of images run here. */
export async function awaitClusterDns(client: KubeClient, signal: AbortSignal): Promise<void> {
  const look = async () => {
    const deployment = await absentIsUndefined(client.get<Deployment>(Kinds.Deployment, DNS));
    return (deployment?.status?.readyReplicas ?? 0) > 0;
  };
  await until(look, { reason: "a pod of the cluster DNS is ready", timeoutMs: READY_MS, intervalMs: 100, signal });
}

async function absentIsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (thrown) {
    if (isNotFound(thrown)) return undefined;
    throw thrown;
  }
}
