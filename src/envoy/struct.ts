// google.protobuf.Struct, which is JSON on the wire: node metadata and the metadata of a certificate request.
import { type BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { readFields, writeMessage, writeString } from "./wire-fields.ts";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export function writeStruct(writer: BinaryWriter, value: JsonObject): void {
  for (const [key, child] of Object.entries(value)) {
    writeMessage(writer, 1, (entry) => {
      writeString(entry, 1, key);
      writeMessage(entry, 2, (nested) => writeValue(nested, child));
    });
  }
}

/** google.protobuf.Value: exactly one field is written, the default of its type too. */
function writeValue(writer: BinaryWriter, value: JsonValue): void {
  if (value === null) writer.tag(1, WireType.Varint).int32(0);
  else if (typeof value === "number") writer.tag(2, WireType.Bit64).double(value);
  else if (typeof value === "string") writer.tag(3, WireType.LengthDelimited).string(value);
  else if (typeof value === "boolean") writer.tag(4, WireType.Varint).bool(value);
  else if (isList(value)) {
    writeMessage(writer, 6, (list) => {
      for (const item of value) writeMessage(list, 1, (nested) => writeValue(nested, item));
    });
  } else writeMessage(writer, 5, (nested) => writeStruct(nested, value));
}

function isList(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function readStruct(bytes: Uint8Array): JsonObject {
  const entries: [string, JsonValue][] = [];
  readFields(bytes, entries, { 1: (into, reader) => into.push(readStructEntry(reader.bytes())) });
  return Object.fromEntries(entries);
}

function readStructEntry(bytes: Uint8Array): [string, JsonValue] {
  const entry: { key: string; value: JsonValue } = { key: "", value: null };
  readFields(bytes, entry, {
    1: (into, reader) => {
      into.key = reader.string();
    },
    2: (into, reader) => {
      into.value = readValue(reader.bytes());
    },
  });
  return [entry.key, entry.value];
}

interface Holder {
  value: JsonValue;
}

const VALUE_FIELDS = {
  1: (into: Holder, reader: { int32(): number }) => {
    reader.int32();
    into.value = null;
  },
  2: (into: Holder, reader: { double(): number }) => {
    into.value = reader.double();
  },
  3: (into: Holder, reader: { string(): string }) => {
    into.value = reader.string();
  },
  4: (into: Holder, reader: { bool(): boolean }) => {
    into.value = reader.bool();
  },
  5: (into: Holder, reader: { bytes(): Uint8Array }) => {
    into.value = readStruct(reader.bytes());
  },
  6: (into: Holder, reader: { bytes(): Uint8Array }) => {
    into.value = readFields<JsonValue[]>(reader.bytes(), [], {
      1: (list, nested) => list.push(readValue(nested.bytes())),
    });
  },
};

function readValue(bytes: Uint8Array): JsonValue {
  return readFields<Holder>(bytes, { value: null }, VALUE_FIELDS).value;
}
