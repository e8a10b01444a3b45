// From what a person types to pods: `sleep-6b5c-x.sample`, `sleep-6b5c-x -n sample`, `deploy/sleep.sample`.
import { Kinds, type ResourceType } from "#api/kinds";
import type { Deployment, Pod, Service } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import { isNotFound, type KubeClient } from "#kube/kube-client";

export interface FoundPod {
  readonly namespace: string;
  readonly name: string;
}

const WORKLOADS: Record<string, ResourceType> = {
  deployment: Kinds.Deployment,
  deploy: Kinds.Deployment,
  service: Kinds.Service,
  svc: Kinds.Service,
};

/** Resolves a pod by name or through its Deployment or Service. Throws MeshError POD_NOT_FOUND saying what was tried. */
export async function findPod(client: KubeClient, text: string, defaultNamespace: string): Promise<FoundPod> {
  const slash = text.indexOf("/");
  const kind = slash < 0 ? "pod" : text.slice(0, slash).toLowerCase();
  const { name, namespace } = splitName(text.slice(slash + 1), defaultNamespace);
  if (kind === "pod" || kind === "pods" || kind === "po") {
    await client.get<Pod>(Kinds.Pod, { namespace, name }).catch((thrown: unknown) => {
      throw isNotFound(thrown) ? missing(`pod ${namespace}/${name} does not exist`) : thrown;
    });
    return { namespace, name };
  }
  const type = WORKLOADS[kind];
  if (type === undefined)
    throw new MeshError("USAGE", `"${text}" names no pod`, { hint: "write NAME.NAMESPACE, deploy/NAME or svc/NAME" });
  const workload = await client.get<Deployment | Service>(type, { namespace, name }).catch((thrown: unknown) => {
    throw isNotFound(thrown) ? missing(`${kind} ${namespace}/${name} does not exist`) : thrown;
  });
  const labels = selectorOf(workload);
  // No selector would mean every pod of the namespace.
  if (Object.keys(labels).length === 0) throw missing(`${kind}/${name} in namespace ${namespace} selects no pods`);
  const pods = await runningPods(client, namespace, labels);
  const [first] = pods;
  if (first === undefined) throw missing(`${kind}/${name} in namespace ${namespace} has no running pod`);
  return first;
}

/** `name.namespace`; a name without a dot is of the default namespace. */
function splitName(text: string, defaultNamespace: string): { name: string; namespace: string } {
  const dot = text.lastIndexOf(".");
  return dot < 0
    ? { name: text, namespace: defaultNamespace }
    : { name: text.slice(0, dot), namespace: text.slice(dot + 1) };
}

function selectorOf(workload: Deployment | Service): Record<string, string> {
  const selector = workload.spec?.selector as
    | { matchLabels?: Record<string, string> }
    | Record<string, string>
    | undefined;
  return ((selector as { matchLabels?: Record<string, string> })?.matchLabels ?? selector ?? {}) as Record<
    string,
    string
  >;
}

export async function runningPods(
  client: KubeClient,
  namespace: string,
  labels: Record<string, string>,
): Promise<FoundPod[]> {
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const list = await client.list<Pod>(Kinds.Pod, { namespace, labelSelector });
  return list.items
    .filter((pod) => pod.status?.phase === "Running" && pod.metadata?.deletionTimestamp === undefined)
    .map((pod) => ({ namespace, name: pod.metadata?.name ?? "" }));
}

function missing(message: string): MeshError {
  return new MeshError("POD_NOT_FOUND", message, { hint: "kubectl get pods -A shows what there is" });
}
