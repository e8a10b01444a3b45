// The cluster DNS as a user's cluster has it: a Deployment of ordinary pods behind Service kube-dns.
import type { KubeObject } from "#api/kubernetes/object";

export interface ClusterDnsSettings {
  readonly image: string;
  /** Address of the Service. */
  readonly address: string;
  readonly clusterDomain: string;
}

type Manifest = KubeObject & Readonly<Record<string, unknown>>;

const NAME = "kube-dns";
const NAMESPACE = "kube-system";
const LABELS = { "k8s-app": NAME };
const READY_PORT = 8181;
const ROLE = "system:kube-dns";

export function clusterDnsObjects(settings: ClusterDnsSettings): readonly Manifest[] {
  const metadata = { name: NAME, namespace: NAMESPACE, labels: LABELS };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: ROLE },
      rules: [
        { apiGroups: [""], resources: ["services"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: ROLE },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: ROLE },
      subjects: [{ kind: "ServiceAccount", name: NAME, namespace: NAMESPACE }],
    },
    { apiVersion: "v1", kind: "Service", metadata: serviceMetadata(), spec: serviceSpec(settings.address) },
    { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: deploymentSpec(settings) },
  ];
}

function serviceMetadata() {
  const labels = { ...LABELS, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" };
  return { name: NAME, namespace: NAMESPACE, labels };
}

function serviceSpec(clusterIP: string) {
  const port = (name: string, protocol: string) => ({ name, port: 53, protocol, targetPort: 53 });
  return { clusterIP, selector: LABELS, ports: [port("dns", "UDP"), port("dns-tcp", "TCP")] };
}

function deploymentSpec({ image, clusterDomain }: ClusterDnsSettings) {
  return {
    replicas: 1,
    selector: { matchLabels: LABELS },
    template: {
      metadata: { labels: LABELS },
      spec: {
        serviceAccountName: NAME,
        priorityClassName: "system-cluster-critical",
        // It must not ask itself.
        dnsPolicy: "Default",
        // The image's user is not root, the port is a low one.
        securityContext: { sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] },
        containers: [
          {
            name: "dns",
            image,
            imagePullPolicy: "IfNotPresent",
            args: ["--domain", clusterDomain, "--ready-port", String(READY_PORT)],
            ports: [
              { name: "dns", containerPort: 53, protocol: "UDP" },
              { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
            ],
            // Without a request it would have next to no share of a busy processor, and every name would take seconds.
            resources: { requests: { cpu: "100m", memory: "70Mi" } },
            readinessProbe: { httpGet: { path: "/ready", port: READY_PORT }, periodSeconds: 1, failureThreshold: 60 },
          },
        ],
      },
    },
  };
}
