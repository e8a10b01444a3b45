// google.protobuf.Any holds bytes, and a resource's version is the hash of its bytes: so the bytes of equal messages
// must be equal. Field order is fixed by the descriptor; map entries are written in the order of the object's keys.
import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";

const PREFIX = "type.googleapis.com/";

/** The type URL of a message: `type.googleapis.com/envoy.config.cluster.v3.Cluster`. */
export function typeUrlOf(schema: DescMessage): string {
  return PREFIX + schema.typeName;
}

/** Wraps a message. Equal messages, built the same way, give equal bytes. */
export function packAny<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Any {
  return create(AnySchema, { typeUrl: typeUrlOf(schema), value: toBinary(schema, message) });
}

/** The message inside, or undefined when it is of another type. Throws when the bytes are no such message. */
export function unpackAny<Desc extends DescMessage>(any: Any, schema: Desc): MessageShape<Desc> | undefined {
  return any.typeUrl === typeUrlOf(schema) ? fromBinary(schema, any.value) : undefined;
}

/** The serialized Any of a message, what `XdsResource.any` carries. */
export function anyBytes<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Uint8Array {
  return toBinary(AnySchema, packAny(schema, message));
}
