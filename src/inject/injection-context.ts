import type { Container, Pod } from "#api/kubernetes/gen/types";
import type { InjectionSettings } from "./injection-settings.ts";
import { effectiveProxyConfig } from "./proxy-config.ts";
import { type RawObject, readBoolean, readNumber } from "./raw-object.ts";
import { canonicalService, type Workload, workloadOf } from "./workload.ts";

export const PROXY_CONTAINER = "istio-proxy";
export const INIT_CONTAINER = "istio-init";

/** What the pieces of a template look at: the pod, the settings and what follows from both. */
export interface InjectionContext {
  readonly pod: Pod;
  readonly settings: InjectionSettings;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The pod's containers without the proxy's own override. */
  readonly appContainers: readonly Container[];
  readonly workload: Workload;
  readonly canonical: { readonly name: string; readonly revision: string };
  readonly proxyConfig: RawObject;
  /** The agent's port; 0 switches its probes off. */
  readonly statusPort: number;
  readonly interceptionMode: string;
  readonly nativeSidecar: boolean;
  readonly holdApplication: boolean;
}

/** Throws MeshError PROXY_CONFIG for an unreadable annotation. */
export function injectionContext(pod: Pod, settings: InjectionSettings): InjectionContext {
  const { namespace = "default", labels = {}, annotations = {} } = pod.metadata ?? {};
  const proxyConfig = effectiveProxyConfig(settings, annotations);
  const workload = workloadOf(pod);
  return {
    pod,
    settings,
    namespace,
    labels,
    annotations,
    appContainers: (pod.spec?.containers ?? []).filter((container) => container.name !== PROXY_CONTAINER),
    workload,
    canonical: canonicalService(pod, workload),
    proxyConfig,
    statusPort:
      readNumber({ port: annotations["status.sidecar.istio.io/port"] }, "port") ??
      readNumber(proxyConfig, "statusPort") ??
      settings.proxy.statusPort,
    interceptionMode: (
      annotations["sidecar.istio.io/interceptionMode"] ?? String(proxyConfig["interceptionMode"] ?? "REDIRECT")
    ).toUpperCase(),
    nativeSidecar:
      readBoolean({ native: annotations["sidecar.istio.io/nativeSidecar"] }, "native") ?? settings.nativeSidecars,
    holdApplication:
      readBoolean(proxyConfig, "holdApplicationUntilProxyStarts") ?? settings.proxy.holdApplicationUntilProxyStarts,
  };
}
