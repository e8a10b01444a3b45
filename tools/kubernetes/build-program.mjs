// Builds one program of a release into the cache.
import { spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SetupError } from "../fetch-wheel.mjs";

const modules = dirname(fileURLToPath(import.meta.url));
/** How often a build that goes on says so. */
const HEARTBEAT_MS = 20_000;
const TAIL_LINES = 15;

/**
 * Builds `program` and moves it to `folder`/`name` when it is whole. `title` is what the lines of progress call it.
 * Throws SetupError with the compiler's last lines.
 */
export async function buildProgram({ go, name, program, folder, title, say }) {
  const begin = Date.now();
  const seconds = () => `${Math.round((Date.now() - begin) / 1000)} s`;
  const work = mkdtempSync(join(folder, ".build-"));
  say(`build ${title} ...`);
  const heartbeat = setInterval(() => say(`build ${title}: ${seconds()} so far ...`), HEARTBEAT_MS);
  try {
    const ldflags = ["-s", "-w", ...program.ldflags].join(" ");
    await compile(go, ["build", "-trimpath", "-ldflags", ldflags, "-o", join(work, name), program.package], {
      cwd: join(modules, program.module),
    });
    renameSync(join(work, name), join(folder, name));
    say(`build ${title}: ${seconds()}`);
  } finally {
    clearInterval(heartbeat);
    rmSync(work, { recursive: true, force: true });
  }
}

function compile(go, args, { cwd }) {
  // Of this module and of no other, and with what go.sum vouches for.
  const settings = { CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOWORK: "off", GOFLAGS: "-mod=readonly" };
  return new Promise((resolve, reject) => {
    const child = spawn(go, args, { cwd, env: { ...process.env, ...settings }, stdio: ["ignore", "pipe", "pipe"] });
    const end = () => child.kill("SIGTERM");
    process.on("exit", end);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output = `${output}${chunk}`.slice(-100_000);
      });
    }
    child.on("error", (error) => reject(new SetupError(`Go cannot be run: ${error.message}`)));
    child.on("close", (code, signal) => {
      process.off("exit", end);
      if (code === 0) return resolve();
      const tail = output.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
      reject(new SetupError(`go ${args[0]} ${args.at(-1)} ended with ${signal ?? code}:\n${tail}`));
    });
  });
}
