// Programs that this machine has, with the libraries that they load, as entries of a layer at the same paths. Where dpkg
// knows the package of a file, its version and its licence come along, in the place where scanners of images look.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram, ImagesError } from "./machine.mjs";

/** What the dynamic linker loads for a program, by the path that it asks for; the linker itself is among it. */
export function librariesOf(program) {
  const text = execFileSync("ldd", [program], { encoding: "utf8", env: { PATH: process.env.PATH, LC_ALL: "C" } });
  if (/not found/.test(text)) throw new ImagesError(`libraries of ${program} are missing on this machine:\n${text}`);
  return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path);
}

/** Entries of a program at `path` in the image, and of its libraries, each at its own path. */
export function programEntries(name, path, packageName) {
  const source = realProgram(name, packageName);
  return [{ type: "file", path, mode: 0o755, source }, ...libraryEntries([source])];
}

export function libraryEntries(programs) {
  const paths = new Set(programs.flatMap(librariesOf));
  return [...paths].map((path) => ({
    type: "file",
    path: imagePath(path),
    mode: 0o755,
    source: realpathSync(path),
    strip: true,
  }));
}

/** Images have real folders where a merged system has links: /lib is /lib, wherever it leads here. */
function imagePath(path) {
  return path.replace(/^\//, "");
}

export function realProgram(name, packageName) {
  const found = findProgram(name);
  if (found === undefined)
    throw new ImagesError(`${name} is missing: apt-get install -y --no-install-recommends ${packageName}`);
  return realpathSync(found);
}

/** The extension modules of iptables; the program looks for them where it was told when it was built. */
export function iptablesModules() {
  const candidates = [...librariesOf(realProgram("iptables", "iptables")).map(dirname), "/usr/lib64", "/usr/lib"];
  const folder = candidates
    .flatMap((lib) => [join(lib, "xtables"), join("/usr", lib, "xtables")])
    .find((path) => existsSync(path));
  if (folder === undefined) throw new ImagesError("the modules of iptables (folder xtables) were not found");
  const real = folder.replace(/^\/lib/, "/usr/lib");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".so"))
    .map((name) => ({
      type: "file",
      path: imagePath(join(real, name)),
      mode: 0o755,
      source: realpathSync(join(folder, name)),
      strip: true,
    }));
}

/**
 * For the files of a layer: dpkg's record of each package (var/lib/dpkg/status.d) and its licence. Empty on a machine
 * without dpkg.
 */
export function packageNotices(entries) {
  const files = [...new Set(entries.filter(({ source }) => source !== undefined).map(({ source }) => source))];
  return packagesOf(files).flatMap((name) => {
    const record = spawnSync("dpkg-query", ["-s", name], { encoding: "utf8" });
    if (record.status !== 0) return [];
    const plain = name.replace(/:.*/, "");
    const licence = join("/usr/share/doc", plain, "copyright");
    const notice = { type: "file", mode: 0o644 };
    const own = {
      ...notice,
      path: `var/lib/dpkg/status.d/${plain}`,
      content: Buffer.from(withoutConffiles(record.stdout)),
    };
    if (!existsSync(licence)) return [own];
    return [own, { ...notice, path: imagePath(licence), content: readFileSync(licence) }];
  });
}

/** dpkg knows a file by the path of its package: /lib/x for what a merged system shows as /usr/lib/x. */
function packagesOf(files) {
  if (findProgram("dpkg-query") === undefined) return [];
  const paths = files.flatMap((file) => [
    file,
    file.replace(/^\/usr\//, "/"),
    file.replace(/^\/(s?bin|lib)/, "/usr/$1"),
  ]);
  const { stdout } = spawnSync("dpkg-query", ["-S", ...new Set(paths)], { encoding: "utf8", maxBuffer: 16 << 20 });
  const names = (stdout ?? "").split("\n").flatMap((line) => line.match(/^([a-z0-9.+:-]+): \//)?.slice(1) ?? []);
  return [...new Set(names)].sort();
}

/** Which of its settings a machine has is the machine's own. */
function withoutConffiles(record) {
  return record.replace(/^Conffiles:\n(?: .*\n)*/m, "");
}
