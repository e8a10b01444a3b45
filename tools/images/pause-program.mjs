// The program of the pause image: it holds a pod's namespaces and does nothing. 188 bytes of machine code and headers,
// because any library would make it a hundred times as large, and there is one for each pod. It tells the kernel to
// forget children that end (they come to it where a pod shares its process namespace), then waits for ever.

/** struct sigaction of the kernel: handler SIG_IGN, no flags, no restorer, empty mask. */
const IGNORE = Buffer.alloc(32);
IGNORE.writeBigUInt64LE(1n);

const X64 = {
  machine: 62,
  page: 0x1000,
  code: Buffer.from(
    [
      "b80d000000", //     mov eax, 13          rt_sigaction(
      "bf11000000", //     mov edi, 17            SIGCHLD,
      "488d3517000000", // lea rsi, [rip + 23]    the struct behind the code,
      "31d2", //           xor edx, edx           nothing,
      "41ba08000000", //   mov r10d, 8            size of the mask)
      "0f05", //           syscall
      "b822000000", //     mov eax, 34          again: pause()
      "0f05", //           syscall
      "ebf7", //           jmp again
      "00000000", //       to a multiple of 8
    ].join(""),
    "hex",
  ),
};

const words = (...instructions) => {
  const code = Buffer.alloc(4 * instructions.length);
  for (const [index, instruction] of instructions.entries()) code.writeUInt32LE(instruction, 4 * index);
  return code;
};

const ARM64 = {
  machine: 183,
  page: 0x10000,
  code: words(
    0xd28010c8, // mov x8, 134    rt_sigaction(
    0xd2800220, // mov x0, 17       SIGCHLD,
    0x10000181, // adr x1, . + 48   the struct behind the code,
    0xd2800002, // mov x2, 0        nothing,
    0xd2800103, // mov x3, 8        size of the mask)
    0xd4000001, // svc 0
    0xd2800928, // mov x8, 73     again: ppoll(
    0xd2800000, // mov x0, 0        nothing, ...
    0xd2800001, // mov x1, 0
    0xd2800002, // mov x2, 0
    0xd2800003, // mov x3, 0
    0xd4000001, // svc 0
    0x17fffffa, // b again
    0x00000000, // to a multiple of 8
  ),
};

const HEADER = 64 + 56;
const ADDRESS = 0x400000;

/** A static ELF for the processor: `x64` or `arm64`. */
export function pauseProgram(processor = process.arch) {
  const { machine, page, code } = processor === "arm64" ? ARM64 : X64;
  const program = Buffer.concat([Buffer.alloc(HEADER), code, IGNORE]);
  program.write("\x7fELF\x02\x01\x01", 0, "latin1"); // 64 bits, little endian, version 1
  program.writeUInt16LE(2, 16); // may be executed
  program.writeUInt16LE(machine, 18);
  program.writeUInt32LE(1, 20);
  program.writeBigUInt64LE(BigInt(ADDRESS + HEADER), 24); // where it begins
  program.writeBigUInt64LE(64n, 32); // the one program header follows
  program.writeUInt16LE(64, 52);
  program.writeUInt16LE(56, 54);
  program.writeUInt16LE(1, 56);
  program.writeUInt32LE(1, 64); // loaded,
  program.writeUInt32LE(5, 68); // to be read and executed,
  program.writeBigUInt64LE(BigInt(ADDRESS), 80);
  program.writeBigUInt64LE(BigInt(ADDRESS), 88);
  program.writeBigUInt64LE(BigInt(program.length), 96); // all of the file
  program.writeBigUInt64LE(BigInt(program.length), 104);
  program.writeBigUInt64LE(BigInt(page), 112);
  return program;
}
