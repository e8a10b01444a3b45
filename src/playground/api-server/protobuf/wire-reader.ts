// Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/), just enough to walk a message.

export interface WireField {
  readonly number: number;
  /** A varint or fixed number; undefined for length-delimited fields. */
  readonly value: bigint | undefined;
  /** The bytes of a length-delimited field; the eight raw bytes of a fixed64. */
  readonly bytes: Buffer;
}

const EMPTY = Buffer.alloc(0);

/** The fields of a message in wire order. Throws RangeError when the bytes end early, Error for unknown wire types. */
export function* wireFields(message: Buffer): Generator<WireField> {
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message.readUInt8(offset);
      offset += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error("varint is longer than ten bytes");
  };
  const take = (length: number): Buffer => {
    if (offset + length > message.length) throw new RangeError("message ends within a field");
    const bytes = message.subarray(offset, offset + length);
    offset += length;
    return bytes;
  };
  const readers: Record<number, () => Omit<WireField, "number">> = {
    0: () => ({ value: varint(), bytes: EMPTY }),
    1: () => {
      const bytes = take(8);
      return { value: bytes.readBigUInt64LE(), bytes };
    },
    2: () => ({ value: undefined, bytes: take(Number(varint())) }),
    5: () => {
      const bytes = take(4);
      return { value: BigInt(bytes.readUInt32LE()), bytes };
    },
  };
  while (offset < message.length) {
    const tag = varint();
    const reader = readers[Number(tag & 7n)];
    if (reader === undefined) throw new Error(`wire type ${tag & 7n} is unknown`);
    yield { number: Number(tag >> 3n), ...reader() };
  }
}

/** Varints packed into one length-delimited field. */
export function packedVarints(bytes: Buffer): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80) {
      values.push(BigInt.asUintN(64, value));
      value = 0n;
      shift = 0n;
    }
  }
  return values;
}
