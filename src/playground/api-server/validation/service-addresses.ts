// clusterIPs and IP families of Services.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, stringAt } from "../json.ts";
import { checkIp, isIpv6 } from "./addresses.ts";
import { duplicate, invalid, notSupported, required } from "./field-errors.ts";

const IPS = "spec.clusterIPs";
const FAMILIES = "spec.ipFamilies";
const SUPPORTED_FAMILIES = ["IPv4", "IPv6"];
const POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];

const ipsOf = (spec: JsonObject) => arrayAt(spec, "clusterIPs").map(String);
const familiesOf = (spec: JsonObject) => arrayAt(spec, "ipFamilies").map(String);
export const isHeadless = (spec: JsonObject) => ipsOf(spec).length === 1 && ipsOf(spec)[0] === "None";

export function checkClusterIps(spec: JsonObject, before: JsonObject): FieldError[] {
  if (stringAt(spec, "type") === "ExternalName") return [];
  const [ips, families] = [ipsOf(spec), familiesOf(spec)];
  const errors = [...checkFirst(stringAt(spec, "clusterIP"), ips), ...checkFamilies(spec, families)];
  const faults = ips.flatMap((ip, index): FieldError[] => {
    if (index > 0 || ip !== "None") return checkIp(`${IPS}[${index}]`, ip, ipsOf(before));
    return ips.length > 1 ? [invalid(IPS, ips, "'None' must be the first and only value")] : [];
  });
  errors.push(...faults);
  if (ips.length > 2) errors.push(invalid(IPS, ips, "may only hold up to 2 values"));
  if (faults.length > 0) return errors;
  if (ips.length > 1 && new Set(ips.map(isIpv6)).size < 2)
    errors.push(invalid(IPS, ips, "may specify no more than one IP for each IP family"));
  return isHeadless(spec) ? errors : [...errors, ...checkFamilyOfIps(ips, families)];
}

function checkFirst(clusterIp: string, ips: readonly string[]): FieldError[] {
  if (clusterIp === "")
    return ips.length === 0 ? [] : [invalid(IPS, ips, "must be empty when `clusterIP` is not specified")];
  if (ips.length === 0) return [required(IPS)];
  return ips[0] === clusterIp ? [] : [invalid(IPS, ips, "first value must match `clusterIP`")];
}

function checkFamilies(spec: JsonObject, families: readonly string[]): FieldError[] {
  const policy = spec["ipFamilyPolicy"];
  const errors = families.flatMap((family, index) => [
    ...(SUPPORTED_FAMILIES.includes(family) ? [] : [notSupported(`${FAMILIES}[${index}]`, family, SUPPORTED_FAMILIES)]),
    ...(families.indexOf(family) < index ? [duplicate(`${FAMILIES}[${index}]`, family)] : []),
  ]);
  if (policy === undefined || POLICIES.includes(String(policy))) return errors;
  return [...errors, notSupported("spec.ipFamilyPolicy", policy, POLICIES)];
}

function checkFamilyOfIps(ips: readonly string[], families: readonly string[]): FieldError[] {
  return ips.flatMap((ip, index): FieldError[] => {
    const family = families[index];
    if (family === undefined || !SUPPORTED_FAMILIES.includes(family) || isIpv6(ip) === (family === "IPv6")) return [];
    return [invalid(`${IPS}[${index}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``)];
  });
}

const CHANGED = "may not change once set";

/** What an update may do to addresses and families: nothing to the first, add or release the second. */
export function checkClusterIpsUpdate(spec: JsonObject, before: JsonObject): FieldError[] {
  if (stringAt(spec, "type") === "ExternalName" || stringAt(before, "type") === "ExternalName") return [];
  if (isHeadless(spec) && isHeadless(before)) return [];
  const errors = checkChange(spec, { now: ipsOf(spec), before: ipsOf(before), field: IPS, what: "clusterIP" });
  if (isHeadless(spec) !== isHeadless(before)) return errors;
  const families = { now: familiesOf(spec), before: familiesOf(before), field: FAMILIES, what: "ipFamily" };
  return [...errors, ...checkChange(spec, families)];
}

interface Change {
  readonly now: readonly string[];
  readonly before: readonly string[];
  readonly field: string;
  readonly what: string;
}

function checkChange(spec: JsonObject, { now, before, field, what }: Change): FieldError[] {
  const errors: FieldError[] = [];
  if (now.length === before.length) {
    for (const [index, value] of before.entries()) {
      const at = what === "clusterIP" ? index : 0;
      if (value !== now[index]) errors.push(invalid(`${field}[${at}]`, now, CHANGED));
    }
    return errors;
  }
  if (now.length === 0) errors.push(invalid(`${field}[0]`, null, `primary ${what} can not be unset`));
  if (now.length > 0 && before.length > 0 && now[0] !== before[0]) errors.push(invalid(`${field}[0]`, now, CHANGED));
  if (before.length > now.length && now.length === 1 && spec["ipFamilyPolicy"] !== "SingleStack") {
    const why = `must be set to 'SingleStack' when releasing the secondary ${what}`;
    errors.push(invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], why));
  }
  return errors;
}
