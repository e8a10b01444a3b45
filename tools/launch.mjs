// The door of bin/isthmus and bin/istioctl: makes sure that the programs are built, then becomes them.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const program = join(root, "dist", "bin", "isthmus.cjs");
if (!existsSync(program)) {
  const { setUpOrExit } = await import("./setup.mjs");
  await setUpOrExit({ systemTools: false, envoy: false });
}
const [, , name, ...args] = process.argv;
process.argv = [process.execPath, join(root, "bin", name), ...args];
await import(program);
