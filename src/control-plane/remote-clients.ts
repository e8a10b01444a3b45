// A token of a remote cluster is reviewed by that cluster's API server, with the client that its remote secret gives.
import { Kinds } from "#api/kinds";
import type { Secret } from "#api/kubernetes/gen/types";
import { contentHash } from "#base/content-hash";
import type { RemoteClusterStatus } from "#ingest/remote-clusters";
import type { KubeClient } from "#kube/kube-client";

export interface RemoteClients {
  /** Wraps what makes clients, and remembers each by its kubeconfig. */
  readonly createClient: (kubeconfig: string) => KubeClient;
  /** The client of a cluster that a remote secret names now; reads that secret. */
  clientOf(cluster: string): Promise<KubeClient | undefined>;
}

export function createRemoteClients(options: {
  readonly own: KubeClient;
  readonly create: (kubeconfig: string) => KubeClient;
  readonly status: () => readonly RemoteClusterStatus[];
}): RemoteClients {
  const clients = new Map<string, KubeClient>();
  return {
    createClient(kubeconfig) {
      const client = options.create(kubeconfig);
      clients.set(contentHash(kubeconfig), client);
      return client;
    },
    async clientOf(cluster) {
      const status = options.status().find((candidate) => candidate.id === cluster);
      const [namespace = "", name = ""] = status?.secretName.split("/") ?? [];
      if (name === "") return undefined;
      const secret = await options.own.get<Secret>(Kinds.Secret, { namespace, name });
      const kubeconfig = Buffer.from(secret.data?.[cluster] ?? "", "base64").toString("utf8");
      return clients.get(contentHash(kubeconfig));
    },
  };
}
