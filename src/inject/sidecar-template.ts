import { LABELS, TLS_MODE_ISTIO } from "#api/constants/labels";
import { PROXY_UID } from "#api/constants/ports";
import type { Container, Lifecycle, PodSecurityContext, Volume } from "#api/kubernetes/gen/types";
import { initContainer } from "./init-container.ts";
import type { InjectionContext } from "./injection-context.ts";
import { proxyContainer } from "./proxy-container.ts";
import { volumesOfProxy } from "./proxy-volumes.ts";

/** What a template adds to a pod. */
export interface PodAddition {
  readonly proxy: Container;
  readonly initContainers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly labels: Readonly<Record<string, string>>;
  /** A value given by the user stays, unless it is among `forcedAnnotations`. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly securityContext?: PodSecurityContext;
}

export function sidecarTemplate(context: InjectionContext): PodAddition {
  const container = proxyContainer(context, "sidecar");
  const lifecycle = sidecarLifecycle(context);
  const proxy: Container = {
    ...container,
    ...(lifecycle === undefined ? {} : { lifecycle }),
    ...(context.nativeSidecar ? { restartPolicy: "Always" } : {}),
  };
  if (context.interceptionMode === "TPROXY") proxy.securityContext = transparentSecurity(proxy);
  const first = context.appContainers[0]?.name;
  const defaults: Record<string, string> =
    first === undefined
      ? {}
      : { "kubectl.kubernetes.io/default-container": first, "kubectl.kubernetes.io/default-logs-container": first };
  return {
    proxy,
    initContainers: context.interceptionMode === "NONE" ? [] : [initContainer(context)],
    volumes: volumesOfProxy(context),
    labels: { [LABELS.tlsMode]: TLS_MODE_ISTIO },
    annotations: defaults,
  };
}

/** Transparent interception sets addresses that are not its own, which takes root and NET_ADMIN. */
function transparentSecurity(proxy: Container) {
  return {
    ...proxy.securityContext,
    capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
    runAsNonRoot: false,
    runAsUser: 0,
    runAsGroup: PROXY_UID,
  };
}

function sidecarLifecycle(context: InjectionContext): Lifecycle | undefined {
  const { lifecycle } = context.settings.proxy;
  if (lifecycle !== undefined) return lifecycle as Lifecycle;
  if (context.nativeSidecar) {
    const command = ["pilot-agent", "request", `--debug-port=${context.statusPort}`, "POST", "drain"];
    return { preStop: { exec: { command } } };
  }
  if (context.holdApplication) return { postStart: { exec: { command: ["pilot-agent", "wait"] } } };
  return undefined;
}
