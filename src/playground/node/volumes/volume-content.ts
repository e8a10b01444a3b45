// What lies in a volume that is made of API objects: pure, from objects to files.
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import { type DownwardFacts, fieldValue, resourceValue } from "../container/downward-api.ts";
import type { ObjectLookups } from "../container/environment.ts";

export interface VolumeFile {
  readonly data: Buffer;
  readonly mode: number;
}

/** Relative path -> file. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

export interface VolumeSources {
  readonly lookups: ObjectLookups;
  readonly facts: DownwardFacts;
  /** The token fetched for a projection; undefined while there is none. */
  token(projection: ServiceAccountTokenProjection): string | undefined;
}

const DEFAULT_MODE = 0o644;

/**
 * The files of a configMap, secret, downwardAPI or projected volume; undefined for any other kind of volume.
 * Throws MeshError CONFIG_MISSING when a required object, key or token does not exist (yet).
 */
export function volumeFiles(volume: Volume, sources: VolumeSources): VolumeFiles | undefined {
  const projections = projectionsOf(volume);
  if (!projections) return undefined;
  const { list, mode } = projections;
  return new Map(list.flatMap((projection) => projectedFiles(projection, mode, sources)));
}

/** The token projections of all volumes of a pod. */
export function tokenProjections(pod: Pod): ServiceAccountTokenProjection[] {
  const projections = (pod.spec?.volumes ?? []).flatMap((volume) => volume.projected?.sources ?? []);
  return projections.flatMap(({ serviceAccountToken }) => (serviceAccountToken ? [serviceAccountToken] : []));
}

function projectionsOf(volume: Volume): { list: readonly VolumeProjection[]; mode: number } | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return { list: [{ configMap }], mode: configMap.defaultMode ?? DEFAULT_MODE };
  if (secret) {
    const { secretName, defaultMode, ...rest } = secret;
    const projection = secretName === undefined ? rest : { ...rest, name: secretName };
    return { list: [{ secret: projection }], mode: defaultMode ?? DEFAULT_MODE };
  }
  if (downwardAPI) return { list: [{ downwardAPI }], mode: downwardAPI.defaultMode ?? DEFAULT_MODE };
  return projected && { list: projected.sources ?? [], mode: projected.defaultMode ?? DEFAULT_MODE };
}

function projectedFiles(projection: VolumeProjection, mode: number, sources: VolumeSources): [string, VolumeFile][] {
  const { configMap, secret, downwardAPI, serviceAccountToken } = projection;
  if (configMap) {
    const { name = "", optional, items } = configMap;
    const data = configMapData(sources.lookups.configMap(name));
    const words = { what: `configmap "${name}"`, noKey: "configmap references non-existent config key" };
    return selectKeys(data, { ...words, optional, items, mode });
  }
  if (secret) {
    const { name = "", optional, items } = secret;
    const data = secretData(sources.lookups.secret(name));
    const words = { what: `secret "${name}"`, noKey: "references non-existent secret key" };
    return selectKeys(data, { ...words, optional, items, mode });
  }
  if (downwardAPI) {
    return (downwardAPI.items ?? []).map((item) => [
      item.path,
      { data: Buffer.from(downwardText(item, sources.facts)), mode: item.mode ?? mode },
    ]);
  }
  if (!serviceAccountToken) return [];
  const token = sources.token(serviceAccountToken);
  if (token === undefined) throw missing(`service account token for ${serviceAccountToken.path} not issued`);
  return [[serviceAccountToken.path, { data: Buffer.from(token), mode }]];
}

interface Selection {
  readonly what: string;
  /** What kubelets say of a key that is not there. */
  readonly noKey: string;
  readonly optional: boolean | undefined;
  readonly items: readonly KeyToPath[] | undefined;
  readonly mode: number;
}

function selectKeys(data: ReadonlyMap<string, Buffer> | undefined, selection: Selection): [string, VolumeFile][] {
  const { what, noKey, optional, items, mode } = selection;
  if (!data) {
    if (optional) return [];
    throw missing(`${what} not found`);
  }
  if (!items) return [...data].map(([key, bytes]) => [key, { data: bytes, mode }]);
  return items.flatMap((item): [string, VolumeFile][] => {
    const bytes = data.get(item.key);
    if (bytes) return [[item.path, { data: bytes, mode: item.mode ?? mode }]];
    if (optional) return [];
    throw missing(`${noKey}: ${item.key}`);
  });
}

function configMapData(map: ConfigMap | undefined): Map<string, Buffer> | undefined {
  if (!map) return undefined;
  const text = Object.entries(map.data ?? {}).map(([key, value]): [string, Buffer] => [key, Buffer.from(value)]);
  return new Map([...text, ...decoded(map.binaryData)]);
}

function secretData(secret: Secret | undefined): Map<string, Buffer> | undefined {
  return secret && new Map(decoded(secret.data));
}

function decoded(data: Readonly<Record<string, string>> = {}): [string, Buffer][] {
  return Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64")]);
}

function downwardText(item: DownwardAPIVolumeFile, facts: DownwardFacts): string {
  if (item.fieldRef) return fieldValue(item.fieldRef, facts);
  const { resourceFieldRef } = item;
  const container = facts.pod.spec?.containers.find(({ name }) => name === resourceFieldRef?.containerName);
  if (!resourceFieldRef || !container) return "";
  return resourceValue(resourceFieldRef, container, facts);
}

function missing(what: string): MeshError {
  return new MeshError("CONFIG_MISSING", what, { hint: "create it; the pod goes on as soon as it is there" });
}
