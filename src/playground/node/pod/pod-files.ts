// The three files that the node writes into every container: resolv.conf, hosts, hostname.
import type { Pod } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";

const MOST_HOSTNAME = 63;
const MOST_KERNEL_HOSTNAME = 64;
/** What resolvers of C libraries take. */
const MOST_NAMESERVERS = 3;
const MOST_SEARCHES = 32;

export interface DnsSettings {
  readonly clusterDomain: string;
  readonly dnsAddress: string;
  /** The node's own resolv.conf, for dnsPolicy Default and for host network pods. */
  readonly hostResolvConf: string;
  /** The node's own hosts file, for host network pods. */
  readonly hostHosts: string;
}

/** The first label of the pod's name in its network; a host name may have 63 characters. */
export function hostnameOf(pod: Pod): string {
  const { hostname, hostnameOverride } = pod.spec ?? {};
  const name = hostnameOverride ?? hostname ?? pod.metadata?.name ?? "";
  return name.slice(0, MOST_HOSTNAME).replace(/[-.]+$/, "");
}

/** What the kernel says the pod is called. Throws MeshError BAD_HOSTNAME for a full name that the kernel cannot keep. */
export function kernelHostname(pod: Pod, { clusterDomain }: DnsSettings, hostname: string): string {
  const { setHostnameAsFQDN, hostnameOverride } = pod.spec ?? {};
  const domain = domainOf(pod, clusterDomain);
  if (!setHostnameAsFQDN || hostnameOverride !== undefined || domain === undefined) return hostname;
  const full = `${hostname}.${domain}`;
  if (full.length <= MOST_KERNEL_HOSTNAME) return full;
  const { length } = full;
  const what = `Failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long`;
  throw new MeshError(
    "BAD_HOSTNAME",
    `${what} (${MOST_KERNEL_HOSTNAME} characters is the max, ${length} characters requested)`,
  );
}

/** `subdomain.namespace.svc.DOMAIN` of a pod that has a subdomain. */
function domainOf(pod: Pod, clusterDomain: string): string | undefined {
  const { subdomain, hostnameOverride } = pod.spec ?? {};
  if (!subdomain || hostnameOverride !== undefined) return undefined;
  return `${subdomain}.${pod.metadata?.namespace ?? "default"}.svc.${clusterDomain}`;
}

export function resolvConf(pod: Pod, dns: DnsSettings): string {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  const config = pod.spec?.dnsConfig ?? {};
  const base = baseResolver(policy, pod, dns);
  const nameservers = [...new Set([...base.nameservers, ...(config.nameservers ?? [])])];
  const searches = [...new Set([...base.searches, ...(config.searches ?? [])])];
  const options = new Map(base.options);
  for (const { name, value } of config.options ?? []) if (name) options.set(name, value);
  const words = [...options].map(([name, value]) => (value === undefined ? name : `${name}:${value}`));
  return [
    ...(searches.length ? [`search ${searches.slice(0, MOST_SEARCHES).join(" ")}`] : []),
    ...nameservers.slice(0, MOST_NAMESERVERS).map((address) => `nameserver ${address}`),
    ...(words.length ? [`options ${words.join(" ")}`] : []),
    "",
  ].join("\n");
}

interface Resolver {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly (readonly [string, string | undefined])[];
}

function baseResolver(policy: string, pod: Pod, dns: DnsSettings): Resolver {
  if (policy === "None") return { nameservers: [], searches: [], options: [] };
  const clusterFirst = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !pod.spec?.hostNetwork);
  if (!clusterFirst) return parseResolvConf(dns.hostResolvConf);
  const { clusterDomain } = dns;
  const namespace = pod.metadata?.namespace ?? "default";
  return {
    nameservers: [dns.dnsAddress],
    searches: [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain],
    options: [["ndots", "5"]],
  };
}

function parseResolvConf(text: string): Resolver {
  const rows = text.split("\n").map((line) => line.trim().split(/\s+/));
  const of = (keyword: string) => rows.filter(([first]) => first === keyword).map(([, ...rest]) => rest);
  const options = of("options").flatMap((words) =>
    words.map((word): [string, string | undefined] => {
      const [name = "", value] = word.split(":");
      return [name, value];
    }),
  );
  return {
    nameservers: of("nameserver").flatMap(([address = ""]) => [address]),
    searches: of("search").at(-1) ?? [],
    options,
  };
}

export function hostsFile(pod: Pod, podIPs: readonly string[], dns: DnsSettings): string {
  const { hostAliases = [], hostNetwork } = pod.spec ?? {};
  return [
    ...(hostNetwork ? nodeHosts(dns) : podHosts(pod, podIPs, dns)),
    ...(hostAliases.length > 0 ? ["", "# Entries added by HostAliases."] : []),
    ...hostAliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}`),
    "",
  ].join("\n");
}

function nodeHosts({ hostHosts }: DnsSettings): string[] {
  return ["# Kubernetes-managed hosts file (host network).", ...hostHosts.replace(/\n$/, "").split("\n")];
}

function podHosts(pod: Pod, podIPs: readonly string[], { clusterDomain }: DnsSettings): string[] {
  const hostname = hostnameOf(pod);
  const domain = domainOf(pod, clusterDomain);
  const names = domain === undefined ? hostname : `${hostname}.${domain}\t${hostname}`;
  return [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    ...podIPs.map((address) => `${address}\t${names}`),
  ];
}
