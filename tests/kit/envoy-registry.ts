import { fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { resourceRegistry } from "#envoy/resource-registry";

/** The readable form of a serialized Any, nested messages included; `@type` is dropped at the top. */
export function readableResource(any: Uint8Array): Record<string, JsonValue> {
  const json = toJson(AnySchema, fromBinary(AnySchema, any), { registry: resourceRegistry, useProtoFieldName: true });
  const { "@type": _type, ...fields } = json as Record<string, JsonValue>;
  return fields;
}
