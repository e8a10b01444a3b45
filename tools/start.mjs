// `npm start`: sets up what is missing, then does the main job: two clusters, the guide, calls, a verdict.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setUpOrExit } from "./setup.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const npm = findNpm();
await setUpOrExit();
// Whatever ends this program takes the playground along, a SIGKILL too.
const command = [join(root, "bin", "isthmus"), "start", ...process.argv.slice(2)];
const child = spawn("setpriv", ["--pdeathsig", "TERM", ...command], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  process.stderr.write(`Error: ${error.message}\n  install setpriv: apt-get install -y util-linux\n`);
  process.exit(1);
});
child.on("exit", (code) => process.exit(code ?? 1));

// npm may be killed too, and hands nothing on then.
if (npm !== undefined) {
  const watch = setInterval(() => {
    if (findNpm() === npm) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 250);
  watch.unref();
}

/** The pid of the npm that runs this program: its parent, or its grandparent with a shell between. */
function findNpm() {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  let pid = process.ppid;
  for (let generation = 0; generation < 2; generation += 1) {
    try {
      if (/^(\S*node\0)?\S*npm/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"))) return pid;
      pid = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    } catch {
      return undefined;
    }
  }
  return undefined;
}
