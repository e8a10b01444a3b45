// Components IngressGateways and EgressGateways: a fully specified proxy Deployment with its Service. Fully specified,
// because `manifest generate | kubectl apply` must work before any webhook runs.
import { LABELS } from "#api/constants/labels";
import { NAMES, PATHS } from "#api/constants/names";
import { PORTS, PROXY_UID } from "#api/constants/ports";
import type {
  Container,
  Deployment,
  EnvVar,
  HorizontalPodAutoscaler,
  PodDisruptionBudget,
  Service,
  Volume,
  VolumeMount,
} from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import { DEFAULT_GATEWAY_PORTS } from "../profiles.ts";
import type { ResolvedGateway, ResolvedInstall } from "../resolve-install.ts";
import { stringAt, valueAt } from "../tree.ts";
import { discoveryAddress } from "./config-maps.ts";
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
import { type ComponentName, ownershipLabels, withRevision } from "./object-labels.ts";
import { GATEWAY_SDS_RULES, role, roleBinding } from "./rbac.ts";

type Labels = Record<string, string>;

export function gatewayComponent(gateway: ResolvedGateway): ComponentName {
  return gateway.kind === "ingress" ? "IngressGateways" : "EgressGateways";
}

export function renderGateway(install: ResolvedInstall, gateway: ResolvedGateway): KubeObject[] {
  const { name, namespace } = gateway;
  const labels = { ...ownershipLabels(install, gatewayComponent(gateway)), ...gateway.label, release: "istio" };
  const account = { name: `${name}-service-account`, namespace };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { ...account, labels } },
    role(`${name}-sds`, namespace, labels, GATEWAY_SDS_RULES),
    roleBinding(`${name}-sds`, labels, account),
    gatewayService(gateway, labels),
    gatewayDeployment(install, gateway, labels),
    ...gatewayScaling(gateway, labels),
  ];
}

/** `app` and `istio` identify the pods; the other labels may change without a new Deployment. */
function selector({ app, istio }: ResolvedGateway["label"]): Labels {
  return { ...(app === undefined ? {} : { app }), ...(istio === undefined ? {} : { istio }) };
}

function gatewayService(gateway: ResolvedGateway, labels: Labels): Service {
  const { k8s, kind, name, namespace } = gateway;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels, ...serviceAnnotations(k8s) },
    spec: serviceSpec(k8s, {
      type: kind === "ingress" ? "LoadBalancer" : "ClusterIP",
      selector: selector(gateway.label),
      ports: [...DEFAULT_GATEWAY_PORTS[kind]],
    }),
  };
}

function gatewayDeployment(install: ResolvedInstall, gateway: ResolvedGateway, labels: Labels): Deployment {
  const { k8s } = gateway;
  const podLabels = {
    ...labels,
    [LABELS.canonicalName]: gateway.name,
    [LABELS.canonicalRevision]: "latest",
    [LABELS.inject]: "false",
  };
  const annotations = {
    "prometheus.io/port": String(PORTS.agentStatus),
    "prometheus.io/scrape": "true",
    "prometheus.io/path": "/stats/prometheus",
    "sidecar.istio.io/inject": "false",
    ...k8s.podAnnotations,
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: gateway.name, namespace: gateway.namespace, labels },
    spec: {
      ...deploymentSettings(k8s),
      selector: { matchLabels: selector(gateway.label) },
      template: {
        metadata: { labels: podLabels, annotations },
        spec: {
          serviceAccountName: `${gateway.name}-service-account`,
          ...podSettings(install, k8s, POD_SECURITY),
          containers: [proxyContainer(install, gateway)],
          volumes: [...VOLUMES, meshConfigVolume(install), ...extraVolumes(k8s)],
        },
      },
    },
  };
}

const POD_SECURITY = { runAsUser: PROXY_UID, runAsGroup: PROXY_UID, runAsNonRoot: true, fsGroup: PROXY_UID };

function proxyContainer(install: ResolvedInstall, gateway: ResolvedGateway): Container {
  const { values } = install;
  const { k8s } = gateway;
  const ports = (gatewayService(gateway, {}).spec?.ports ?? []).map((port) =>
    typeof port.targetPort === "number" ? port.targetPort : port.port,
  );
  return {
    name: "istio-proxy",
    image: imageName(install, "global.proxy"),
    ...pullPolicy(install, k8s),
    args: [
      "proxy",
      "router",
      "--domain",
      `$(POD_NAMESPACE).svc.${stringAt(values, "global.proxy.clusterDomain")}`,
      `--proxyLogLevel=${stringAt(values, "global.proxy.logLevel")}`,
      `--proxyComponentLogLevel=${stringAt(values, "global.proxy.componentLogLevel")}`,
      `--log_output_level=${stringAt(values, "global.logging.level")}`,
    ],
    ports: [
      ...ports.map((containerPort) => ({ containerPort, protocol: "TCP" })),
      { name: "http-envoy-prom", containerPort: PORTS.proxyStats, protocol: "TCP" },
    ],
    readinessProbe: (k8s.readinessProbe as Container["readinessProbe"] & object) ?? {
      httpGet: { path: "/healthz/ready", port: PORTS.proxyHealth },
      periodSeconds: 2,
      failureThreshold: 30,
      timeoutSeconds: 3,
    },
    env: [...environment(install, gateway), ...((k8s.env ?? []) as unknown as EnvVar[])],
    resources: (k8s.resources ?? valueAt(values, "global.proxy.resources") ?? {}) as Container["resources"] & object,
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      privileged: false,
      readOnlyRootFilesystem: true,
    },
    volumeMounts: [...MOUNTS, ...extraMounts(k8s)],
  };
}

const fromField = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });

function environment(install: ResolvedInstall, gateway: ResolvedGateway): EnvVar[] {
  const { values } = install;
  const network = gateway.label[LABELS.network] ?? stringAt(values, "global.network");
  // A gateway rendered without its cluster's name leaves it out: the control plane that it connects to knows its own.
  const clusterId =
    stringAt(values, "global.multiCluster.clusterName") || (install.pilot === undefined ? "" : NAMES.defaultClusterId);
  const meshId = stringAt(values, "global.meshID") || NAMES.trustDomain;
  const owner = `kubernetes://apis/apps/v1/namespaces/${gateway.namespace}/deployments/${gateway.name}`;
  return [
    { name: "JWT_POLICY", value: stringAt(values, "global.jwtPolicy") },
    { name: "PILOT_CERT_PROVIDER", value: stringAt(values, "global.pilotCertProvider") },
    { name: "CA_ADDR", value: stringAt(values, "global.caAddress") || discoveryAddress(install) },
    { name: "PROXY_CONFIG", value: JSON.stringify({ discoveryAddress: discoveryAddress(install) }) },
    fromField("NODE_NAME", "spec.nodeName"),
    fromField("POD_NAME", "metadata.name"),
    fromField("POD_NAMESPACE", "metadata.namespace"),
    fromField("INSTANCE_IP", "status.podIP"),
    fromField("HOST_IP", "status.hostIP"),
    fromField("SERVICE_ACCOUNT", "spec.serviceAccountName"),
    { name: "ISTIO_META_WORKLOAD_NAME", value: gateway.name },
    { name: "ISTIO_META_OWNER", value: owner },
    { name: "ISTIO_META_MESH_ID", value: meshId },
    { name: "TRUST_DOMAIN", value: NAMES.trustDomain },
    { name: "ISTIO_META_UNPRIVILEGED_POD", value: "true" },
    ...(clusterId === "" ? [] : [{ name: "ISTIO_META_CLUSTER_ID", value: clusterId }]),
    ...(network === "" ? [] : [{ name: "ISTIO_META_NETWORK", value: network }]),
    fromField("ISTIO_META_NODE_NAME", "spec.nodeName"),
  ];
}

const VOLUMES: readonly Volume[] = [
  { name: "workload-socket", emptyDir: {} },
  { name: "istiod-ca-cert", configMap: { name: NAMES.rootCertConfigMap } },
  {
    name: "podinfo",
    downwardAPI: {
      items: [
        { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
        { path: "annotations", fieldRef: { fieldPath: "metadata.annotations" } },
      ],
    },
  },
  { name: "istio-envoy", emptyDir: {} },
  { name: "istio-data", emptyDir: {} },
  {
    name: "istio-token",
    projected: {
      sources: [
        { serviceAccountToken: { audience: NAMES.tokenAudience, expirationSeconds: 43_200, path: "istio-token" } },
      ],
    },
  },
];

function meshConfigVolume(install: ResolvedInstall): Volume {
  return { name: "config-volume", configMap: { name: withRevision(NAMES.meshConfigMap, install), optional: true } };
}

const MOUNTS: readonly VolumeMount[] = [
  { name: "workload-socket", mountPath: PATHS.workloadSocket },
  { name: "config-volume", mountPath: "/etc/istio/config" },
  { name: "istiod-ca-cert", mountPath: "/var/run/secrets/istio" },
  { name: "istio-token", mountPath: "/var/run/secrets/tokens", readOnly: true },
  { name: "istio-envoy", mountPath: PATHS.proxyConfig },
  { name: "istio-data", mountPath: "/var/lib/istio/data" },
  { name: "podinfo", mountPath: PATHS.podInfo },
];

function gatewayScaling({ name, namespace, k8s, label }: ResolvedGateway, labels: Labels): KubeObject[] {
  const metadata = { name, namespace, labels };
  const budget: PodDisruptionBudget = {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata,
    spec: disruptionBudget(k8s, selector(label)),
  };
  if (k8s.replicaCount !== undefined && k8s.hpaSpec === undefined) return [budget];
  const spec = autoscaler(k8s, name, { minReplicas: 1, maxReplicas: 5, cpu: 80 });
  const scaler: HorizontalPodAutoscaler = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata,
    spec,
  };
  return [budget, scaler];
}
