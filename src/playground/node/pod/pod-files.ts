// The three files that the node writes into every container: resolv.conf, hosts, hostname.
import type { Pod } from "#api/kubernetes/gen/types";

export interface DnsSettings {
  readonly clusterDomain: string;
  readonly dnsAddress: string;
  /** The node's own resolv.conf, for dnsPolicy Default and for host network pods. */
  readonly hostResolvConf: string;
}

export function hostnameOf(pod: Pod): string {
  return (pod.spec?.hostname ?? pod.metadata?.name ?? "").slice(0, 63);
}

export function resolvConf(pod: Pod, dns: DnsSettings): string {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  const config = pod.spec?.dnsConfig ?? {};
  const base = baseResolver(policy, pod, dns);
  if (typeof base === "string") return base;
  const nameservers = [...new Set([...base.nameservers, ...(config.nameservers ?? [])])];
  const searches = [...new Set([...base.searches, ...(config.searches ?? [])])];
  const options = new Map(base.options);
  for (const { name, value } of config.options ?? []) if (name) options.set(name, value);
  const words = [...options].map(([name, value]) => (value === undefined ? name : `${name}:${value}`));
  return [
    ...(searches.length ? [`search ${searches.join(" ")}`] : []),
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(words.length ? [`options ${words.join(" ")}`] : []),
    "",
  ].join("\n");
}

interface Resolver {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly (readonly [string, string | undefined])[];
}

function baseResolver(policy: string, pod: Pod, dns: DnsSettings): Resolver | string {
  if (policy === "None") return { nameservers: [], searches: [], options: [] };
  const clusterFirst = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !pod.spec?.hostNetwork);
  if (!clusterFirst) return dns.hostResolvConf;
  const { clusterDomain } = dns;
  const namespace = pod.metadata?.namespace ?? "default";
  return {
    nameservers: [dns.dnsAddress],
    searches: [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain],
    options: [["ndots", "5"]],
  };
}

export function hostsFile(pod: Pod, podIP: string, clusterDomain: string): string {
  const hostname = hostnameOf(pod);
  const { subdomain, hostAliases = [] } = pod.spec ?? {};
  const full = subdomain
    ? `${hostname}.${subdomain}.${pod.metadata?.namespace ?? "default"}.svc.${clusterDomain}\t`
    : "";
  return [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    `${podIP}\t${full}${hostname}`,
    ...hostAliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}`),
    "",
  ].join("\n");
}
