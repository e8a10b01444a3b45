// Debian's kubectl, by years the oldest that people use: the one on PATH, or the package unpacked into the cache. Nothing
// is installed. Prints the path.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./setup.mjs";
import { withLock } from "./with-lock.mjs";

const PACKAGE = "kubernetes-client";
const say = (text) => process.stderr.write(`kubectl: ${text}\n`);

/** Absolute path; undefined, with a line that says why, where there is no Debian to take it from. */
async function debianKubectl() {
  const onPath = "/usr/bin/kubectl";
  const { stdout = "" } = spawnSync(onPath, ["version", "--client", "-o", "json"], { encoding: "utf8" });
  if (/"gitVersion": "v1\.20\./.test(stdout)) return onPath;
  const folder = join(cacheFolder(), "kubectl-debian");
  const program = join(folder, "usr", "bin", "kubectl");
  if (existsSync(program)) return program;
  mkdirSync(cacheFolder(), { recursive: true });
  await withLock(
    { file: join(cacheFolder(), ".kubectl-debian.lock"), onWait: () => say("another process fetches it") },
    () => {
      if (!existsSync(program)) fetchPackage(folder);
    },
  );
  return existsSync(program) ? program : undefined;
}

function fetchPackage(folder) {
  const work = mkdtempSync(join(cacheFolder(), ".kubectl-"));
  const apt = (...args) =>
    execFileSync("apt-get", ["-q", "-o", "APT::Sandbox::User=root", ...args], { cwd: work, stdio: "ignore" });
  try {
    try {
      apt("download", PACKAGE);
    } catch {
      apt("update");
      apt("download", PACKAGE);
    }
    const file = readdirSync(work).find((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("apt-get gave no package");
    execFileSync("dpkg", ["-x", join(work, file), join(work, "fresh")]);
    renameSync(join(work, "fresh"), folder);
  } catch (error) {
    say(`Debian's package ${PACKAGE} could not be fetched: ${error.message}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const program = await debianKubectl();
if (program === undefined) process.exit(1);
process.stdout.write(`${program}\n`);
