// The few verbs that hand-written codecs need over protobuf's wire format. The messages of the hot path are written
// and read by hand: no descriptors to load in the agent, and no object built per resource in the control plane.
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Reads one field; the reader stands at its value. */
export type FieldReader<T> = (into: T, reader: BinaryReader) => void;

/** Fills `into` from the fields that `table` names, and skips all others. Throws RangeError for malformed bytes. */
export function readFields<T>(bytes: Uint8Array, into: T, table: Readonly<Record<number, FieldReader<T>>>): T {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const read = table[field];
    if (read === undefined) reader.skip(wireType, field);
    else read(into, reader);
  }
  return into;
}

export function writeString(writer: BinaryWriter, field: number, value: string): void {
  if (value !== "") writer.tag(field, WireType.LengthDelimited).string(value);
}

export function writeBytes(writer: BinaryWriter, field: number, value: Uint8Array): void {
  writer.tag(field, WireType.LengthDelimited).bytes(value);
}

/** Writes a nested message. */
export function writeMessage(writer: BinaryWriter, field: number, write: (writer: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

/** Writes one `map<string, string>` entry. */
export function writeEntry(writer: BinaryWriter, field: number, [key, value]: readonly [string, string]): void {
  writeMessage(writer, field, (entry) => {
    writeString(entry, 1, key);
    writeString(entry, 2, value);
  });
}

export function readEntry(bytes: Uint8Array): [string, string] {
  const entry = readFields(
    bytes,
    { key: "", value: "" },
    {
      1: (into, reader) => {
        into.key = reader.string();
      },
      2: (into, reader) => {
        into.value = reader.string();
      },
    },
  );
  return [entry.key, entry.value];
}

export function encode(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}
