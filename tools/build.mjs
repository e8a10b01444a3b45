// Bundles the programs: src/bin/*.ts -> dist/programs/*.cjs, shared chunks beside them. dist/bin holds a door to each,
// which takes what was compiled beforehand from dist/code-cache. The pieces that a program reads as files at run time
// (generated tables, scripts, catalogues) are copied to dist/assets. Skips work when nothing changed.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { inAscii } from "./build/in-ascii.mjs";
import { readFlags } from "./read-flags.mjs";

const run = promisify(execFile);
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Files under src that are read at run time, by ending; they keep their path below dist/assets. */
const ASSET_ENDINGS = [".gen.json", ".gen.json.gz", ".sh", ".yaml"];

/** What the bundler tells of packages that nobody here can change, or of a program that needs no chunk of its own. */
const QUIET_LOGS = ["EVAL", "INEFFECTIVE_DYNAMIC_IMPORT"];

/**
 * The programs that a playground starts, with the flags of V8 that they start with, and calls that compile what most
 * starts need and end by themselves. What one call has compiled the next one keeps.
 */
const COMPILED_BEFOREHAND = [
  {
    program: "isthmus",
    calls: [
      ["playground", "--help"],
      ["manifest", "generate"],
    ],
  },
  { program: "pilot-discovery", calls: [["help"]] },
  { program: "pilot-agent", flags: ["--max-semi-space-size=1"], calls: [["proxy", "--help"]] },
  { program: "playground-supervisor", calls: [[]] },
  { program: "playground-cluster", flags: ["--max-semi-space-size=8"], calls: [[]] },
  { program: "playground-node", calls: [[]] },
];

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

/** Changes when any source, lock file or this script changes; metadata only, so that it costs a few milliseconds. */
export function sourceStamp() {
  const hash = createHash("sha256");
  const tools = [join(root, "tools", "build.mjs"), ...filesBelow(join(root, "tools", "build"))];
  const inputs = [...filesBelow(join(root, "src")), join(root, "package-lock.json"), ...tools];
  for (const path of inputs.sort()) {
    if (path.endsWith(".test.ts") || path.endsWith(".md")) continue;
    const { size, mtimeMs } = statSync(path);
    hash.update(`${relative(root, path)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

const stampFile = join(root, "dist", ".stamp");

export function isBuilt() {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === sourceStamp();
}

/** Bundles `src/bin/NAME.ts` to `NAME.cjs` for each name, shared chunks beside them; gives the modules in them. */
export async function bundlePrograms({ names, folder }) {
  const { rolldown } = await import("rolldown");
  const bundle = await rolldown({
    input: Object.fromEntries(names.map((name) => [name, join(root, "src", "bin", `${name}.ts`)])),
    platform: "node",
    tsconfig: join(root, "tsconfig.json"),
    resolve: { conditionNames: ["source", "import", "node", "default"] },
    checks: { circularDependency: false },
    onLog: (level, log, handler) => (QUIET_LOGS.includes(log.code) ? undefined : handler(level, log)),
    plugins: [{ name: "ascii", generateBundle: (_options, files) => writeInAscii(Object.values(files)) }],
  });
  const { output } = await bundle.write({
    dir: folder,
    // Node takes code that was compiled beforehand for scripts only, not for modules.
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "chunks/[name]-[hash].cjs",
    sourcemap: false,
    // Names stay readable in stack traces; without blanks a program loads a tenth faster.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  });
  await bundle.close();
  return output.flatMap((file) => file.moduleIds ?? []);
}

/** V8 keeps a program's text as long as it runs, in two bytes a character if only one of them needs them. */
function writeInAscii(files) {
  for (const file of files.filter(({ type }) => type === "chunk")) file.code = inAscii(file.code);
}

/** Builds into a folder of its own and swaps it in, so that a running program never sees half a build. */
export async function build() {
  const stamp = sourceStamp();
  const fresh = join(root, `.dist-${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  const names = readdirSync(join(root, "src", "bin"))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => name.slice(0, -3));
  await bundlePrograms({ names, folder: join(fresh, "programs") });
  for (const path of filesBelow(join(root, "src"))) {
    if (!ASSET_ENDINGS.some((ending) => path.endsWith(ending))) continue;
    const target = join(fresh, "assets", relative(join(root, "src"), path));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
  writeDoors(fresh, names);
  await compileBeforehand(fresh);
  writeFileSync(join(fresh, ".stamp"), stamp);
  const old = join(root, `.dist-old-${process.pid}`);
  if (existsSync(join(root, "dist"))) renameSync(join(root, "dist"), old);
  renameSync(fresh, join(root, "dist"));
  rmSync(old, { recursive: true, force: true });
}

function writeDoors(folder, names) {
  mkdirSync(join(folder, "bin"));
  cpSync(join(root, "tools", "build", "load-program.cjs"), join(folder, "bin", "load-program.cjs"));
  for (const name of names) {
    const door = `require("./load-program.cjs").loadProgram(${JSON.stringify(name)});\n`;
    writeFileSync(join(folder, "bin", `${name}.cjs`), door);
  }
}

/** Those of the same flags one after the other, for they share chunks; the others have folders of their own. */
async function compileBeforehand(folder) {
  const writer = join(root, "tools", "build", "write-code-cache.cjs");
  const flagSets = new Set(COMPILED_BEFOREHAND.map(({ flags = [] }) => flags.join(" ")));
  const compile = async (flagSet) => {
    for (const { program, flags = [], calls } of COMPILED_BEFOREHAND) {
      if (flags.join(" ") !== flagSet) continue;
      for (const call of calls) await run(process.execPath, [...flags, writer, folder, program, ...call]);
    }
  };
  await Promise.all([...flagSets].map(compile));
}

const HELP = `npm run build

Bundles the programs of src/bin into dist, with what they read at run time, and compiles beforehand what most starts need.

  -h, --help   this text

Example: npm run build && bin/isthmus version
`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  readFlags({ name: "build", help: HELP });
  await build();
}
