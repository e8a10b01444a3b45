// What a sidecar and an injected gateway have in common; each template adds what is its own.
import { PORTS, PROXY_UID } from "#api/constants/ports";
import type { Container, Probe, ResourceRequirements, SecurityContext } from "#api/kubernetes/gen/types";
import { type InjectionContext, PROXY_CONTAINER } from "./injection-context.ts";
import { proxyEnv } from "./proxy-env.ts";
import { mountsOfProxy } from "./proxy-volumes.ts";
import { readNumber } from "./raw-object.ts";

/** `role` is the node type that the proxy takes: sidecar or router. */
export function proxyContainer(context: InjectionContext, role: "sidecar" | "router"): Container {
  const { settings, annotations } = context;
  const pull = settings.proxy.imagePullPolicy;
  return {
    name: PROXY_CONTAINER,
    image: annotations["sidecar.istio.io/proxyImage"] ?? settings.proxy.image,
    ...(pull === undefined ? {} : { imagePullPolicy: pull }),
    ports: [{ containerPort: PORTS.proxyStats, protocol: "TCP", name: "http-envoy-prom" }],
    args: proxyArgs(context, role),
    env: proxyEnv(context),
    ...probes(context),
    resources: proxyResources(context),
    securityContext: proxySecurity(settings.proxy.privileged),
    volumeMounts: mountsOfProxy(context),
  };
}

function proxyArgs(context: InjectionContext, role: string): string[] {
  const { annotations, settings } = context;
  const { proxy } = settings;
  return [
    "proxy",
    role,
    "--domain",
    `$(POD_NAMESPACE).svc.${proxy.clusterDomain}`,
    `--proxyLogLevel=${annotations["sidecar.istio.io/logLevel"] ?? proxy.logLevel}`,
    `--proxyComponentLogLevel=${annotations["sidecar.istio.io/componentLogLevel"] ?? proxy.componentLogLevel}`,
    `--log_output_level=${annotations["sidecar.istio.io/agentLogLevel"] ?? proxy.agentLogLevel}`,
    ...(proxy.logAsJson ? ["--log_as_json"] : []),
  ];
}

/** User 1337 with nothing it could misuse; its traffic is never redirected. */
export function proxySecurity(privileged: boolean): SecurityContext {
  return {
    allowPrivilegeEscalation: privileged,
    capabilities: { drop: ["ALL"] },
    privileged,
    readOnlyRootFilesystem: true,
    runAsGroup: PROXY_UID,
    runAsNonRoot: true,
    runAsUser: PROXY_UID,
  };
}

function probes(context: InjectionContext): { readinessProbe?: Probe; startupProbe?: Probe } {
  if (context.statusPort === 0) return {};
  const { proxy } = context.settings;
  const asked = (name: string) =>
    readNumber({ value: context.annotations[`readiness.status.sidecar.istio.io/${name}`] }, "value");
  const httpGet = { path: "/healthz/ready", port: PORTS.proxyHealth };
  const readinessProbe: Probe = {
    httpGet,
    initialDelaySeconds: asked("initialDelaySeconds") ?? proxy.readinessInitialDelaySeconds,
    periodSeconds: asked("periodSeconds") ?? proxy.readinessPeriodSeconds,
    timeoutSeconds: 3,
    failureThreshold: asked("failureThreshold") ?? proxy.readinessFailureThreshold,
  };
  if (!proxy.startupProbe) return { readinessProbe };
  const startupProbe: Probe = {
    httpGet,
    initialDelaySeconds: 0,
    periodSeconds: 1,
    timeoutSeconds: 3,
    failureThreshold: proxy.startupFailureThreshold,
  };
  return { readinessProbe, startupProbe };
}

const RESOURCE_ANNOTATIONS = {
  requests: { cpu: "sidecar.istio.io/proxyCPU", memory: "sidecar.istio.io/proxyMemory" },
  limits: { cpu: "sidecar.istio.io/proxyCPULimit", memory: "sidecar.istio.io/proxyMemoryLimit" },
} as const;

/** One resource annotation replaces the defaults altogether, so that a small request meets no default limit. */
function proxyResources(context: InjectionContext): ResourceRequirements {
  const { annotations, settings } = context;
  const asked: ResourceRequirements = {};
  for (const side of ["requests", "limits"] as const) {
    for (const [resource, annotation] of Object.entries(RESOURCE_ANNOTATIONS[side])) {
      const value = annotations[annotation];
      if (value !== undefined) asked[side] = { ...asked[side], [resource]: value };
    }
  }
  return asked.requests === undefined && asked.limits === undefined ? settings.proxy.resources : asked;
}
