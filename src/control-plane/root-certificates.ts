// The root that workloads trust lies as a ConfigMap in every namespace, and is put back when somebody changes it.
import { LABELS } from "#api/constants/labels";
import { NAMES } from "#api/constants/names";
import { Kinds } from "#api/kinds";
import type { ConfigMap, Namespace } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Component } from "#base/component";
import type { Logger } from "#base/logger";
import { type Informer, startInformer } from "#kube/informer";
import { isNamespaceTerminating, isNotFound, type KubeClient, KubeError } from "#kube/kube-client";
import { WorkQueue } from "#kube/work-queue";
import type { Authority } from "./authority.ts";
import { RETRY_PAUSES } from "./retry-pauses.ts";

/** Namespaces that hold no workloads. */
const SKIPPED = ["kube-public", "kube-node-lease", "local-path-storage"];

export interface RootCertificatesOptions {
  readonly client: KubeClient;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps ConfigMap istio-ca-root-cert in every namespace of the own cluster equal to the CA's root bundle. */
export function rootCertificates(options: RootCertificatesOptions): Component {
  return {
    name: "root-certificates",
    async run(signal) {
      const { client, authority, clock, logger } = options;
      const reconcile = (namespace: string) => ensure(namespace);
      const queue = new WorkQueue({ name: "root-certificates", clock, logger, reconcile, ...RETRY_PAUSES });
      const maps = startInformer<ConfigMap>({
        client,
        type: Kinds.ConfigMap,
        fieldSelector: `metadata.name=${NAMES.rootCertConfigMap}`,
        logger,
        signal,
        onChange: ({ object }) => queue.add(object.metadata?.namespace ?? ""),
      });
      const namespaces = startInformer<Namespace>({
        client,
        type: Kinds.Namespace,
        logger,
        signal,
        onChange: ({ object }) => queue.add(object.metadata?.name ?? ""),
      });
      const ensure = (namespace: string) =>
        ensureRoot({ client, namespace, maps, namespaces, rootsPem: authority.current.rootsPem });
      const unsubscribe = authority.subscribe(() => {
        for (const { metadata } of namespaces.list()) queue.add(metadata?.name ?? "");
      });
      await queue.run(signal);
      unsubscribe();
    },
  };
}

interface Ensure {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly maps: Informer<ConfigMap>;
  readonly namespaces: Informer<Namespace>;
  readonly rootsPem: string;
}

async function ensureRoot({ client, namespace, maps, namespaces, rootsPem }: Ensure): Promise<void> {
  await Promise.all([maps.synced, namespaces.synced]);
  const known = namespaces.get(undefined, namespace);
  if (known === undefined || known.status?.phase === "Terminating" || SKIPPED.includes(namespace)) return;
  const name = NAMES.rootCertConfigMap;
  const existing = maps.get(namespace, name);
  if (existing?.data?.[NAMES.rootCertKey] === rootsPem) return;
  const wanted: ConfigMap = {
    metadata: {
      ...existing?.metadata,
      name,
      namespace,
      labels: { ...existing?.metadata?.labels, [LABELS.config]: "true" },
    },
    data: { ...existing?.data, [NAMES.rootCertKey]: rootsPem },
  };
  try {
    if (existing === undefined) await client.create<ConfigMap>(Kinds.ConfigMap, wanted);
    else await client.replace<ConfigMap>(Kinds.ConfigMap, wanted);
  } catch (thrown) {
    // Deleted or made meanwhile, or the namespace went away: the informers tell, and the key comes back.
    const changed = isNotFound(thrown) || (thrown instanceof KubeError && thrown.status === 409);
    if (!changed && !isNamespaceTerminating(thrown)) throw thrown;
  }
}
