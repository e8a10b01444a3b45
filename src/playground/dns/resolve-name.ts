// Kubernetes' DNS names (the specification for DNS-based service discovery, version 1.1.0), as a pure function.

import { isIP, isIPv6 } from "node:net";
import type { Answer, SrvAnswer, StringAnswer } from "dns-packet";
import type { EndpointPort, Service, ServicePort } from "#api/kubernetes/gen/types";
import { clusterAddresses, type DnsView, type HeadlessEndpoint, isHeadless } from "./dns-view.ts";

export interface Resolution {
  readonly rcode: "NOERROR" | "NXDOMAIN";
  readonly answers: readonly Answer[];
  /** Addresses of the targets among the answers. */
  readonly additionals: readonly Answer[];
  /** Set when there is no answer: the zone whose start of authority lets the asker remember that. */
  readonly negativeZone: string | undefined;
}

/** Seconds. Short: endpoints of headless Services come and go. */
export const TTL = 5;
const MAX_ALIASES = 8;
const REVERSE_ZONES = ["in-addr.arpa", "ip6.arpa"] as const;

/** What one name stands for: record sets by type; undefined where nothing has that name. */
interface NameRecords {
  /** Of both families. */
  readonly addresses?: readonly string[];
  readonly CNAME?: string;
  readonly SRV?: readonly SrvTarget[];
  readonly PTR?: readonly string[];
}

interface SrvTarget {
  readonly target: string;
  readonly port: number;
  readonly address: string;
}

/**
 * Answers one question. Names outside `domain` do not exist here, at once: there is no upstream to ask.
 * @param name as asked, in any case; the answer repeats it so
 */
export function resolveName(view: DnsView, domain: string, question: { name: string; type: string }): Resolution {
  const answers: Answer[] = [];
  const additionals: Answer[] = [];
  let name = question.name;
  for (let alias = 0; alias < MAX_ALIASES; alias++) {
    const records = recordsOf(view, domain, name.toLowerCase());
    if (records === undefined) return finish("NXDOMAIN", answers, additionals, zoneOf(domain, name));
    if (records.CNAME === undefined || question.type === "CNAME") {
      addRecords({ name, type: question.type, records }, answers, additionals);
      return finish("NOERROR", answers, additionals, zoneOf(domain, name));
    }
    answers.push(stringAnswer("CNAME", name, records.CNAME));
    name = records.CNAME;
    // A name out there is the asker's to follow: what we would say of it is only that we do not know it.
    if (!isWithin(domain, name)) return finish("NOERROR", answers, additionals, undefined);
  }
  return finish("NOERROR", answers, additionals, undefined);
}

function finish(
  rcode: Resolution["rcode"],
  answers: readonly Answer[],
  ...[additionals, zone]: [readonly Answer[], string | undefined]
): Resolution {
  const negative = rcode === "NXDOMAIN" || answers.length === 0;
  return { rcode, answers, additionals, negativeZone: negative ? zone : undefined };
}

function addRecords(
  { name, type, records }: { name: string; type: string; records: NameRecords },
  answers: Answer[],
  additionals: Answer[],
): void {
  const wants = (candidate: string) => type === candidate || type === "ANY";
  for (const address of records.addresses ?? []) {
    if (wants(addressType(address))) answers.push(stringAnswer(addressType(address), name, address));
  }
  if (wants("PTR")) answers.push(...(records.PTR ?? []).map((target) => stringAnswer("PTR", name, target)));
  if (type === "CNAME" && records.CNAME !== undefined) answers.push(stringAnswer("CNAME", name, records.CNAME));
  if (!wants("SRV")) return;
  const told = new Set<string>();
  for (const { target, port, address } of records.SRV ?? []) {
    // Of a target with two addresses one record; both addresses stand beside it.
    if (!told.has(`${target}:${port}`)) answers.push(srvAnswer(name, { target, port }));
    told.add(`${target}:${port}`);
    if (!additionals.some((known) => known.name === target && "data" in known && known.data === address)) {
      additionals.push(stringAnswer(addressType(address), target, address));
    }
  }
}

function addressType(address: string): "A" | "AAAA" {
  return isIPv6(address) ? "AAAA" : "A";
}

function stringAnswer(type: "A" | "AAAA" | "CNAME" | "PTR", name: string, data: string): StringAnswer {
  return { type, name, class: "IN", ttl: TTL, data };
}

function srvAnswer(name: string, data: { target: string; port: number }): SrvAnswer {
  return { type: "SRV", name, class: "IN", ttl: TTL, data: { ...data, priority: 0, weight: 100 } };
}

function isWithin(domain: string, name: string): boolean {
  const lower = name.toLowerCase();
  return lower === domain || lower.endsWith(`.${domain}`);
}

function zoneOf(domain: string, name: string): string {
  if (isWithin(domain, name)) return domain;
  return REVERSE_ZONES.find((zone) => name.toLowerCase().endsWith(`.${zone}`)) ?? "";
}

function recordsOf(view: DnsView, domain: string, name: string): NameRecords | undefined {
  if (name === domain) return {};
  if (REVERSE_ZONES.some((zone) => name.endsWith(`.${zone}`))) return reverseRecords(view, domain, name);
  if (!name.endsWith(`.${domain}`)) return undefined;
  const labels = name.slice(0, -domain.length - 1).split(".");
  const root = labels.pop() ?? "";
  const namespace = labels.pop();
  if (root === "svc") return serviceNames(view, domain, { namespace, labels });
  if (root === "pod") return podRecords(view, namespace, labels);
  return undefined;
}

/** `4.3.2.1.in-addr.arpa` is 1.2.3.4; of IPv6 every hexadecimal digit is a label. */
function reversedAddress(name: string): string {
  const labels = name.split(".").slice(0, -2).reverse();
  if (name.endsWith(".in-addr.arpa")) return labels.join(".");
  return (labels.join("").match(/.{4}/g) ?? []).join(":");
}

function reverseRecords(view: DnsView, domain: string, name: string): NameRecords | undefined {
  const address = reversedAddress(name);
  const names = view.namesOf(address);
  return names.length === 0 ? undefined : { PTR: names.map((known) => `${known}.${domain}`) };
}

/** `10-244-0-7.ns.pod` is the address that it spells. */
function podRecords(view: DnsView, namespace: string | undefined, labels: readonly string[]): NameRecords | undefined {
  if (namespace === undefined) return {};
  if (!view.hasNamespace(namespace)) return undefined;
  if (labels.length === 0) return {};
  const [label = ""] = labels;
  const address = [label.replaceAll("-", "."), label.replaceAll("-", ":")].find((text) => isIP(text) !== 0);
  return labels.length === 1 && address !== undefined ? { addresses: [address] } : undefined;
}

function serviceNames(
  view: DnsView,
  domain: string,
  { namespace, labels }: { namespace: string | undefined; labels: readonly string[] },
): NameRecords | undefined {
  // `svc` and `ns.svc` have no records of their own, but names below them exist.
  if (namespace === undefined) return {};
  if (!view.hasNamespace(namespace)) return undefined;
  const name = labels.at(-1);
  if (name === undefined) return {};
  const service = view.service(namespace, name);
  if (service === undefined) return undefined;
  const fqdn = `${name}.${namespace}.svc.${domain}`;
  return serviceRecords(view, { service, fqdn }, labels.slice(0, -1));
}

interface NamedService {
  readonly service: Service;
  readonly fqdn: string;
}

function serviceRecords(view: DnsView, named: NamedService, prefix: readonly string[]): NameRecords | undefined {
  const { service } = named;
  const { type, externalName = "" } = service.spec ?? {};
  if (type === "ExternalName") return prefix.length === 0 ? { CNAME: externalName.replace(/\.$/, "") } : undefined;
  const headless = isHeadless(service) ? view.endpoints(service) : undefined;
  if (prefix.length === 0) {
    const addresses = headless?.map(({ address }) => address) ?? clusterAddresses(service);
    // A headless Service without endpoints has no name, so that the asker tries again instead of believing "no address".
    if (headless !== undefined && addresses.length === 0) return undefined;
    return { addresses, SRV: srvOfAll(named, headless) };
  }
  if (prefix.length === 1) {
    const own = headless?.filter(({ hostname }) => hostname === prefix[0]) ?? [];
    if (own.length > 0) return { addresses: own.map(({ address }) => address) };
    return isProtocol(service, prefix[0]) ? {} : undefined;
  }
  return prefix.length === 2 ? srvRecords(named, headless, prefix) : undefined;
}

function isProtocol({ spec }: Service, label = ""): boolean {
  return (spec?.ports ?? []).some(({ protocol = "TCP" }) => label === `_${protocol.toLowerCase()}`);
}

/** `_http._tcp.web...`: the named port, at the Service's address or at every endpoint of a headless one. */
function srvRecords(
  named: NamedService,
  headless: readonly HeadlessEndpoint[] | undefined,
  [portLabel = "", protocolLabel = ""]: readonly string[],
): NameRecords | undefined {
  const wanted = (port: { name?: string; protocol?: string }) =>
    `_${port.name ?? ""}`.toLowerCase() === portLabel && `_${(port.protocol ?? "TCP").toLowerCase()}` === protocolLabel;
  const targets =
    headless === undefined
      ? servicePortTargets(named, (named.service.spec?.ports ?? []).filter(wanted))
      : headless.flatMap((endpoint) => endpointTargets(named, endpoint, endpoint.ports.filter(wanted)));
  return targets.length === 0 ? undefined : { SRV: targets };
}

function srvOfAll(named: NamedService, headless: readonly HeadlessEndpoint[] | undefined): SrvTarget[] {
  if (headless === undefined) return servicePortTargets(named, named.service.spec?.ports ?? []);
  return headless.flatMap((endpoint) => endpointTargets(named, endpoint, endpoint.ports));
}

function servicePortTargets({ service, fqdn }: NamedService, ports: readonly ServicePort[]): SrvTarget[] {
  const addresses = clusterAddresses(service);
  return ports.flatMap(({ port }) => addresses.map((address) => ({ target: fqdn, port, address })));
}

function endpointTargets(
  { fqdn }: NamedService,
  { hostname, address }: HeadlessEndpoint,
  ports: readonly EndpointPort[],
): SrvTarget[] {
  return ports.flatMap(({ port }) => (port === undefined ? [] : [{ target: `${hostname}.${fqdn}`, port, address }]));
}
