// The one door to the X.509 library: it wants its metadata polyfill first and our crypto provider set.
import "reflect-metadata";
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";
import { cryptoProvider } from "@peculiar/x509";

cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0]);

type CryptoKey = webcrypto.CryptoKey;

type Usage = "sign" | "verify";

interface Algorithms {
  readonly importing: { name: string; namedCurve?: string; hash?: string };
  readonly signing: { name: string; hash: string };
}

function algorithmsOf(key: KeyObject): Algorithms {
  if (key.asymmetricKeyType === "rsa") {
    const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    return { importing: rsa, signing: rsa };
  }
  const curves: Record<string, [string, string]> = {
    prime256v1: ["P-256", "SHA-256"],
    secp384r1: ["P-384", "SHA-384"],
  };
  const [namedCurve, hash] = curves[key.asymmetricKeyDetails?.namedCurve ?? ""] ?? [];
  if (key.asymmetricKeyType !== "ec" || namedCurve === undefined || hash === undefined) {
    throw new Error(`unsupported key type ${key.asymmetricKeyType ?? "unknown"}: use RSA, P-256 or P-384`);
  }
  return { importing: { name: "ECDSA", namedCurve }, signing: { name: "ECDSA", hash } };
}

export interface SigningKey {
  readonly key: CryptoKey;
  readonly algorithm: { name: string; hash: string };
}

/** Imports a PEM private key (PKCS#8, PKCS#1 or SEC1) for signing. Throws on encrypted or foreign keys. */
export async function importPrivateKey(pem: string): Promise<SigningKey> {
  const key = createPrivateKey(pem);
  return {
    key: await importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }), key, ["sign"]),
    algorithm: algorithmsOf(key).signing,
  };
}

/** Imports a PEM public key, or the public half of a private one. */
export async function importPublicKey(pem: string): Promise<CryptoKey> {
  const key = createPublicKey(pem);
  return importKey("spki", key.export({ type: "spki", format: "der" }), key, ["verify"]);
}

function importKey(format: "pkcs8" | "spki", der: Buffer, key: KeyObject, usages: Usage[]): Promise<CryptoKey> {
  return webcrypto.subtle.importKey(format, der, algorithmsOf(key).importing, true, usages);
}
