// Config maps and secrets that pods of this node name, each followed by a watch of its own: a node's credential may
// read only these, and what is created late arrives at once.
import { Kinds } from "#api/kinds";
import type { ConfigMap, Secret } from "#api/kubernetes/gen/types";
import type { Logger } from "#base/logger";
import { startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";

export interface FollowedObject<T> {
  /** Resolves when it is known whether the object exists; rejects when the node stops first. */
  readonly synced: Promise<void>;
  current(): T | undefined;
  release(): void;
}

export interface ReferencedObjects {
  configMap(namespace: string, name: string, onChange: () => void): FollowedObject<ConfigMap>;
  secret(namespace: string, name: string, onChange: () => void): FollowedObject<Secret>;
}

type FollowableType = typeof Kinds.ConfigMap | typeof Kinds.Secret;

interface Shared<T> {
  readonly synced: Promise<void>;
  readonly current: () => T | undefined;
  readonly listeners: Set<() => void>;
  readonly stop: AbortController;
}

export function followReferencedObjects(client: KubeClient, logger: Logger, signal: AbortSignal): ReferencedObjects {
  const follower = <T extends ConfigMap | Secret>(type: FollowableType) => {
    const shared = new Map<string, Shared<T>>();
    return (namespace: string, name: string, onChange: () => void): FollowedObject<T> => {
      const key = `${namespace}/${name}`;
      const entry = shared.get(key) ?? follow<T>({ client, logger, signal }, type, namespace, name);
      shared.set(key, entry);
      const listener = () => onChange();
      entry.listeners.add(listener);
      return {
        synced: entry.synced,
        current: entry.current,
        release() {
          entry.listeners.delete(listener);
          if (entry.listeners.size > 0 || shared.get(key) !== entry) return;
          shared.delete(key);
          entry.stop.abort();
        },
      };
    };
  };
  return { configMap: follower<ConfigMap>(Kinds.ConfigMap), secret: follower<Secret>(Kinds.Secret) };
}

function follow<T extends ConfigMap | Secret>(
  on: { client: KubeClient; logger: Logger; signal: AbortSignal },
  type: FollowableType,
  namespace: string,
  name: string,
): Shared<T> {
  const stop = new AbortController();
  const listeners = new Set<() => void>();
  const informer = startInformer<T>({
    client: on.client,
    logger: on.logger,
    type,
    namespace,
    fieldSelector: `metadata.name=${name}`,
    signal: AbortSignal.any([stop.signal, on.signal]),
    onChange: () => {
      for (const listener of [...listeners]) queueMicrotask(listener);
    },
  });
  return { synced: informer.synced, current: () => informer.get(namespace, name), listeners, stop };
}
