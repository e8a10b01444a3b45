// Loads a bundled program with what was compiled of it at build time (write-code-cache.cjs). Node 20 would compile the
// same text anew in each of a playground's forty processes. Beside each program in a build; see tools/build.mjs.
"use strict";
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { dirname, join } = require("node:path");
const { cachedDataVersionTag } = require("node:v8");
const { constants, Script } = require("node:vm");

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
    cachedData: readIfThere(cacheFile),
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

function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

module.exports = { loadFile, loadProgram };
