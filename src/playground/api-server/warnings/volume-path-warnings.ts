// Volumes that put two files at one place, or one below another.
import type { JsonObject } from "../contract.ts";
import { isObject, objectAt, objectsAt, stringAt } from "../json.ts";

/** One file of a volume; `source` is "" where the volume has only one. */
interface Placed {
  readonly path: string;
  readonly source: string;
}

export const volumePathWarnings = (volumes: readonly JsonObject[]): string[] => volumes.flatMap(warningsOf);

function warningsOf(volume: JsonObject): string[] {
  const name = JSON.stringify(stringAt(volume, "name"));
  const tell = (what: string, all: readonly Placed[]) =>
    overlaps(all).map((text) => `volume ${name} (${what}): overlapping paths: ${text}`);
  const map = objectAt(volume, "configMap");
  const secret = objectAt(volume, "secret");
  return [
    ...tell(`ConfigMap ${JSON.stringify(stringAt(map, "name"))}`, itemsOf(map)),
    ...tell(`Secret ${JSON.stringify(stringAt(secret, "secretName"))}`, itemsOf(secret)),
    ...tell("DownwardAPI", itemsOf(objectAt(volume, "downwardAPI"))),
    ...objectsAt(volume, "projected", "sources").flatMap((source) =>
      Object.keys(source).length === 0 ? [`volume ${name} (Projected) has no sources provided`] : [],
    ),
    ...tell("Projected", objectsAt(volume, "projected", "sources").flatMap(placesOf)),
  ];
}

const itemsOf = (of: JsonObject, source = ""): Placed[] =>
  objectsAt(of, "items").map((item) => ({ path: stringAt(item, "path"), source }));

function placesOf(projection: JsonObject): Placed[] {
  const named = (title: string, of: JsonObject) => `${title} ${JSON.stringify(stringAt(of, "name"))}`;
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle } = projection;
  if (isObject(configMap) && configMap["items"] !== undefined) return itemsOf(configMap, named("ConfigMap", configMap));
  if (isObject(secret) && secret["items"] !== undefined) return itemsOf(secret, named("Secret", secret));
  if (isObject(downwardAPI) && downwardAPI["items"] !== undefined) return itemsOf(downwardAPI, "DownwardAPI");
  if (isObject(serviceAccountToken))
    return [{ path: stringAt(serviceAccountToken, "path"), source: "ServiceAccountToken" }];
  if (!isObject(clusterTrustBundle)) return [];
  const name = clusterTrustBundle["name"] ?? clusterTrustBundle["signerName"] ?? "";
  return [{ path: stringAt(clusterTrustBundle, "path"), source: `ClusterTrustBundle ${JSON.stringify(name)}` }];
}

const shown = ({ path, source }: Placed) =>
  source === "" ? JSON.stringify(path) : `${JSON.stringify(path)} (${source})`;

function overlaps(all: readonly Placed[]): string[] {
  const trimmed = all.map(({ path, source }) => ({ path: path.replace(/\/+$/, ""), source }));
  return trimmed.flatMap((one, index) =>
    trimmed
      .slice(0, index)
      .filter((other) => one.path !== "" && other.path !== "" && touches(one.path, other.path))
      .map((other) => `${shown(one)} with ${shown(other)}`),
  );
}

const touches = (a: string, b: string) => `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
