// `npm start`: sets up what is missing, then does the main job: two clusters, the guide, calls, a verdict.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setUpOrExit } from "./setup.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
await setUpOrExit();
const child = spawn(join(root, "bin", "isthmus"), ["start", ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
