import { describe, expect, it } from "vitest";
import type { KubernetesProcessConfig } from "../process-config.ts";
import { apiServerFlags, controllerManagerFlags, etcdFlags, schedulerFlags } from "./control-plane-flags.ts";

const config: KubernetesProcessConfig = {
  clusterName: "a",
  listen: { address: "172.30.0.11", port: 6443 },
  podCIDR: "10.244.0.0/16",
  serviceCIDR: "10.96.0.0/16",
  loadBalancerRange: { first: "172.30.0.64", last: "172.30.0.94" },
  pki: {
    caCert: "/pki/ca.crt",
    serverCert: "/pki/server.crt",
    serverKey: "/pki/server.key",
    clientCaCert: "/pki/client-ca.crt",
    kubeletClientCert: "/pki/kubelet-client.crt",
    kubeletClientKey: "/pki/kubelet-client.key",
    serviceAccountKey: "/pki/service-account.key",
  },
  dataDir: "/data",
  kubeconfig: "/controllers.kubeconfig",
  kubernetes: {
    programs: { etcd: "/b/etcd", apiServer: "/b/a", controllerManager: "/b/c", scheduler: "/b/s" },
    logsDir: "/logs",
    caKey: "/pki/ca.key",
    clientCaKey: "/pki/client-ca.key",
    frontProxy: { caCert: "/pki/fp-ca.crt", clientCert: "/pki/fp.crt", clientKey: "/pki/fp.key" },
    schedulerKubeconfig: "/scheduler.kubeconfig",
  },
  readyFile: "/ready",
  logLevel: "info",
};

describe("the flags of a control plane", () => {
  it("name the ranges of both families, IPv4 first, and how much of each a node gets", () => {
    const range = { first: "fd30::1", last: "fd30::9" };
    const ipv6 = { podCIDR: "fd44::/64", serviceCIDR: "fd96::/112", loadBalancerRange: range };
    expect(apiServerFlags({ ...config, ipv6 })).toContain("--service-cluster-ip-range=10.96.0.0/16,fd96::/112");
    expect(controllerManagerFlags({ ...config, ipv6 })).toEqual(
      expect.arrayContaining([
        "--cluster-cidr=10.244.0.0/16,fd44::/64",
        "--node-cidr-mask-size-ipv4=16",
        "--node-cidr-mask-size-ipv6=64",
        "--service-cluster-ip-range=10.96.0.0/16,fd96::/112",
      ]),
    );
    expect(controllerManagerFlags(config)).toContain("--node-cidr-mask-size=16");
  });

  it("keep etcd on loopback: whoever reaches it holds all secrets", () => {
    const urls = etcdFlags(config).filter((flag) => flag.includes("://"));
    expect(urls).toHaveLength(5);
    for (const url of urls) expect(url).toContain("http://127.0.0.1:");
    expect(apiServerFlags(config)).toContain("--etcd-servers=http://127.0.0.1:2379");
  });

  it("hold clients to the client CA, nodes to the server CA, and nodes to their own objects", () => {
    expect(apiServerFlags(config)).toEqual(
      expect.arrayContaining([
        "--client-ca-file=/pki/client-ca.crt",
        "--kubelet-certificate-authority=/pki/ca.crt",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--bind-address=172.30.0.11",
      ]),
    );
  });

  it("sign what clients show with the client CA and what servers show with the server's", () => {
    const flags = controllerManagerFlags(config);
    for (const signer of ["kube-apiserver-client", "kubelet-client"])
      expect(flags).toContain(`--cluster-signing-${signer}-key-file=/pki/client-ca.key`);
    for (const signer of ["kubelet-serving", "legacy-unknown"])
      expect(flags).toContain(`--cluster-signing-${signer}-key-file=/pki/ca.key`);
  });

  it("give the one node the whole range of pod addresses", () => {
    expect(controllerManagerFlags(config)).toEqual(
      expect.arrayContaining(["--cluster-cidr=10.244.0.0/16", "--node-cidr-mask-size=16"]),
    );
  });

  it("let the scheduler be nobody but itself", () => {
    expect(schedulerFlags(config)).toContain("--kubeconfig=/scheduler.kubeconfig");
  });
});
