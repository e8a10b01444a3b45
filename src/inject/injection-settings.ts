import { parse as parseYaml } from "yaml";
import { NAMES } from "#api/constants/names";
import type { LabelSelector, ResourceRequirements } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import {
  isRawObject,
  type RawObject,
  readBoolean,
  readNumber,
  readObject,
  readPath,
  readText,
  readTextMap,
  readTexts,
} from "./raw-object.ts";

/** What `values.global.proxy` and its neighbours say about the proxy container; units are Kubernetes' own. */
export interface ProxySettings {
  readonly image: string;
  readonly imagePullPolicy: string | undefined;
  readonly initImage: string;
  readonly clusterDomain: string;
  readonly logLevel: string;
  readonly componentLogLevel: string;
  readonly agentLogLevel: string;
  readonly logAsJson: boolean;
  readonly privileged: boolean;
  readonly resources: ResourceRequirements;
  readonly initResources: ResourceRequirements;
  readonly includeIPRanges: string;
  readonly excludeIPRanges: string;
  readonly includeInboundPorts: string;
  readonly excludeInboundPorts: string;
  readonly includeOutboundPorts: string;
  readonly excludeOutboundPorts: string;
  readonly statusPort: number;
  readonly readinessInitialDelaySeconds: number;
  readonly readinessPeriodSeconds: number;
  readonly readinessFailureThreshold: number;
  readonly startupProbe: boolean;
  readonly startupFailureThreshold: number;
  readonly holdApplicationUntilProxyStarts: boolean;
  readonly lifecycle: RawObject | undefined;
}

/** Everything that injection depends on besides the pod; frozen data, made anew when a ConfigMap changes. */
export interface InjectionSettings {
  readonly systemNamespace: string;
  /** `default` when the control plane has no revision. */
  readonly revision: string;
  readonly policy: "enabled" | "disabled";
  readonly neverInjectSelector: readonly LabelSelector[];
  readonly alwaysInjectSelector: readonly LabelSelector[];
  readonly defaultTemplates: readonly string[];
  readonly injectedAnnotations: Readonly<Record<string, string>>;
  readonly rewriteAppHTTPProbe: boolean;
  readonly nativeSidecars: boolean;
  readonly proxy: ProxySettings;
  readonly imagePullSecrets: readonly string[];
  readonly clusterId: string;
  /** Empty when the cluster has no network name. */
  readonly network: string;
  readonly meshId: string;
  readonly trustDomain: string;
  readonly tokenAudience: string;
  readonly caAddress: string;
  readonly enablePrometheusMerge: boolean;
  /** MeshConfig.defaultConfig as written: a ProxyConfig. */
  readonly defaultConfig: RawObject;
}

export interface InjectionSources {
  /** ConfigMap istio-sidecar-injector, key config: YAML. */
  readonly config: string;
  /** ConfigMap istio-sidecar-injector, key values: JSON. */
  readonly values: string;
  /** ConfigMap istio, key mesh: YAML. */
  readonly mesh: string;
  readonly systemNamespace?: string;
  readonly revision?: string;
  readonly nativeSidecars?: boolean;
}

const DEFAULT_RESOURCES: ResourceRequirements = {
  requests: { cpu: "100m", memory: "128Mi" },
  limits: { cpu: "2000m", memory: "1024Mi" },
};
const DEFAULT_HUB = "isthmus";
const DEFAULT_TAG = "0.1.0";
const DEFAULT_IMAGE = "proxyv2";

/** Reads the ConfigMaps. Throws MeshError INJECTION_SETTINGS naming the key that is no YAML mapping. */
export function parseInjectionSettings(sources: InjectionSources): InjectionSettings {
  const config = parseMapping(sources.config, "config");
  const values = parseMapping(sources.values, "values");
  const mesh = parseMapping(sources.mesh, "mesh");
  const systemNamespace = sources.systemNamespace ?? readText(values, "global.istioNamespace") ?? NAMES.systemNamespace;
  const revision = sources.revision || readText(values, "revision") || "default";
  const host = revision === "default" ? "istiod" : `istiod-${revision}`;
  return {
    systemNamespace,
    revision,
    policy: readText(config, "policy") === "disabled" ? "disabled" : "enabled",
    neverInjectSelector: readSelectors(config, "neverInjectSelector"),
    alwaysInjectSelector: readSelectors(config, "alwaysInjectSelector"),
    defaultTemplates: readTexts(config, "defaultTemplates")?.filter((name) => name !== "") ?? ["sidecar"],
    injectedAnnotations: readTextMap(config, "injectedAnnotations"),
    rewriteAppHTTPProbe: readBoolean(values, "sidecarInjectorWebhook.rewriteAppHTTPProbe") ?? true,
    nativeSidecars: sources.nativeSidecars ?? false,
    proxy: readProxySettings(values),
    imagePullSecrets: readTexts(values, "global.imagePullSecrets") ?? [],
    clusterId: readText(values, "global.multiCluster.clusterName") ?? NAMES.defaultClusterId,
    network: readText(values, "global.network") ?? "",
    meshId: readText(values, "global.meshID") ?? readText(mesh, "trustDomain") ?? NAMES.trustDomain,
    trustDomain: readText(mesh, "trustDomain") ?? NAMES.trustDomain,
    tokenAudience: readText(values, "global.sds.token.aud") ?? NAMES.tokenAudience,
    caAddress: readText(values, "global.caAddress") ?? `${host}.${systemNamespace}.svc:15012`,
    enablePrometheusMerge: readBoolean(mesh, "enablePrometheusMerge") ?? true,
    defaultConfig: readObject(mesh, "defaultConfig"),
  };
}

/** The same settings for a remote cluster's webhook URL, `/inject/cluster/C/net/N`. */
export function settingsForPath(settings: InjectionSettings, path: string): InjectionSettings {
  const steps = path.split("/").map((step) => decodeURIComponent(step).replaceAll("--slash--", "/"));
  const after = (word: string) => {
    const at = steps.indexOf(word);
    return at < 0 ? undefined : steps[at + 1] || undefined;
  };
  const clusterId = after("cluster");
  const network = after("net");
  if (clusterId === undefined && network === undefined) return settings;
  return { ...settings, clusterId: clusterId ?? settings.clusterId, network: network ?? settings.network };
}

function parseMapping(text: string, key: string): RawObject {
  try {
    const parsed: unknown = parseYaml(text) ?? {};
    if (isRawObject(parsed)) return parsed;
    throw new Error("it is not a mapping");
  } catch (thrown) {
    throw new MeshError("INJECTION_SETTINGS", `key ${key} of the injection settings cannot be read`, {
      hint: "restore the ConfigMaps istio-sidecar-injector and istio with `istioctl install`",
      cause: thrown,
    });
  }
}

function readSelectors(config: RawObject, key: string): LabelSelector[] {
  const value = config[key];
  return Array.isArray(value) ? value.filter(isRawObject).map((item) => item as LabelSelector) : [];
}

/** `hub/name:tag` for a short name; an image that already names a path stays as written. */
function imageName(values: RawObject, image: string): string {
  if (image.includes("/")) return image;
  const hub = readText(values, "global.hub") ?? DEFAULT_HUB;
  const tag = readText(values, "global.tag") ?? DEFAULT_TAG;
  const variant = readText(values, "global.variant");
  return `${hub}/${image}:${tag}${variant === undefined ? "" : `-${variant}`}`;
}

function readResources(values: RawObject, path: string, fallback: ResourceRequirements): ResourceRequirements {
  const resources = readObject(values, path);
  return Object.keys(resources).length === 0 ? fallback : (resources as ResourceRequirements);
}

function readProxySettings(values: RawObject): ProxySettings {
  const proxy = "global.proxy";
  const image = readText(values, `${proxy}.image`) ?? DEFAULT_IMAGE;
  const resources = readResources(values, `${proxy}.resources`, DEFAULT_RESOURCES);
  const lifecycle = readPath(values, `${proxy}.lifecycle`);
  return {
    image: imageName(values, image),
    imagePullPolicy: readText(values, "global.imagePullPolicy"),
    initImage: imageName(values, readText(values, "global.proxy_init.image") ?? image),
    clusterDomain: readText(values, `${proxy}.clusterDomain`) ?? NAMES.domain,
    logLevel: readText(values, `${proxy}.logLevel`) ?? "warning",
    componentLogLevel: readText(values, `${proxy}.componentLogLevel`) ?? "misc:error",
    agentLogLevel: readText(values, "global.logging.level") ?? "default:info",
    logAsJson: readBoolean(values, "global.logAsJson") ?? false,
    privileged: readBoolean(values, `${proxy}.privileged`) ?? false,
    resources,
    initResources: readResources(values, "global.proxy_init.resources", resources),
    ...readTraffic(values, proxy),
    ...readProbes(values, proxy),
    holdApplicationUntilProxyStarts: readBoolean(values, `${proxy}.holdApplicationUntilProxyStarts`) ?? false,
    lifecycle: isRawObject(lifecycle) ? lifecycle : undefined,
  };
}

function readTraffic(values: RawObject, proxy: string) {
  return {
    includeIPRanges: readText(values, `${proxy}.includeIPRanges`) ?? "*",
    excludeIPRanges: readText(values, `${proxy}.excludeIPRanges`) ?? "",
    includeInboundPorts: readText(values, `${proxy}.includeInboundPorts`) ?? "*",
    excludeInboundPorts: readText(values, `${proxy}.excludeInboundPorts`) ?? "",
    includeOutboundPorts: readText(values, `${proxy}.includeOutboundPorts`) ?? "",
    excludeOutboundPorts: readText(values, `${proxy}.excludeOutboundPorts`) ?? "",
  };
}

function readProbes(values: RawObject, proxy: string) {
  return {
    statusPort: readNumber(values, `${proxy}.statusPort`) ?? 15020,
    readinessInitialDelaySeconds: readNumber(values, `${proxy}.readinessInitialDelaySeconds`) ?? 0,
    readinessPeriodSeconds: readNumber(values, `${proxy}.readinessPeriodSeconds`) ?? 15,
    readinessFailureThreshold: readNumber(values, `${proxy}.readinessFailureThreshold`) ?? 4,
    startupProbe: readBoolean(values, `${proxy}.startupProbe.enabled`) ?? true,
    startupFailureThreshold: readNumber(values, `${proxy}.startupProbe.failureThreshold`) ?? 600,
  };
}
