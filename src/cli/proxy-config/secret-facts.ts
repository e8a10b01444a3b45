import { X509Certificate } from "node:crypto";
import { splitPem } from "#pki/trust-bundle";
import type { ProxyConfigFlags } from "../commands/proxy-config-flags.ts";
import { type ConfigDump, child, type Json, listOf, textOf } from "../envoy-config-dump.ts";
import type { Facts } from "../output/print-facts.ts";

const HEAD = [
  "RESOURCE NAME",
  "TYPE",
  "STATUS",
  "VALID CERT",
  "SERIAL NUMBER",
  "NOT AFTER",
  "NOT BEFORE",
  "TRUST DOMAIN",
];

/** Certificates and roots; Envoy itself replaces private keys in its dump, and they are left out here once more. */
export function secretFacts(dump: ConfigDump, _flags: ProxyConfigFlags): Facts {
  const section = dump.section("SecretsConfigDump");
  const states = [
    ["ACTIVE", "dynamic_active_secrets"],
    ["ACTIVE", "static_secrets"],
    ["WARMING", "dynamic_warming_secrets"],
  ] as const;
  const found = states.flatMap(([status, field]) =>
    listOf(section?.[field]).flatMap((entry) => factsOf(entry, status)),
  );
  return { head: HEAD, rows: found.map((fact) => fact.row), data: found.map((fact) => fact.data) };
}

function factsOf(entry: Json, status: string): { row: string[]; data: unknown }[] {
  const name = textOf(entry["name"]);
  const secret = child(entry, "secret");
  const chain = pemOf(child(secret, "tls_certificate", "certificate_chain"));
  const roots = pemOf(child(secret, "validation_context", "trusted_ca"));
  const leaf = splitPem(chain)
    .slice(0, 1)
    .map((pem) => ({ type: "Cert Chain", pem }));
  const anchors = splitPem(roots).map((pem) => ({ type: "CA", pem }));
  const all = [...leaf, ...anchors];
  if (all.length === 0)
    return [{ row: [name, "", "WARMING", "false", "", "", "", ""], data: { name, status: "WARMING" } }];
  return all.map(({ type, pem }) => describe(name, type, status, new X509Certificate(pem)));
}

function describe(
  name: string,
  type: string,
  status: string,
  certificate: X509Certificate,
): { row: string[]; data: unknown } {
  const notAfter = new Date(certificate.validTo);
  const notBefore = new Date(certificate.validFrom);
  const now = Date.now();
  const valid = notBefore.getTime() <= now && now < notAfter.getTime();
  const trustDomain = /URI:spiffe:\/\/([^/,]+)/.exec(certificate.subjectAltName ?? "")?.[1] ?? "";
  const serial = certificate.serialNumber.toLowerCase();
  const times = [rfc3339(notAfter), rfc3339(notBefore)] as const;
  const data = {
    name,
    type,
    status,
    valid,
    serialNumber: serial,
    notAfter: times[0],
    notBefore: times[1],
    trustDomain,
    subjectAltName: certificate.subjectAltName,
    certificate: certificate.toString(),
  };
  return { row: [name, type, status, String(valid), serial, ...times, trustDomain], data };
}

/** Without milliseconds: certificates do not know them. */
function rfc3339(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}

/** Envoy gives inline bytes in base64, inline strings as they are. */
function pemOf(source: Json | undefined): string {
  const inline = source?.["inline_string"];
  if (inline !== undefined) return textOf(inline);
  return Buffer.from(textOf(source?.["inline_bytes"]), "base64").toString("utf8");
}
