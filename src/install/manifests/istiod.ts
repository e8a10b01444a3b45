// Component Pilot: the control plane's Deployment, Service, account and rights.
import { NAMES, PATHS } from "#api/constants/names";
import { PORTS } from "#api/constants/ports";
import type {
  Container,
  Deployment,
  EnvVar,
  HorizontalPodAutoscaler,
  PodDisruptionBudget,
  PodSpec,
  Service,
  Volume,
  VolumeMount,
} from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import type { ResolvedInstall } from "../resolve-install.ts";
import { stringAt, valueAt } from "../tree.ts";
import { renderInjectorConfig, renderMeshConfig } from "./config-maps.ts";
import { imageName } from "./image-name.ts";
import {
  autoscaler,
  deploymentSettings,
  disruptionBudget,
  extraMounts,
  extraVolumes,
  podSettings,
  pullPolicy,
  serviceAnnotations,
  serviceSpec,
} from "./kubernetes-settings.ts";
import { ownershipLabels, withRevision } from "./object-labels.ts";
import {
  clusterRole,
  clusterRoleBinding,
  ISTIOD_NAMESPACE_RULES,
  istiodClusterRules,
  role,
  roleBinding,
} from "./rbac.ts";
import { renderInjectorWebhook, renderValidationWebhooks } from "./webhooks.ts";

export function renderIstiod(install: ResolvedInstall): KubeObject[] {
  // A revision's pods must not match the selectors of the default control plane beside it.
  const istio = install.revision === "default" ? "pilot" : "istiod";
  const labels = { ...ownershipLabels(install, "Pilot"), app: "istiod", istio, release: "istio" };
  const name = withRevision("istiod", install);
  const { namespace } = install;
  const account = { name, namespace };
  const webhooks = [renderInjectorWebhook(install), ...renderValidationWebhooks(install)];
  const rules = istiodClusterRules(webhooks.map((webhook) => webhook.metadata?.name ?? ""));
  const roleName = `${withRevision("istiod-clusterrole", install)}-${namespace}`;
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace, labels } },
    clusterRole(roleName, labels, rules),
    clusterRoleBinding(roleName, labels, account),
    role(name, namespace, labels, ISTIOD_NAMESPACE_RULES),
    roleBinding(name, labels, account),
    renderMeshConfig(install),
    renderInjectorConfig(install),
    ...webhooks,
    istiodService(install, name, labels),
    istiodDeployment(install, name, labels),
    ...scaling(install, name, labels),
  ];
}

type Labels = Record<string, string>;

function istiodService(install: ResolvedInstall, name: string, labels: Labels): Service {
  const k8s = install.pilot ?? {};
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: install.namespace, labels, ...serviceAnnotations(k8s) },
    spec: serviceSpec(k8s, {
      ports: [
        { name: "grpc-xds", port: PORTS.grpcXds, protocol: "TCP" },
        { name: "https-dns", port: PORTS.grpcTls, protocol: "TCP" },
        { name: "https-webhook", port: 443, targetPort: PORTS.webhook, protocol: "TCP" },
        { name: "http-monitoring", port: PORTS.controlPlaneMonitoring, protocol: "TCP" },
      ],
      selector: podLabels(install),
    }),
  };
}

function podLabels(install: ResolvedInstall): Labels {
  return {
    app: "istiod",
    ...(install.revision === "default" ? { istio: "pilot" } : { "istio.io/rev": install.revision }),
  };
}

function istiodDeployment(install: ResolvedInstall, name: string, labels: Labels): Deployment {
  const k8s = install.pilot ?? {};
  const annotations = {
    "prometheus.io/port": String(PORTS.controlPlaneMonitoring),
    "prometheus.io/scrape": "true",
    "sidecar.istio.io/inject": "false",
    ...k8s.podAnnotations,
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: install.namespace, labels },
    spec: {
      ...deploymentSettings(k8s, replicas(install)),
      selector: { matchLabels: podLabels(install) },
      template: {
        metadata: { labels: { ...labels, ...podLabels(install), "sidecar.istio.io/inject": "false" }, annotations },
        spec: podSpec(install, name),
      },
    },
  };
}

/** Undefined while an autoscaler owns the count. */
function replicas(install: ResolvedInstall): number | undefined {
  if (install.pilot?.replicaCount !== undefined) return install.pilot.replicaCount;
  return isAutoscaled(install) ? undefined : Number(valueAt(install.values, "pilot.replicaCount") ?? 1);
}

function isAutoscaled(install: ResolvedInstall): boolean {
  return valueAt(install.values, "pilot.autoscaleEnabled") === true && install.pilot?.replicaCount === undefined;
}

function podSpec(install: ResolvedInstall, serviceAccountName: string): PodSpec {
  const k8s = install.pilot ?? {};
  return {
    serviceAccountName,
    ...podSettings(install, k8s, { fsGroup: 1337 }),
    containers: [discoveryContainer(install)],
    volumes: [...VOLUMES.map((volume) => volume(install)), ...extraVolumes(k8s)],
  };
}

function discoveryContainer(install: ResolvedInstall): Container {
  const k8s = install.pilot ?? {};
  return {
    name: "discovery",
    image: imageName(install, "pilot"),
    ...pullPolicy(install, k8s),
    args: [
      "discovery",
      `--monitoringAddr=:${PORTS.controlPlaneMonitoring}`,
      `--log_output_level=${stringAt(install.values, "global.logging.level")}`,
      "--domain",
      stringAt(install.values, "global.proxy.clusterDomain"),
      "--keepaliveMaxServerConnectionAge",
      stringAt(install.values, "pilot.keepaliveMaxServerConnectionAge"),
    ],
    ports: [PORTS.controlPlaneHttp, PORTS.grpcXds, PORTS.grpcTls, PORTS.webhook, PORTS.controlPlaneMonitoring].map(
      (containerPort) => ({
        containerPort,
        protocol: "TCP",
      }),
    ),
    readinessProbe: (k8s.readinessProbe as Container["readinessProbe"] & object) ?? {
      httpGet: { path: "/ready", port: PORTS.controlPlaneHttp },
      periodSeconds: 3,
      timeoutSeconds: 5,
    },
    env: environment(install),
    resources: (k8s.resources ?? valueAt(install.values, "pilot.resources") ?? {}) as Container["resources"] & object,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 1337,
      runAsGroup: 1337,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [...MOUNTS, ...extraMounts(k8s)],
  };
}

const fromField = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });

function environment(install: ResolvedInstall): EnvVar[] {
  const extra = valueAt(install.values, "pilot.env");
  const fromValues =
    typeof extra === "object" && extra !== null
      ? Object.entries(extra).map(([name, value]) => ({ name, value: String(value) }))
      : [];
  return [
    { name: "REVISION", value: install.revision },
    { name: "PILOT_CERT_PROVIDER", value: stringAt(install.values, "global.pilotCertProvider") },
    fromField("POD_NAME", "metadata.name"),
    fromField("POD_NAMESPACE", "metadata.namespace"),
    fromField("SERVICE_ACCOUNT", "spec.serviceAccountName"),
    { name: "KUBECONFIG", value: "/var/run/secrets/remote/config" },
    { name: "PILOT_TRACE_SAMPLING", value: stringAt(install.values, "pilot.traceSampling") },
    {
      name: "CLUSTER_ID",
      value: stringAt(install.values, "global.multiCluster.clusterName") || NAMES.defaultClusterId,
    },
    ...fromValues,
    ...((install.pilot?.env ?? []) as unknown as EnvVar[]),
  ];
}

const VOLUMES: readonly ((install: ResolvedInstall) => Volume)[] = [
  () => ({ name: "local-certs", emptyDir: { medium: "Memory" } }),
  (install) => ({
    name: "istio-token",
    projected: {
      sources: [
        {
          serviceAccountToken: {
            audience: stringAt(install.values, "global.sds.token.aud"),
            expirationSeconds: 43_200,
            path: "istio-token",
          },
        },
      ],
    },
  }),
  () => ({ name: "cacerts", secret: { secretName: NAMES.plugInCaSecret, optional: true } }),
  () => ({ name: "istio-kubeconfig", secret: { secretName: "istio-kubeconfig", optional: true } }),
];

const MOUNTS: readonly VolumeMount[] = [
  { name: "istio-token", mountPath: "/var/run/secrets/tokens", readOnly: true },
  { name: "local-certs", mountPath: "/var/run/secrets/istio-dns" },
  { name: "cacerts", mountPath: PATHS.plugInCa, readOnly: true },
  { name: "istio-kubeconfig", mountPath: "/var/run/secrets/remote", readOnly: true },
];

function scaling(install: ResolvedInstall, name: string, labels: Labels): KubeObject[] {
  const { values, namespace } = install;
  const metadata = { name, namespace, labels };
  const budget: PodDisruptionBudget = {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata,
    spec: disruptionBudget(install.pilot ?? {}, podLabels(install)),
  };
  if (!isAutoscaled(install)) return [budget];
  const scaler: HorizontalPodAutoscaler = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata,
    spec: autoscaler(install.pilot ?? {}, name, {
      minReplicas: Number(valueAt(values, "pilot.autoscaleMin")),
      maxReplicas: Number(valueAt(values, "pilot.autoscaleMax")),
      cpu: Number(valueAt(values, "pilot.cpu.targetAverageUtilization")),
    }),
  };
  return [budget, scaler];
}
