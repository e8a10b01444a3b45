// A program without what only debuggers read: section headers and symbol table lie behind the last loaded byte.
const ELF_MAGIC = 0x7f454c46;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;

/** The same program, as short as the kernel and the dynamic linker can use it. What is no 64-bit ELF stays as it is. */
export function stripElf(program) {
  if (program.length < 64 || program.readUInt32BE(0) !== ELF_MAGIC) return program;
  if (program[4] !== CLASS_64 || program[5] !== LITTLE_ENDIAN) return program;
  const table = Number(program.readBigUInt64LE(32));
  const size = program.readUInt16LE(54);
  const count = program.readUInt16LE(56);
  let end = table + size * count;
  for (let index = 0; index < count; index += 1) {
    const at = table + index * size;
    end = Math.max(end, Number(program.readBigUInt64LE(at + 8) + program.readBigUInt64LE(at + 32)));
  }
  const stripped = Buffer.from(program.subarray(0, end));
  stripped.writeBigUInt64LE(0n, 40); // where section headers begin
  stripped.writeUInt16LE(0, 60); // how many they are
  stripped.writeUInt16LE(0, 62); // which one holds their names
  return stripped;
}
