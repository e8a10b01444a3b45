// ipFamilyPolicy, ipFamilies and clusterIPs of a Service: what one of them says of the others, before addresses are given.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, stringAt } from "../json.ts";
import { isIpv6 } from "../validation/addresses.ts";
import { invalid } from "../validation/field-errors.ts";
import { checkClusterIps } from "../validation/service-addresses.ts";
import type { IpFamily } from "./service-ip-range.ts";

const POLICY = "spec.ipFamilyPolicy";
const SINGLE = "SingleStack";
const REQUIRED = "RequireDualStack";
const PREFERRED = "PreferDualStack";

export const ipsOf = (spec: JsonObject) => arrayAt(spec, "clusterIPs").map(String);
export const familiesOf = (spec: JsonObject) => arrayAt(spec, "ipFamilies").map(String);
const policyOf = (spec: JsonObject) => stringAt(spec, "ipFamilyPolicy");
const otherFamily = (family: string | undefined): IpFamily => (family === "IPv4" ? "IPv6" : "IPv4");
const same = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((one, i) => one === b[i]);

/** Puts clusterIP and clusterIPs in step where a client speaks of one of them only. */
export function normalizeClusterIps(spec: JsonObject, before: JsonObject | undefined): void {
  const [ip, ips] = [stringAt(spec, "clusterIP"), ipsOf(spec)];
  if (before === undefined) {
    if (ip !== "" && ips.length === 0) spec["clusterIPs"] = [ip];
    return;
  }
  const [oldIp, oldIps] = [stringAt(before, "clusterIP"), ipsOf(before)];
  if (oldIps.length > 0 && ips.length === 0 && oldIp === ip) spec["clusterIPs"] = oldIps;
  if (oldIp === ip || !same(oldIps, ipsOf(spec))) return;
  if (oldIp !== "" && ip === "") delete spec["clusterIPs"];
  else spec["clusterIPs"] = [ip];
}

/** A Service that would rather have both families, and of which nothing that bears on that is changed, stays as it is. */
export function keepsPreference(spec: JsonObject, before: JsonObject | undefined): boolean {
  if (before === undefined || policyOf(spec) !== PREFERRED) return false;
  if (stringAt(before, "type") !== stringAt(spec, "type")) return false;
  if (policyOf(before) !== "" && policyOf(before) !== PREFERRED) return false;
  return same(ipsOf(before), ipsOf(spec)) && same(familiesOf(before), familiesOf(spec));
}

/** Completes policy and families in place; `families` are the cluster's, its first one first. Answers why it cannot. */
export function completeFamilies(
  spec: JsonObject,
  before: JsonObject | undefined,
  families: readonly IpFamily[],
): FieldError[] {
  if (stringAt(spec, "type") === "ExternalName" || keepsPreference(spec, before)) return [];
  const bare = stringAt(spec, "clusterIP") === "None" && Object.keys(selectorOf(spec)).length === 0;
  if (policyOf(spec) === "") spec["ipFamilyPolicy"] = policyOf(before ?? {}) || (bare ? REQUIRED : SINGLE);
  const malformed = checkClusterIps(spec, before ?? {});
  if (malformed.length > 0) return malformed;
  const errors = before === undefined ? [] : reduce(spec, before);
  errors.push(...checkSingle(spec), ...inferFamilies(spec, families));
  if (errors.length > 0) return errors;
  // Of a bare one its maker's endpoints decide: every family may be named.
  const refusals = bare ? [] : checkOffered(spec, families);
  if (refusals.length === 0) addFamilies(spec, families, bare || families.length === 2);
  return refusals;
}

/** The first family of the cluster, and the other one too where the policy asks for it and it may be had. */
function addFamilies(spec: JsonObject, families: readonly IpFamily[], mayBeTwo: boolean): void {
  const [first = families[0] ?? "IPv4", second] = familiesOf(spec);
  if (second !== undefined) return;
  spec["ipFamilies"] = mayBeTwo && policyOf(spec) !== SINGLE ? [first, otherFamily(first)] : [first];
}

const selectorOf = (spec: JsonObject): object => {
  const selector = spec["selector"];
  return typeof selector === "object" && selector !== null ? selector : {};
};

/** On update: SingleStack alone is enough to give the second address up; any other policy forbids it. */
function reduce(spec: JsonObject, before: JsonObject): FieldError[] {
  const [ips, families] = [ipsOf(spec), familiesOf(spec)];
  if (policyOf(spec) === SINGLE) {
    if (same(ips, ipsOf(before)) && ips.length > 1) spec["clusterIPs"] = ips.slice(0, 1);
    if (same(families, familiesOf(before)) && families.length > 1) spec["ipFamilies"] = families.slice(0, 1);
    return [];
  }
  const reduced = (now: readonly string[], old: readonly string[]) => now.length > 0 && now.length < old.length;
  const refuse = (what: string) =>
    invalid(POLICY, policyOf(spec), `must be 'SingleStack' to release the secondary ${what}`);
  return [
    ...(reduced(ips, ipsOf(before)) ? [refuse("cluster IP")] : []),
    ...(reduced(families, familiesOf(before)) ? [refuse("IP family")] : []),
  ];
}

function checkSingle(spec: JsonObject): FieldError[] {
  if (policyOf(spec) !== SINGLE) return [];
  const refuse = (what: string) =>
    invalid(POLICY, SINGLE, `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`);
  return [
    ...(ipsOf(spec).length === 2 ? [refuse("cluster IPs")] : []),
    ...(familiesOf(spec).length === 2 ? [refuse("IP families")] : []),
  ];
}

/** An address that is asked for names its family. */
function inferFamilies(spec: JsonObject, cluster: readonly IpFamily[]): FieldError[] {
  const [ips, families] = [ipsOf(spec), familiesOf(spec)];
  const errors: FieldError[] = [];
  for (const [index, ip] of ips.entries()) {
    if (ip === "None") break;
    const family: IpFamily = isIpv6(ip) ? "IPv6" : "IPv4";
    if (index < families.length) continue;
    if (cluster.includes(family)) families.push(family);
    else errors.push(invalid(`spec.clusterIPs[${index}]`, ips, `${family} is not configured on this cluster`));
  }
  if (families.length > 0) spec["ipFamilies"] = families;
  return errors;
}

function checkOffered(spec: JsonObject, cluster: readonly IpFamily[]): FieldError[] {
  const single = policyOf(spec) === REQUIRED && cluster.length < 2;
  return [
    ...(single ? [invalid(POLICY, REQUIRED, "this cluster is not configured for dual-stack services")] : []),
    ...familiesOf(spec).flatMap((family, index) =>
      cluster.some((known) => known === family)
        ? []
        : [invalid(`spec.ipFamilies[${index}]`, family, "not configured on this cluster")],
    ),
  ];
}
