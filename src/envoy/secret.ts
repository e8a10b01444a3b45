// The two secrets a proxy asks its agent for, as serialized google.protobuf.Any (field numbers of Envoy 1.40).
import { XDS_TYPES } from "./types.ts";
import { encode, writeBytes, writeMessage, writeString } from "./wire-fields.ts";

const utf8 = new TextEncoder();
const INLINE_BYTES = 2;

function secretAny(name: string, field: number, data: readonly { field: number; pem: string }[]): Uint8Array {
  const secret = encode((writer) => {
    writeString(writer, 1, name);
    writeMessage(writer, field, (nested) => {
      for (const { field: at, pem } of data) {
        writeMessage(nested, at, (source) => writeBytes(source, INLINE_BYTES, utf8.encode(pem)));
      }
    });
  });
  return encode((writer) => {
    writeString(writer, 1, XDS_TYPES.SDS);
    writeBytes(writer, 2, secret);
  });
}

/** A Secret with `tls_certificate`: the chain, leaf first, and its key. */
export function tlsCertificateSecret(name: string, pem: { chain: string; privateKey: string }): Uint8Array {
  return secretAny(name, 2, [
    { field: 1, pem: pem.chain },
    { field: 2, pem: pem.privateKey },
  ]);
}

/** A Secret with `validation_context.trusted_ca`: the roots to trust. */
export function trustedCaSecret(name: string, rootsPem: string): Uint8Array {
  return secretAny(name, 4, [{ field: 1, pem: rootsPem }]);
}
