// The messages of Istio's certificate service, read and written by hand: two messages do not need descriptors.
import { WireType } from "@bufbuild/protobuf/wire";
import { type JsonObject, readStruct, writeStruct } from "./struct.ts";
import { encode, readFields, writeMessage, writeString } from "./wire-fields.ts";

export const CREATE_CERTIFICATE_METHOD = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

export interface CertificateRequest {
  /** PEM. */
  readonly csr: string;
  /** Wished life in seconds; 0 or less leaves it to the server. */
  readonly validitySeconds: number;
  /** `CertSigner`, `ImpersonatedIdentity`. */
  readonly metadata: JsonObject;
}

export function encodeCertificateRequest(request: CertificateRequest): Uint8Array {
  return encode((writer) => {
    writeString(writer, 1, request.csr);
    if (request.validitySeconds !== 0) writer.tag(3, WireType.Varint).int64(request.validitySeconds);
    if (Object.keys(request.metadata).length > 0) {
      writeMessage(writer, 4, (nested) => writeStruct(nested, request.metadata));
    }
  });
}

/** Throws RangeError for bytes that are no such message. */
export function decodeCertificateRequest(bytes: Uint8Array): CertificateRequest {
  const draft: { csr: string; validitySeconds: number; metadata: JsonObject } = {
    csr: "",
    validitySeconds: 0,
    metadata: {},
  };
  return readFields(bytes, draft, {
    1: (into, reader) => {
      into.csr = reader.string();
    },
    3: (into, reader) => {
      into.validitySeconds = Number(reader.int64());
    },
    4: (into, reader) => {
      into.metadata = readStruct(reader.bytes());
    },
  });
}

/** `chain`: leaf, intermediates, root bundle last; each element PEM. */
export function encodeCertificateResponse(chain: readonly string[]): Uint8Array {
  return encode((writer) => {
    for (const pem of chain) writer.tag(1, WireType.LengthDelimited).string(pem);
  });
}

export function decodeCertificateResponse(bytes: Uint8Array): readonly string[] {
  return readFields<string[]>(bytes, [], { 1: (into, reader) => into.push(reader.string()) });
}
