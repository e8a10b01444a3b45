// Loads a bundled program with what was compiled of it at build time (write-code-cache.cjs). Node 20 would compile the
// same text anew in each of a playground's forty processes. Beside each program in a build; see tools/build.mjs.
"use strict";
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { dirname, join } = require("node:path");
const { cachedDataVersionTag } = require("node:v8");
const { constants, Script } = require("node:vm");
const { crc32 } = require("node:zlib");

const programs = join(dirname(__dirname), "programs");
/** Names V8's version, its flags and the processor: a cache of another tag would be refused, and is not even read. */
const cacheFolder = join(dirname(__dirname), "code-cache", String(cachedDataVersionTag()));

const PARAMETERS = "exports, require, module, __filename, __dirname";
const loaded = new Map();

/** Runs `programs/NAME.cjs`. `onScript(file, script, cacheFile)` hears of each file that is loaded, now or later. */
function loadProgram(name, onScript = () => {}) {
  loadFile(join(programs, `${name}.cjs`), onScript);
}

function loadFile(file, onScript) {
  const known = loaded.get(file);
  if (known !== undefined) return known.exports;
  const module = { exports: {}, filename: file };
  loaded.set(file, module);
  const cacheFile = join(cacheFolder, file.slice(programs.length + 1));
  const script = new Script(`(function (${PARAMETERS}) {${readFileSync(file, "utf8")}\n})`, {
    filename: file,
    cachedData: readCache(cacheFile),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  onScript(file, script, cacheFile);
  const outside = createRequire(file);
  const require = (wanted) =>
    wanted.startsWith(".") ? loadFile(join(dirname(file), wanted), onScript) : outside(wanted);
  Object.assign(require, { resolve: outside.resolve });
  script.runInThisContext().call(module.exports, module.exports, require, module, file, dirname(file));
  return module.exports;
}

/** Bytes after what V8 gave: its CRC-32. V8 itself looks at the head alone, and dies of a damaged rest. */
const CHECKSUM = 4;

function sealCache(data) {
  const checksum = Buffer.alloc(CHECKSUM);
  checksum.writeUInt32LE(crc32(data));
  return Buffer.concat([data, checksum]);
}

/** Undefined where there is none, or a damaged one. */
function readCache(file) {
  try {
    const sealed = readFileSync(file);
    const data = sealed.subarray(0, -CHECKSUM);
    return crc32(data) === sealed.readUInt32LE(data.length) ? data : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { loadFile, loadProgram, sealCache };
