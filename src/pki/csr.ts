import "reflect-metadata";
import { createPublicKey } from "node:crypto";
import {
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
} from "@peculiar/x509";
import { importPrivateKey, importPublicKey } from "./x509.ts";

/** A PEM certificate signing request with URI names and an empty subject. */
export async function createCsr(options: { privateKeyPem: string; uris: readonly string[] }): Promise<string> {
  const { key, algorithm } = await importPrivateKey(options.privateKeyPem);
  const publicKeyPem = createPublicKey(options.privateKeyPem).export({ type: "spki", format: "pem" }).toString();
  const names = options.uris.map((value) => ({ type: "url" as const, value }));
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys: { privateKey: key, publicKey: await importPublicKey(publicKeyPem) },
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension(names, true)],
  });
  return `${request.toString("pem")}\n`;
}

/**
 * Reads a PEM request and checks that its sender holds the private key. Only the key is taken from it: names come
 * from the caller's authenticated identity. Throws a sentence for anything malformed.
 */
export async function publicKeyOfCsr(pem: string): Promise<string> {
  let request: Pkcs10CertificateRequest;
  try {
    request = new Pkcs10CertificateRequest(pem);
  } catch (cause) {
    throw new Error("the certificate signing request is not PEM-encoded PKCS#10", { cause });
  }
  if (!(await request.verify())) throw new Error("the certificate signing request is not signed by its own key");
  return `${request.publicKey.toString("pem")}\n`;
}

/** The organizations in the subject of a PEM request. Throws for anything malformed. */
export function organizationsOfCsr(pem: string): readonly string[] {
  return new Pkcs10CertificateRequest(pem).subjectName.getField("O");
}
