import { parse as parseYaml } from "yaml";
import { ANNOTATIONS } from "#api/constants/labels";
import { MeshError } from "#base/mesh-error";
import type { InjectionSettings } from "./injection-settings.ts";
import { isRawObject, type RawObject } from "./raw-object.ts";

/** Merges mappings deeply; lists and plain values of `over` win whole. */
function mergeRaw(base: RawObject, over: RawObject): RawObject {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isRawObject(below) && isRawObject(value) ? mergeRaw(below, value) : value;
  }
  return merged;
}

/**
 * MeshConfig.defaultConfig with the pod's annotation proxy.istio.io/config over it.
 * Throws MeshError PROXY_CONFIG when the annotation is no YAML mapping: the pod is then refused alone.
 */
export function effectiveProxyConfig(
  settings: InjectionSettings,
  annotations: Readonly<Record<string, string>>,
): RawObject {
  const text = annotations[ANNOTATIONS.proxyConfig];
  if (text === undefined) return settings.defaultConfig;
  let parsed: unknown;
  try {
    parsed = parseYaml(text) ?? {};
  } catch (thrown) {
    throw refusal(thrown);
  }
  if (!isRawObject(parsed)) throw refusal(undefined);
  return mergeRaw(settings.defaultConfig, parsed);
}

function refusal(cause: unknown): MeshError {
  return new MeshError("PROXY_CONFIG", `annotation ${ANNOTATIONS.proxyConfig} of the pod is not a YAML mapping`, {
    hint: "write a ProxyConfig such as `holdApplicationUntilProxyStarts: true`",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What the agent would assume anyway is left out of PROXY_CONFIG, so that a plain pod carries `{}`. */
export function proxyConfigDelta(config: RawObject, systemNamespace: string): RawObject {
  const assumed: RawObject = {
    configPath: "./etc/istio/proxy",
    binaryPath: "/usr/local/bin/envoy",
    serviceCluster: "istio-proxy",
    drainDuration: "45s",
    terminationDrainDuration: "5s",
    proxyAdminPort: 15000,
    controlPlaneAuthPolicy: "MUTUAL_TLS",
    discoveryAddress: `istiod.${systemNamespace}.svc:15012`,
    statusPort: 15020,
    statNameLength: 189,
  };
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => assumed[key] !== value));
}
