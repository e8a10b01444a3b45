// Bundles the programs: src/bin/*.ts -> dist/bin/*.mjs, shared chunks beside them. The pieces that a program reads as
// files at run time (generated tables, scripts, catalogues) are copied next to it. Skips work when nothing changed.
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

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Files under src that are read at run time, by ending; they keep their path below dist/assets. */
const ASSET_ENDINGS = [".gen.json", ".gen.json.gz", ".sh", ".yaml"];

/** What the bundler tells of packages that nobody here can change, or of a program that needs no chunk of its own. */
const QUIET_LOGS = ["EVAL", "INEFFECTIVE_DYNAMIC_IMPORT"];

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
  const inputs = [...filesBelow(join(root, "src")), join(root, "package-lock.json"), join(root, "tools", "build.mjs")];
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

/** Bundles `src/bin/NAME.ts` to `NAME.mjs` for each name, shared chunks beside them; gives the modules in them. */
export async function bundlePrograms({ names, folder }) {
  const { rolldown } = await import("rolldown");
  const bundle = await rolldown({
    input: Object.fromEntries(names.map((name) => [name, join(root, "src", "bin", `${name}.ts`)])),
    platform: "node",
    tsconfig: join(root, "tsconfig.json"),
    resolve: { conditionNames: ["source", "import", "node", "default"] },
    checks: { circularDependency: false },
    onLog: (level, log, handler) => (QUIET_LOGS.includes(log.code) ? undefined : handler(level, log)),
  });
  const { output } = await bundle.write({
    dir: folder,
    format: "esm",
    entryFileNames: "[name].mjs",
    chunkFileNames: "chunks/[name]-[hash].mjs",
    sourcemap: false,
    // Names stay readable in stack traces; without blanks a program loads a tenth faster.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  });
  await bundle.close();
  return output.flatMap((file) => file.moduleIds ?? []);
}

/** Builds into a folder of its own and swaps it in, so that a running program never sees half a build. */
export async function build() {
  const stamp = sourceStamp();
  const fresh = join(root, `.dist-${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  const names = readdirSync(join(root, "src", "bin"))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => name.slice(0, -3));
  await bundlePrograms({ names, folder: join(fresh, "bin") });
  for (const path of filesBelow(join(root, "src"))) {
    if (!ASSET_ENDINGS.some((ending) => path.endsWith(ending))) continue;
    const target = join(fresh, "assets", relative(join(root, "src"), path));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
  writeFileSync(join(fresh, ".stamp"), stamp);
  const old = join(root, `.dist-old-${process.pid}`);
  if (existsSync(join(root, "dist"))) renameSync(join(root, "dist"), old);
  renameSync(fresh, join(root, "dist"));
  rmSync(old, { recursive: true, force: true });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await build();
