// Stands for playground-cluster and playground-node: is ready at once, leaves an orphan, a mount and a namespace behind,
// and stops when asked to.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const [name, file] = process.argv.slice(2);
const config = JSON.parse(readFileSync(file, "utf8"));
process.on("SIGTERM", () => process.exit(0));
if (process.env.STUB_FAILS === name) {
  console.error(`${name} of ${config.clusterName} cannot go on`);
  process.exit(3);
}
if (name === "playground-node") {
  execFileSync("ip", ["netns", "add", `${config.namePrefix}pod`]);
  execFileSync("mount", ["-t", "tmpfs", "isthmus-stub", config.stateDir]);
  // Its parent ends first: an orphan in the pid namespace.
  spawn("sh", ["-c", "setsid sleep 100 & exit 0"], { stdio: "ignore" });
}
writeFileSync(config.readyFile, "");
setInterval(() => {}, 1000);
