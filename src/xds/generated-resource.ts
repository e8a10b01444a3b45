import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { contentHash } from "#base/content-hash";

/** One xDS resource, ready for the wire. */
export interface GeneratedResource {
  readonly name: string;
  /** Hash of the content: equal content has equal versions, over restarts and replicas. */
  readonly version: string;
  /** The serialized google.protobuf.Any. */
  readonly any: Uint8Array;
}

export function generatedResource(name: string, typeUrl: string, value: Uint8Array): GeneratedResource {
  const any = toBinary(AnySchema, create(AnySchema, { typeUrl, value }));
  return { name, version: contentHash(any), any };
}
