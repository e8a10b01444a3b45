// What each profile switches on, and the values that everything starts from (Istio's profiles and chart defaults).

import { ISTHMUS_VERSION, NAMES } from "#api/constants/names";
import { PORTS } from "#api/constants/ports";
import type { IstioOperatorSpec, Tree } from "#api/install/istio-operator/istio-operator";

/** Where the images are named from; `hub` and `tag` of an IstioOperator override it. */
export const DEFAULT_HUB = "isthmus";
export const DEFAULT_TAG = ISTHMUS_VERSION;

export const DEFAULT_VALUES: Tree = {
  global: {
    istioNamespace: NAMES.systemNamespace,
    hub: DEFAULT_HUB,
    tag: DEFAULT_TAG,
    imagePullPolicy: "",
    imagePullSecrets: [],
    meshID: "",
    network: "",
    meshNetworks: {},
    multiCluster: { enabled: false, clusterName: "" },
    pilotCertProvider: "istiod",
    jwtPolicy: "third-party-jwt",
    sds: { token: { aud: NAMES.tokenAudience } },
    caAddress: "",
    logging: { level: "default:info" },
    logAsJson: false,
    operatorManageWebhooks: false,
    configValidation: true,
    priorityClassName: "",
    proxy: {
      image: "proxyv2",
      autoInject: "enabled",
      clusterDomain: NAMES.domain,
      componentLogLevel: "misc:error",
      logLevel: "warning",
      excludeIPRanges: "",
      excludeInboundPorts: "",
      excludeOutboundPorts: "",
      includeIPRanges: "*",
      includeInboundPorts: "*",
      includeOutboundPorts: "",
      holdApplicationUntilProxyStarts: false,
      lifecycle: {},
      privileged: false,
      resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "2000m", memory: "1024Mi" } },
      readinessFailureThreshold: 4,
      readinessInitialDelaySeconds: 0,
      readinessPeriodSeconds: 15,
      startupProbe: { enabled: true, failureThreshold: 600 },
      statusPort: PORTS.agentStatus,
    },
    proxy_init: { image: "proxyv2", forceApplyIptables: false },
  },
  pilot: {
    autoscaleEnabled: true,
    autoscaleMin: 1,
    autoscaleMax: 5,
    cpu: { targetAverageUtilization: 80 },
    replicaCount: 1,
    image: "pilot",
    env: {},
    resources: { requests: { cpu: "500m", memory: "2048Mi" } },
    traceSampling: 1,
    keepaliveMaxServerConnectionAge: "30m",
    configMap: true,
  },
  sidecarInjectorWebhook: {
    enableNamespacesByDefault: false,
    neverInjectSelector: [],
    alwaysInjectSelector: [],
    rewriteAppHTTPProbe: true,
    injectedAnnotations: {},
    templates: {},
    defaultTemplates: [],
    reinvocationPolicy: "Never",
  },
  gateways: {},
  revision: "",
};

const INGRESS_PORTS = [
  { name: "status-port", port: PORTS.proxyHealth, targetPort: PORTS.proxyHealth, protocol: "TCP" },
  { name: "http2", port: 80, targetPort: 8080, protocol: "TCP" },
  { name: "https", port: 443, targetPort: 8443, protocol: "TCP" },
];
const EGRESS_PORTS = INGRESS_PORTS.slice(1);

/** Ports of a gateway Service whose IstioOperator names none. */
export const DEFAULT_GATEWAY_PORTS = { ingress: INGRESS_PORTS, egress: EGRESS_PORTS } as const;

const base = { enabled: true };
const pilot = { enabled: true };
const ingress = { name: "istio-ingressgateway", enabled: true };
const egress = { name: "istio-egressgateway", enabled: true };

const DEMO_RESOURCES = { requests: { cpu: "10m", memory: "40Mi" } };

/** Each profile is an overlay on nothing: `empty` has no component at all. */
export const PROFILES = {
  default: {
    components: { base, pilot, ingressGateways: [ingress], egressGateways: [{ ...egress, enabled: false }] },
  },
  demo: {
    components: {
      base,
      pilot: { enabled: true, k8s: { resources: { requests: { cpu: "10m", memory: "100Mi" } } } },
      ingressGateways: [{ ...ingress, k8s: { resources: DEMO_RESOURCES } }],
      egressGateways: [{ ...egress, k8s: { resources: DEMO_RESOURCES } }],
    },
    meshConfig: { accessLogFile: "/dev/stdout" },
    values: {
      global: { proxy: { resources: DEMO_RESOURCES } },
      pilot: { autoscaleEnabled: false, traceSampling: 100 },
    },
  },
  minimal: { components: { base, pilot } },
  empty: { components: {} },
} as const satisfies Record<string, IstioOperatorSpec>;

export type ProfileName = keyof typeof PROFILES;

export function isProfile(name: string): name is ProfileName {
  return Object.hasOwn(PROFILES, name);
}
