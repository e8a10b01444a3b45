// A certificate signing request of one fixed form (P-256, no subject, one URI name), as DER put together by hand: the
// general library takes longer to load than the agent may take to start.
import { createPrivateKey, createPublicKey, sign } from "node:crypto";

const TAG = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, sequence: 0x30, set: 0x31 } as const;
const URI_NAME = 0x86;
const ATTRIBUTES = 0xa0;

/** Object identifiers, encoded: 1.2.840.113549.1.9.14, 2.5.29.17, 1.2.840.10045.4.3.2. */
const OID = {
  extensionRequest: "2a864886f70d01090e",
  subjectAltName: "551d11",
  ecdsaWithSha256: "2a8648ce3d040302",
} as const;

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), derLength(body.length), body]);
}

/** Short form up to 127, else the count of length bytes with the high bit set, then the length. */
function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

const oid = (hex: string) => der(TAG.oid, Buffer.from(hex, "hex"));

/** A PEM request for `uri`, signed by the P-256 key it asks a certificate for. */
export function buildWorkloadCsr(privateKeyPem: string, uri: string): string {
  const key = createPrivateKey(privateKeyPem);
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  const names = der(TAG.sequence, der(URI_NAME, Buffer.from(uri, "latin1")));
  const isCritical = der(TAG.boolean, Buffer.from([0xff]));
  const extension = der(TAG.sequence, oid(OID.subjectAltName), isCritical, der(TAG.octets, names));
  const extensions = der(TAG.set, der(TAG.sequence, extension));
  const attributes = der(ATTRIBUTES, der(TAG.sequence, oid(OID.extensionRequest), extensions));
  const version = der(TAG.integer, Buffer.from([0]));
  const info = der(TAG.sequence, version, der(TAG.sequence), publicKey, attributes);
  const signature = Buffer.concat([Buffer.from([0]), sign("sha256", info, key)]);
  const request = der(TAG.sequence, info, der(TAG.sequence, oid(OID.ecdsaWithSha256)), der(TAG.bits, signature));
  const base64 = request.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`;
}
