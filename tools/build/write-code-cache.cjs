// `node FLAGS write-code-cache.cjs BUILD PROGRAM ARGUMENTS`: runs a program of this build with these arguments and keeps
// what V8 has compiled of it by its end, for programs that start with the same FLAGS of V8.
"use strict";
const { mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");

const [, , build, program, ...args] = process.argv;
const { loadProgram, loadFile, sealCache } = require(join(build, "bin", "load-program.cjs"));
/** By file, in the order of loading. */
const scripts = new Map();
const onScript = (file, script, cacheFile) => scripts.set(file, { script, cacheFile });

process.argv = [process.execPath, join(build, "bin", program), ...args];
process.on("exit", () => {
  loadTheRest();
  for (const { script, cacheFile } of scripts.values()) {
    mkdirSync(dirname(cacheFile), { recursive: true });
    writeFileSync(cacheFile, sealCache(script.createCachedData()));
  }
  // The program's own verdict on these arguments is not asked for.
  process.exitCode = 0;
});
loadProgram(program, onScript);

/** The chunks that the program loads only when it needs them. A map yields what is added while it is walked. */
function loadTheRest() {
  for (const file of scripts.keys()) {
    for (const [, chunk] of readFileSync(file, "utf8").matchAll(/require\(["`](\.\.?\/[^"`]+)["`]\)/g)) {
      loadFile(join(dirname(file), chunk), onScript);
    }
  }
}
