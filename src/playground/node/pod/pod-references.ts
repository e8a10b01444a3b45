import type { ConfigMap, Container, Pod, Secret, Volume, VolumeProjection } from "#api/kubernetes/gen/types";
import type { ObjectLookups } from "../container/environment.ts";
import type { FollowedObject, ReferencedObjects } from "./referenced-objects.ts";

export interface PodReferences extends ObjectLookups {
  /** Resolves when every object that the pod names is known to exist or not. */
  readonly synced: Promise<void>;
  release(): void;
}

interface ObjectNames {
  readonly configMaps: Set<string>;
  readonly secrets: Set<string>;
}

/** Every config map and secret that a pod's volumes and environment name. */
export function referencedNames(pod: Pod): ObjectNames {
  const names: ObjectNames = { configMaps: new Set(), secrets: new Set() };
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  for (const container of containers) addContainer(container, names);
  for (const volume of pod.spec?.volumes ?? []) addVolume(volume, names);
  return names;
}

/** Follows them all; `onChange` is called after any of them changed. */
export function followPodReferences(pod: Pod, objects: ReferencedObjects, onChange: () => void): PodReferences {
  const namespace = pod.metadata?.namespace ?? "default";
  const names = referencedNames(pod);
  const configMaps = new Map<string, FollowedObject<ConfigMap>>();
  const secrets = new Map<string, FollowedObject<Secret>>();
  for (const name of names.configMaps) configMaps.set(name, objects.configMap(namespace, name, onChange));
  for (const name of names.secrets) secrets.set(name, objects.secret(namespace, name, onChange));
  const all = [...configMaps.values(), ...secrets.values()];
  return {
    synced: Promise.all(all.map(({ synced }) => synced)).then(() => undefined),
    configMap: (name) => configMaps.get(name)?.current(),
    secret: (name) => secrets.get(name)?.current(),
    release: () => {
      for (const followed of all) followed.release();
    },
  };
}

function addContainer({ env = [], envFrom = [] }: Container, names: ObjectNames): void {
  for (const { valueFrom } of env) {
    add(names.configMaps, valueFrom?.configMapKeyRef?.name);
    add(names.secrets, valueFrom?.secretKeyRef?.name);
  }
  for (const { configMapRef, secretRef } of envFrom) {
    add(names.configMaps, configMapRef?.name);
    add(names.secrets, secretRef?.name);
  }
}

function addVolume(volume: Volume, names: ObjectNames): void {
  add(names.configMaps, volume.configMap?.name);
  add(names.secrets, volume.secret?.secretName);
  for (const source of volume.projected?.sources ?? []) addProjection(source, names);
}

function addProjection(source: VolumeProjection, names: ObjectNames): void {
  add(names.configMaps, source.configMap?.name);
  add(names.secrets, source.secret?.name);
}

function add(set: Set<string>, name: string | undefined): void {
  if (name) set.add(name);
}
