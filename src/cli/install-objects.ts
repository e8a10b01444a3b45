// Applying rendered components to a cluster: in order, in parallel where order does not matter, waiting for readiness,
// and pruning what an earlier run installed and this one no longer renders.
import { LABELS } from "#api/constants/labels";
import { apiVersionOf, Kinds, type ResourceType } from "#api/kinds";
import type {
  CustomResourceDefinition,
  Deployment,
  Namespace,
  Pod,
  ValidatingWebhookConfiguration,
} from "#api/kubernetes/gen/types";
import { type KubeObject, objectKey } from "#api/kubernetes/object";
import { errorMessage, MeshError } from "#base/mesh-error";
import type { RenderedComponent } from "#install/render-install";
import type { ResolvedInstall } from "#install/resolve-install";
import { stringAt } from "#install/tree";
import { applyObject } from "#kube/apply-object";
import { isNotFound, type KubeClient, KubeError } from "#kube/kube-client";

/** Makes the system namespace if absent and labels it with the cluster's network, so that pods without a sidecar count to it. */
export async function ensureNamespace(client: KubeClient, install: ResolvedInstall): Promise<void> {
  const network = stringAt(install.values, "global.network");
  const existing = await client
    .get<Namespace>(Kinds.Namespace, { name: install.namespace })
    .catch((thrown: unknown) => {
      if (isNotFound(thrown)) return undefined;
      throw thrown;
    });
  const labels = network === "" ? {} : { [LABELS.network]: network };
  if (existing === undefined) {
    await client.create(Kinds.Namespace, { metadata: { name: install.namespace, labels } });
    return;
  }
  if (network === "" || existing.metadata?.labels?.[LABELS.network] === network) return;
  await client.patch(Kinds.Namespace, { name: install.namespace }, { metadata: { labels } }, { type: "merge" });
}

/** Applies one component: kinds one after another, the objects of one kind together. Throws naming the refused object. */
export async function applyComponent(client: KubeClient, component: RenderedComponent): Promise<void> {
  for (const group of byKind(component.objects)) {
    await Promise.all(group.map((object) => applyNamed(client, object)));
    if (group[0]?.kind === "CustomResourceDefinition") await waitEstablished(client, group);
  }
}

async function applyNamed(client: KubeClient, object: KubeObject): Promise<void> {
  try {
    await applyObject(client, await keepFailurePolicy(client, object));
  } catch (cause) {
    const hint = cause instanceof KubeError ? cause.hint : undefined;
    throw new MeshError("APPLY_FAILED", `${object.kind} ${objectKey(object)} was refused: ${errorMessage(cause)}`, {
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/**
 * Validation is rendered lenient until its control plane runs, which then makes it strict. Applying it again must not
 * open that door anew, so a webhook that has been given its CA bundle keeps the policy that it has.
 */
async function keepFailurePolicy(client: KubeClient, object: KubeObject): Promise<KubeObject> {
  if (object.kind !== "ValidatingWebhookConfiguration") return object;
  const rendered = object as ValidatingWebhookConfiguration;
  const name = rendered.metadata?.name ?? "";
  const existing = await client
    .get<ValidatingWebhookConfiguration>(Kinds.ValidatingWebhookConfiguration, { name })
    .catch((thrown: unknown) => {
      if (isNotFound(thrown)) return undefined;
      throw thrown;
    });
  const webhooks = (rendered.webhooks ?? []).map((webhook) => {
    const old = existing?.webhooks?.find((candidate) => candidate.name === webhook.name);
    if (!old?.clientConfig.caBundle || old.failurePolicy === undefined) return webhook;
    return { ...webhook, failurePolicy: old.failurePolicy };
  });
  const kept: ValidatingWebhookConfiguration = { ...rendered, webhooks };
  return kept;
}

function byKind(objects: readonly KubeObject[]): KubeObject[][] {
  const groups: KubeObject[][] = [];
  for (const object of objects) {
    const last = groups.at(-1);
    if (last !== undefined && last[0]?.kind === object.kind) last.push(object);
    else groups.push([object]);
  }
  return groups;
}

async function waitEstablished(client: KubeClient, crds: readonly KubeObject[]): Promise<void> {
  const waiting = new Set(crds.map((crd) => crd.metadata?.name ?? ""));
  await watchUntil<CustomResourceDefinition>(client, {
    type: Kinds.CustomResourceDefinition,
    reason: () => `CRDs are established: ${[...waiting].join(", ")}`,
    timeoutMs: 30_000,
    done(crd) {
      const established = crd.status?.conditions?.some(
        (condition) => condition.type === "Established" && condition.status === "True",
      );
      if (established) waiting.delete(crd.metadata?.name ?? "");
      return waiting.size === 0;
    },
  });
}

/** Waits until the Deployments of a component are rolled out. Throws with what the Deployment itself says. */
export async function waitReady(client: KubeClient, component: RenderedComponent, timeoutMs: number): Promise<void> {
  const names = component.objects
    .filter((object) => object.kind === "Deployment")
    .map((object) => object.metadata?.name ?? "");
  for (const name of names) {
    let state = "it has not been seen yet";
    let last: Deployment | undefined;
    const wait = watchUntil<Deployment>(client, {
      type: Kinds.Deployment,
      namespace: component.namespace,
      fieldSelector: `metadata.name=${name}`,
      timeoutMs,
      reason: () => `Deployment ${component.namespace}/${name} is ready: ${state}`,
      done(deployment) {
        last = deployment;
        state = rolloutState(deployment);
        return state === "";
      },
    });
    await wait.catch(async (thrown: unknown) => {
      if (!(thrown instanceof MeshError) || thrown.code !== "NOT_READY" || last === undefined) throw thrown;
      const pods = await waitingContainers(client, last);
      const { hint = "" } = thrown;
      throw new MeshError("NOT_READY", [thrown.message, ...pods].join("; "), { hint, cause: thrown });
    });
  }
}

/** What containers of a Deployment's pods wait for, such as `pod istiod-x: ErrImagePull: no such image`. */
async function waitingContainers(client: KubeClient, deployment: Deployment): Promise<string[]> {
  const labels = Object.entries(deployment.spec?.selector.matchLabels ?? {});
  const labelSelector = labels.map(([key, value]) => `${key}=${value}`).join(",");
  const pods = await client.list<Pod>(Kinds.Pod, { namespace: deployment.metadata?.namespace ?? "", labelSelector });
  return pods.items.flatMap(({ metadata, status }) =>
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].flatMap(({ state }) => {
      const { reason = "", message = "" } = state?.waiting ?? {};
      return reason === "" ? [] : [[`pod ${metadata?.name}`, reason, message].filter((text) => text !== "").join(": ")];
    }),
  );
}

/** Empty when rolled out, else what is missing. */
function rolloutState(deployment: Deployment): string {
  const wanted = deployment.spec?.replicas ?? 1;
  const {
    observedGeneration = 0,
    updatedReplicas = 0,
    availableReplicas = 0,
    conditions = [],
  } = deployment.status ?? {};
  if (observedGeneration < (deployment.metadata?.generation ?? 0))
    return "the deployment controller has not seen it yet";
  if (updatedReplicas < wanted) return `${updatedReplicas} of ${wanted} pods are made`;
  if (availableReplicas >= wanted) return "";
  const failed = conditions.find((condition) => condition.type === "ReplicaFailure" && condition.status === "True");
  return failed?.message ?? `${availableReplicas} of ${wanted} pods are available`;
}

interface WatchUntil<T> {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly timeoutMs: number;
  readonly reason: () => string;
  readonly done: (object: T) => boolean;
}

async function watchUntil<T extends KubeObject>(client: KubeClient, wait: WatchUntil<T>): Promise<void> {
  const signal = AbortSignal.timeout(wait.timeoutMs);
  const where = {
    ...(wait.namespace === undefined ? {} : { namespace: wait.namespace }),
    ...(wait.fieldSelector === undefined ? {} : { fieldSelector: wait.fieldSelector }),
  };
  while (!signal.aborted) {
    try {
      const list = await client.list<T>(wait.type, where);
      if (list.items.some((object) => wait.done(object))) return;
      const { resourceVersion = "0" } = list.metadata;
      for await (const event of client.watch<T>(wait.type, { ...where, resourceVersion, signal })) {
        if (event.type !== "BOOKMARK" && event.type !== "DELETED" && wait.done(event.object)) return;
      }
    } catch (thrown) {
      if (!signal.aborted && !(thrown instanceof KubeError && (thrown.status === 410 || thrown.status === 0)))
        throw thrown;
    }
  }
  const at = wait.namespace === undefined ? "" : ` -n ${wait.namespace}`;
  throw new MeshError("NOT_READY", `waited ${wait.timeoutMs / 1000} s in vain until ${wait.reason()}`, {
    hint: `look at the objects and their events: kubectl get ${wait.type.plural},pods,events${at}`,
  });
}

/** Kinds that installations render; pruning and uninstalling look at exactly these. */
export const RENDERED_KINDS: readonly ResourceType[] = [
  Kinds.HorizontalPodAutoscaler,
  Kinds.PodDisruptionBudget,
  Kinds.Deployment,
  Kinds.Service,
  Kinds.MutatingWebhookConfiguration,
  Kinds.ValidatingWebhookConfiguration,
  Kinds.ConfigMap,
  Kinds.RoleBinding,
  Kinds.Role,
  Kinds.ClusterRoleBinding,
  Kinds.ClusterRole,
  Kinds.ServiceAccount,
];

/** Deletes what the same operator and revision installed before and does not render any more, whatever its component. */
export async function pruneStale(
  client: KubeClient,
  install: ResolvedInstall,
  kept: readonly KubeObject[],
): Promise<string[]> {
  const keep = new Set(kept.map((object) => `${object.kind} ${objectKey(object)}`));
  const labelSelector = [
    `${LABELS.owningResource}=${install.operatorName}`,
    `${LABELS.owningResourceNamespace}=${install.namespace}`,
    LABELS.component,
    `${LABELS.revision}=${install.revision}`,
  ].join(",");
  const pruned: string[] = [];
  const pruneKind = async (type: ResourceType) => {
    const list = await client.list(type, { labelSelector });
    for (const object of list.items) {
      const label = `${type.kind} ${objectKey(object)}`;
      if (keep.has(label)) continue;
      await deleteObject(client, type, object);
      pruned.push(label);
    }
  };
  await Promise.all(RENDERED_KINDS.map(pruneKind));
  return pruned;
}

/** Deletes one object; one that is gone already is fine. */
export async function deleteObject(client: KubeClient, type: ResourceType, object: KubeObject): Promise<void> {
  const { namespace, name = "" } = object.metadata ?? {};
  const at = { name, ...(namespace === undefined ? {} : { namespace }) };
  await client.delete(type, at, { propagationPolicy: "Background" }).catch((thrown: unknown) => {
    if (!isNotFound(thrown))
      throw new MeshError(
        "DELETE_FAILED",
        `${apiVersionOf(type)} ${type.kind} ${objectKey(object)}: ${errorMessage(thrown)}`,
        { cause: thrown },
      );
  });
}
