// CertificateSigningRequests: what is asked, by whom it shall be signed, and what may become of the answer.
import { X509Certificate } from "node:crypto";
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, objectsAt, stringAt } from "../json.ts";
import { duplicate, forbidden, invalid, notSupported, required, tooLong } from "./field-errors.ts";
import { bytes, dnsLabel, dnsSubdomain, type Format } from "./formats.ts";

const USAGES = [
  ...["signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment"],
  ...["cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth", "client auth", "code signing"],
  ...["email protection", "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing"],
  ...["microsoft sgc", "netscape sgc"],
].sort();

export function checkSigningRequest(request: JsonObject): FieldError[] {
  const asked = stringAt(request, "spec", "request");
  const fault = requestFault(asked);
  const seconds = specField(request, "expirationSeconds");
  const errors = fault === undefined ? [] : [invalid("spec.request", specField(request, "request"), fault)];
  errors.push(...checkUsages(arrayAt(request, "spec", "usages").map(String)));
  errors.push(...checkSigner("spec.signerName", stringAt(request, "spec", "signerName")));
  if (typeof seconds === "number" && seconds < 600) {
    const why = "may not specify a duration less than 600 seconds (10 minutes)";
    errors.push(invalid("spec.expirationSeconds", seconds, why));
  }
  errors.push(...checkConditions(objectsAt(request, "status", "conditions")));
  const certificate = certificateFault(stringAt(request, "status", "certificate"));
  if (certificate !== undefined) errors.push(invalid("status.certificate", "<certificate data>", certificate));
  return errors;
}

const specField = (request: JsonObject, field: string) => {
  const spec = request["spec"];
  return typeof spec === "object" && spec !== null && !Array.isArray(spec) ? spec[field] : undefined;
};

const PEM = /^-----BEGIN ([^\n]*?)-----\n([\s\S]*?)\n?-----END \1-----/m;

function requestFault(base64: string): string | undefined {
  const block = PEM.exec(Buffer.from(base64, "base64").toString("latin1"));
  return block?.[1] === "CERTIFICATE REQUEST" ? undefined : "PEM block type must be CERTIFICATE REQUEST";
}

function certificateFault(base64: string): string | undefined {
  if (base64 === "") return undefined;
  let rest = Buffer.from(base64, "base64").toString("latin1");
  for (let blocks = 0; ; blocks++) {
    const block = PEM.exec(rest);
    if (block === null) return blocks === 0 ? "must contain at least one CERTIFICATE PEM block" : undefined;
    const [whole, type = "", body = ""] = block;
    if (type !== "CERTIFICATE") return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (body.includes(":")) return "no PEM block headers are permitted";
    try {
      new X509Certificate(Buffer.from(body, "base64"));
    } catch {
      return "x509: malformed certificate";
    }
    rest = rest.slice(block.index + whole.length);
  }
}

function checkUsages(usages: readonly string[]): FieldError[] {
  const field = "spec.usages";
  if (usages.length === 0) return [required(field)];
  return [
    ...usages.flatMap((usage, at) => (USAGES.includes(usage) ? [] : [notSupported(`${field}[${at}]`, usage, USAGES)])),
    ...usages.flatMap((usage, at) => (usages.indexOf(usage) < at ? [duplicate(`${field}[${at}]`, usage)] : [])),
  ];
}

const LEGACY_SIGNER = "kubernetes.io/legacy-unknown";
const LONGEST_SIGNER = 253 + 1 + 253 + 63 + 1;

function checkSigner(field: string, name: string): FieldError[] {
  if (name === LEGACY_SIGNER)
    return [invalid(field, name, "the legacy signerName is not allowed via this API version")];
  if (name === "") return [required(field)];
  const [domain = "", path = "", ...more] = name.split("/");
  if (!name.includes("/") || more.length > 0) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(field, name, why)];
  }
  const errors = bytes(domain) > 253 ? [tooLong(field, 253)] : [];
  errors.push(...checkParts(field, domain, dnsLabel));
  if (!domain.includes("."))
    errors.push(invalid(field, domain, "should be a domain with at least two segments separated by dots"));
  errors.push(...checkParts(field, path, dnsSubdomain));
  return bytes(name) > LONGEST_SIGNER ? [...errors, tooLong(field, LONGEST_SIGNER)] : errors;
}

/** The first part that is wrong. */
function checkParts(field: string, text: string, format: Format): FieldError[] {
  const bad = text.split(".").find((part) => format(part).length > 0);
  if (bad === undefined) return [];
  return format(bad).map((message) => invalid(field, text, `validating label ${JSON.stringify(bad)}: ${message}`));
}

const ALWAYS_TRUE = ["Approved", "Denied", "Failed"];

function checkConditions(conditions: readonly JsonObject[]): FieldError[] {
  const seen: string[] = [];
  return conditions.flatMap((condition, index) => {
    const [path, type, status] = ["status.conditions", stringAt(condition, "type"), stringAt(condition, "status")];
    const errors: FieldError[] = type === "" ? [required(`${path}[${index}].type`)] : [];
    const allowed = ALWAYS_TRUE.includes(type) ? ["True"] : ["False", "True", "Unknown"];
    if (status === "") errors.push(required(`${path}[${index}].status`));
    else if (!allowed.includes(status)) errors.push(notSupported(`${path}[${index}].status`, status, allowed));
    const opposite = { Approved: "Denied", Denied: "Approved" }[type] ?? "";
    if (opposite !== "" && seen.includes(opposite))
      errors.push(invalid(path, type, "Approved and Denied conditions are mutually exclusive"));
    if (seen.includes(type)) errors.push(duplicate(`${path}[${index}].type`, type));
    seen.push(type);
    return errors;
  });
}

/** `door` is the subresource: conditions of approval come through one, the certificate through another. */
export function checkSigningRequestUpdate(request: JsonObject, old: JsonObject, door: string): FieldError[] {
  const count = (of: JsonObject, type: string) =>
    objectsAt(of, "status", "conditions").filter((condition) => condition["type"] === type).length;
  const [certificate, before] = [stringAt(request, "status", "certificate"), stringAt(old, "status", "certificate")];
  const errors = checkSigningRequest(request);
  for (const type of ALWAYS_TRUE)
    if (count(request, type) < count(old, type))
      errors.push(forbidden("status.conditions", `updates may not remove a condition of type "${type}"`));
  for (const type of door === "approval" ? [] : ["Approved", "Denied"])
    if (count(request, type) > count(old, type))
      errors.push(forbidden("status.conditions", `updates may not add a condition of type "${type}"`));
  if (certificate === before) return errors;
  if (door !== "status") errors.push(forbidden("status.certificate", "updates may not set certificate content"));
  else if (before !== "")
    errors.push(forbidden("status.certificate", "updates may not modify existing certificate content"));
  return errors;
}
