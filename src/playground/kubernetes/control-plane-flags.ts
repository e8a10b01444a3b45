// The command lines of a control plane: pure. What each flag is for stands where it is not plain.
import { parseCidr } from "#base/ipv4-range";
import { parseIpv6Cidr } from "#base/ipv6-range";
import type { KubernetesProcessConfig } from "../process-config.ts";

const ETCD_CLIENT_URL = "http://127.0.0.1:2379";
const ETCD_PEER_URL = "http://127.0.0.1:2380";
/** The embedded engine's too: a token means the same on both. */
const ISSUER = "https://kubernetes.default.svc.cluster.local";

/** Answers 200 when etcd serves. */
export const ETCD_HEALTH_URL = `${ETCD_CLIENT_URL}/health`;

export function etcdFlags({ dataDir }: KubernetesProcessConfig): readonly string[] {
  return [
    "--name=default",
    `--data-dir=${dataDir}`,
    `--listen-client-urls=${ETCD_CLIENT_URL}`,
    `--advertise-client-urls=${ETCD_CLIENT_URL}`,
    `--listen-peer-urls=${ETCD_PEER_URL}`,
    `--initial-advertise-peer-urls=${ETCD_PEER_URL}`,
    `--initial-cluster=default=${ETCD_PEER_URL}`,
    // Only a crash of the whole machine could tell the difference, and no playground outlives that.
    "--unsafe-no-fsync",
    "--log-level=warn",
  ];
}

/** Both families as a release takes them: the ranges of IPv4 first, a comma between. */
function ranges(config: KubernetesProcessConfig, which: "podCIDR" | "serviceCIDR"): string {
  return [config[which], ...(config.ipv6 ? [config.ipv6[which]] : [])].join(",");
}

function maskSizes({ podCIDR, ipv6 }: KubernetesProcessConfig): readonly string[] {
  const four = parseCidr(podCIDR)?.prefix ?? 24;
  if (ipv6 === undefined) return [`--node-cidr-mask-size=${four}`];
  const six = parseIpv6Cidr(ipv6.podCIDR)?.prefix ?? 64;
  return [`--node-cidr-mask-size-ipv4=${four}`, `--node-cidr-mask-size-ipv6=${six}`];
}

export function apiServerFlags(config: KubernetesProcessConfig): readonly string[] {
  const { listen, pki, kubernetes } = config;
  const { frontProxy } = kubernetes;
  return [
    `--etcd-servers=${ETCD_CLIENT_URL}`,
    `--bind-address=${listen.address}`,
    `--advertise-address=${listen.address}`,
    `--secure-port=${listen.port}`,
    `--service-cluster-ip-range=${ranges(config, "serviceCIDR")}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    `--client-ca-file=${pki.clientCaCert}`,
    `--tls-cert-file=${pki.serverCert}`,
    `--tls-private-key-file=${pki.serverKey}`,
    `--kubelet-client-certificate=${pki.kubeletClientCert}`,
    `--kubelet-client-key=${pki.kubeletClientKey}`,
    `--kubelet-certificate-authority=${pki.caCert}`,
    // A node's name means nothing to the resolver of this machine.
    "--kubelet-preferred-address-types=InternalIP,Hostname",
    `--service-account-issuer=${ISSUER}`,
    `--service-account-key-file=${pki.serviceAccountKey}`,
    `--service-account-signing-key-file=${pki.serviceAccountKey}`,
    `--requestheader-client-ca-file=${frontProxy.caCert}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    `--proxy-client-cert-file=${frontProxy.clientCert}`,
    `--proxy-client-key-file=${frontProxy.clientKey}`,
    "--profiling=false",
  ];
}

export function controllerManagerFlags(config: KubernetesProcessConfig): readonly string[] {
  const { pki, kubernetes } = config;
  return [
    ...clientFlags(config.kubeconfig),
    `--service-account-private-key-file=${pki.serviceAccountKey}`,
    `--root-ca-file=${pki.caCert}`,
    ...signingFlags("kube-apiserver-client", pki.clientCaCert, kubernetes.clientCaKey),
    ...signingFlags("kubelet-client", pki.clientCaCert, kubernetes.clientCaKey),
    ...signingFlags("kubelet-serving", pki.caCert, kubernetes.caKey),
    ...signingFlags("legacy-unknown", pki.caCert, kubernetes.caKey),
    // Right only because the kubeconfig is of system:masters: one identity for all controllers spares a few seconds of
    // making an account and a token for each.
    "--use-service-account-credentials=false",
    // One node has the whole range of its cluster: it says so itself, or is given it.
    "--allocate-node-cidrs=true",
    `--cluster-cidr=${ranges(config, "podCIDR")}`,
    ...maskSizes(config),
    `--service-cluster-ip-range=${ranges(config, "serviceCIDR")}`,
    "--profiling=false",
  ];
}

export function schedulerFlags({ kubernetes }: KubernetesProcessConfig): readonly string[] {
  return [...clientFlags(kubernetes.schedulerKubeconfig), "--profiling=false"];
}

/** One process of a kind: no election, and nobody asks for its own port. */
function clientFlags(kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--leader-elect=false",
    "--secure-port=0",
  ];
}

function signingFlags(signer: string, cert: string, key: string): readonly string[] {
  return [`--cluster-signing-${signer}-cert-file=${cert}`, `--cluster-signing-${signer}-key-file=${key}`];
}
