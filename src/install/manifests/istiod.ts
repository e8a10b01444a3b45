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
import { ownershipLabels, withRevision } from "./object-labels.ts";
import {
  clusterRole,
  clusterRoleBinding,
  ISTIOD_CLUSTER_RULES,
  ISTIOD_NAMESPACE_RULES,
  role,
  roleBinding,
} from "./rbac.ts";
import { renderInjectorWebhook, renderValidationWebhooks } from "./webhooks.ts";

export function renderIstiod(install: ResolvedInstall): KubeObject[] {
  const labels = { ...ownershipLabels(install, "Pilot"), app: "istiod", istio: "pilot", release: "istio" };
  const name = withRevision("istiod", install);
  const { namespace } = install;
  const account = { name, namespace };
  const roleName = `${withRevision("istiod-clusterrole", install)}-${namespace}`;
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace, labels } },
    clusterRole(roleName, labels, ISTIOD_CLUSTER_RULES),
    clusterRoleBinding(roleName, labels, account),
    role(name, namespace, labels, ISTIOD_NAMESPACE_RULES),
    roleBinding(name, labels, account),
    renderMeshConfig(install),
    renderInjectorConfig(install),
    renderInjectorWebhook(install),
    ...renderValidationWebhooks(install),
    istiodService(install, name, labels),
    istiodDeployment(install, name, labels),
    ...scaling(install, name, labels),
  ];
}

type Labels = Record<string, string>;

function istiodService(install: ResolvedInstall, name: string, labels: Labels): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: install.namespace, labels },
    spec: {
      ports: [
        { name: "grpc-xds", port: PORTS.grpcXds, protocol: "TCP" },
        { name: "https-dns", port: PORTS.grpcTls, protocol: "TCP" },
        { name: "https-webhook", port: 443, targetPort: PORTS.webhook, protocol: "TCP" },
        { name: "http-monitoring", port: PORTS.controlPlaneMonitoring, protocol: "TCP" },
      ],
      selector: podLabels(install),
    },
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
      ...(k8s.replicaCount === undefined ? {} : { replicas: k8s.replicaCount }),
      strategy: (k8s.strategy as Deployment["spec"]) ?? {
        type: "RollingUpdate",
        rollingUpdate: { maxSurge: "100%", maxUnavailable: "25%" },
      },
      selector: { matchLabels: podLabels(install) },
      template: {
        metadata: { labels: { ...labels, ...podLabels(install), "sidecar.istio.io/inject": "false" }, annotations },
        spec: podSpec(install, name),
      },
    },
  } as Deployment;
}

function podSpec(install: ResolvedInstall, serviceAccountName: string): PodSpec {
  const k8s = install.pilot ?? {};
  const priority = k8s.priorityClassName ?? stringAt(install.values, "global.priorityClassName");
  return {
    serviceAccountName,
    ...(priority === "" ? {} : { priorityClassName: priority }),
    ...(k8s.nodeSelector === undefined ? {} : { nodeSelector: k8s.nodeSelector as Record<string, string> }),
    ...(k8s.tolerations === undefined ? {} : { tolerations: k8s.tolerations as PodSpec["tolerations"] & object }),
    ...(k8s.affinity === undefined ? {} : { affinity: k8s.affinity as PodSpec["affinity"] & object }),
    securityContext: { fsGroup: 1337 },
    containers: [discoveryContainer(install)],
    volumes: VOLUMES.map((volume) => volume(install)),
  };
}

function discoveryContainer(install: ResolvedInstall): Container {
  const k8s = install.pilot ?? {};
  const pull = k8s.imagePullPolicy ?? stringAt(install.values, "global.imagePullPolicy");
  return {
    name: "discovery",
    image: `${install.hub}/${stringAt(install.values, "pilot.image")}:${install.tag}`,
    ...(pull === "" ? {} : { imagePullPolicy: pull }),
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
    volumeMounts: [...MOUNTS],
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
    spec: { minAvailable: 1, selector: { matchLabels: podLabels(install) } },
  };
  if (valueAt(values, "pilot.autoscaleEnabled") !== true || install.pilot?.replicaCount !== undefined) return [budget];
  const scaler: HorizontalPodAutoscaler = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata,
    spec: {
      minReplicas: Number(valueAt(values, "pilot.autoscaleMin")),
      maxReplicas: Number(valueAt(values, "pilot.autoscaleMax")),
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
      metrics: [
        {
          type: "Resource",
          resource: {
            name: "cpu",
            target: {
              type: "Utilization",
              averageUtilization: Number(valueAt(values, "pilot.cpu.targetAverageUtilization")),
            },
          },
        },
      ],
    },
  };
  return [budget, scaler];
}
