// Certificates of every kind that Isthmus issues: roots, intermediates, servers, clients, workloads.
import "reflect-metadata";
import { createPublicKey, randomBytes, type webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { generateKeyPair } from "./keys.ts";
import { importPrivateKey, importPublicKey, type SigningKey } from "./x509.ts";

export interface CertificateAndKey {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface CaOptions {
  readonly commonName: string;
  readonly organization?: string;
  /** Default 3650. */
  readonly validDays?: number;
  /** Default ec (P-256). */
  readonly keyType?: "ec" | "rsa";
  /** Absent: self-signed. Present: an intermediate of it that may sign leaves only (path length 0). */
  readonly issuer?: CertificateAndKey;
  readonly dnsNames?: readonly string[];
}

export interface CertificateSubject {
  readonly commonName?: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly uris?: readonly string[];
  readonly usages: readonly ("server" | "client")[];
  readonly validSeconds: number;
}

/** Clocks differ: every certificate is valid from two minutes ago. */
const CLOCK_SKEW_MS = 120_000;
const DAY_MS = 86_400_000;

/** Makes a certificate authority: a root, or an intermediate of `issuer`. */
export async function createCa(options: CaOptions): Promise<CertificateAndKey> {
  const pair = await generateKeyPair(options.keyType ?? "ec");
  const subject = subjectName(options.commonName, options.organization === undefined ? [] : [options.organization]);
  const pathLength = options.issuer === undefined ? undefined : 0;
  const extensions = [
    new BasicConstraintsExtension(true, pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
    ...alternativeNames({ dnsNames: options.dnsNames ?? [] }, false),
  ];
  const issuer = options.issuer ?? { privateKeyPem: pair.privateKeyPem, certificatePem: undefined };
  const certificatePem = await sign(issuer, {
    subject,
    publicKeyPem: pair.publicKeyPem,
    extensions,
    validMs: (options.validDays ?? 3650) * DAY_MS,
  });
  return { certificatePem, privateKeyPem: pair.privateKeyPem };
}

/** Makes a key pair and a leaf certificate for it. */
export async function issueCertificate(
  issuer: CertificateAndKey,
  subject: CertificateSubject,
): Promise<CertificateAndKey> {
  const pair = await generateKeyPair();
  return {
    certificatePem: await certifyPublicKey(issuer, pair.publicKeyPem, subject),
    privateKeyPem: pair.privateKeyPem,
  };
}

/** Signs a leaf certificate for somebody else's public key. It never outlives its issuer. Gives PEM. */
export function certifyPublicKey(
  issuer: CertificateAndKey,
  publicKeyPem: string,
  subject: CertificateSubject,
): Promise<string> {
  const name = subjectName(subject.commonName, subject.organizations ?? []);
  const purposes = subject.usages.map((usage) =>
    usage === "server" ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
  );
  const extensions = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
    new ExtendedKeyUsageExtension(purposes),
    ...alternativeNames(subject, name.length === 0),
  ];
  return sign(issuer, { subject: name, publicKeyPem, extensions, validMs: subject.validSeconds * 1000 });
}

interface Unsigned {
  readonly subject: JsonName;
  readonly publicKeyPem: string;
  readonly extensions: readonly Extension[];
  readonly validMs: number;
}

interface Signer {
  readonly certificatePem: string | undefined;
  readonly privateKeyPem: string;
}

interface LoadedSigner {
  readonly key: SigningKey;
  readonly publicKey: webcrypto.CryptoKey;
  readonly certificate: X509Certificate | undefined;
}

/** Reading a signer costs as much as signing: it is done once for as long as its holder keeps it. */
const loadedSigners = new WeakMap<Signer, Promise<LoadedSigner>>();

function loadSigner(signer: Signer): Promise<LoadedSigner> {
  let loaded = loadedSigners.get(signer);
  if (loaded === undefined) {
    loaded = readSigner(signer);
    loadedSigners.set(signer, loaded);
  }
  return loaded;
}

async function readSigner({ certificatePem, privateKeyPem }: Signer): Promise<LoadedSigner> {
  const publicPem = createPublicKey(privateKeyPem).export({ type: "spki", format: "pem" }).toString();
  return {
    key: await importPrivateKey(privateKeyPem),
    publicKey: await importPublicKey(publicPem),
    certificate: certificatePem === undefined ? undefined : new X509Certificate(certificatePem),
  };
}

async function sign(issuer: Signer, unsigned: Unsigned): Promise<string> {
  const { key: signing, publicKey: issuerPublicKey, certificate: parent } = await loadSigner(issuer);
  const { key, algorithm } = signing;
  const publicKey = await importPublicKey(unsigned.publicKeyPem);
  const now = Date.now();
  const end = now + unsigned.validMs;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: positiveSerial(),
    subject: unsigned.subject,
    issuer: parent?.subject ?? unsigned.subject,
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(parent === undefined ? end : Math.min(end, parent.notAfter.getTime())),
    publicKey,
    signingKey: key,
    signingAlgorithm: algorithm,
    extensions: [
      ...unsigned.extensions,
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(issuerPublicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/** A random 127-bit number that DER does not read as negative. */
function positiveSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes.toString("hex");
}

function subjectName(commonName: string | undefined, organizations: readonly string[]): JsonName {
  const name: JsonName = organizations.map((organization) => ({ O: [organization] }));
  if (commonName !== undefined) name.push({ CN: [commonName] });
  return name;
}

function alternativeNames(
  names: { dnsNames?: readonly string[]; ipAddresses?: readonly string[]; uris?: readonly string[] },
  critical: boolean,
): Extension[] {
  const general: JsonGeneralNames = [
    ...(names.uris ?? []).map((value) => ({ type: "url" as const, value })),
    ...(names.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(names.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  return general.length === 0 ? [] : [new SubjectAlternativeNameExtension(general, critical)];
}
