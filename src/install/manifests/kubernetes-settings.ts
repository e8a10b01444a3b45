// What `components.X.k8s` sets on a component's objects, the same for control plane and gateways. The shapes are
// Kubernetes' own and are passed on as they are: the API server checks them and names what is wrong.
import type { KubernetesSettings } from "#api/install/istio-operator/istio-operator";
import type {
  Container,
  DeploymentSpec,
  HorizontalPodAutoscalerSpec,
  PodDisruptionBudgetSpec,
  PodSecurityContext,
  PodSpec,
  ServiceSpec,
  Volume,
  VolumeMount,
} from "#api/kubernetes/gen/types";
import type { ResolvedInstall } from "../resolve-install.ts";
import { stringAt, valueAt } from "../tree.ts";

const ROLLING: DeploymentSpec["strategy"] & object = {
  type: "RollingUpdate",
  rollingUpdate: { maxSurge: "100%", maxUnavailable: "25%" },
};

/** Replicas and strategy. Without a count the field stays out, so that an autoscaler may own it. */
export function deploymentSettings(
  k8s: KubernetesSettings,
  replicas = k8s.replicaCount,
): Pick<DeploymentSpec, "replicas" | "strategy"> {
  return {
    ...(replicas === undefined ? {} : { replicas }),
    strategy: (k8s.strategy as DeploymentSpec["strategy"]) ?? ROLLING,
  };
}

/** Where pods run and what they may; `security` lies below what the settings say. */
export function podSettings(
  install: ResolvedInstall,
  k8s: KubernetesSettings,
  security: PodSecurityContext,
): Omit<PodSpec, "containers"> {
  const priorityClassName = k8s.priorityClassName ?? stringAt(install.values, "global.priorityClassName");
  const pullSecrets = valueAt(install.values, "global.imagePullSecrets");
  const settings: Partial<PodSpec> = {
    ...(k8s.affinity === undefined ? {} : { affinity: k8s.affinity as PodSpec["affinity"] & object }),
    ...(k8s.nodeSelector === undefined ? {} : { nodeSelector: k8s.nodeSelector as Record<string, string> }),
    ...(k8s.tolerations === undefined ? {} : { tolerations: k8s.tolerations as PodSpec["tolerations"] & object }),
    ...(priorityClassName === "" ? {} : { priorityClassName }),
    ...(Array.isArray(pullSecrets) && pullSecrets.length > 0
      ? { imagePullSecrets: pullSecrets.map((name) => ({ name: String(name) })) }
      : {}),
    securityContext: { ...security, ...(k8s.securityContext as PodSecurityContext | undefined) },
  };
  return settings;
}

/** The pull policy of a component's container; the cluster's default when nobody names one. */
export function pullPolicy(install: ResolvedInstall, k8s: KubernetesSettings): Pick<Container, "imagePullPolicy"> {
  const imagePullPolicy = k8s.imagePullPolicy ?? stringAt(install.values, "global.imagePullPolicy");
  return imagePullPolicy === "" ? {} : { imagePullPolicy };
}

export function extraVolumes(k8s: KubernetesSettings): Volume[] {
  return (k8s.volumes ?? []) as unknown as Volume[];
}

export function extraMounts(k8s: KubernetesSettings): VolumeMount[] {
  return (k8s.volumeMounts ?? []) as unknown as VolumeMount[];
}

/** `k8s.service` field by field over the component's own Service. */
export function serviceSpec(k8s: KubernetesSettings, own: ServiceSpec): ServiceSpec {
  return { ...own, ...(k8s.service as ServiceSpec | undefined) };
}

export function serviceAnnotations(k8s: KubernetesSettings): { annotations?: Record<string, string> } {
  return k8s.serviceAnnotations === undefined ? {} : { annotations: { ...k8s.serviceAnnotations } };
}

/** One pod stays unless the settings say otherwise; they need not repeat which pods. */
export function disruptionBudget(k8s: KubernetesSettings, pods: Record<string, string>): PodDisruptionBudgetSpec {
  return { selector: { matchLabels: pods }, ...(k8s.podDisruptionBudget ?? { minAvailable: 1 }) };
}

/** `k8s.hpaSpec` field by field over scaling one Deployment by CPU (percent of what its pods request). */
export function autoscaler(
  k8s: KubernetesSettings,
  deployment: string,
  own: { readonly minReplicas: number; readonly maxReplicas: number; readonly cpu: number },
): HorizontalPodAutoscalerSpec {
  const target = { type: "Utilization", averageUtilization: own.cpu };
  return {
    minReplicas: own.minReplicas,
    maxReplicas: own.maxReplicas,
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
    metrics: [{ type: "Resource", resource: { name: "cpu", target } }],
    ...(k8s.hpaSpec as Partial<HorizontalPodAutoscalerSpec> | undefined),
  };
}
