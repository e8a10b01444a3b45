// After `npm install`: completes package-lock.json. A registry that does not serve the binaries of other platforms makes
// npm leave their entries out, and `npm ci` then refuses the file everywhere. The missing entries are optional packages
// whose names tell their platform; with os and cpu given, npm passes over them. Also drops download addresses.
import { readFileSync, writeFileSync } from "node:fs";

const file = process.argv[2] ?? "package-lock.json";
const lock = JSON.parse(readFileSync(file, "utf8"));

const OS = {
  darwin: "darwin",
  linux: "linux",
  win32: "win32",
  windows: "win32",
  android: "android",
  freebsd: "freebsd",
  openbsd: "openbsd",
  netbsd: "netbsd",
  sunos: "sunos",
  aix: "aix",
  openharmony: "openharmony",
  wasi: "wasi",
};
const CPU = {
  x64: "x64",
  arm64: "arm64",
  arm: "arm",
  ia32: "ia32",
  ppc64: "ppc64",
  s390x: "s390x",
  riscv64: "riscv64",
  loong64: "loong64",
  mips64el: "mips64el",
  universal: undefined,
  wasm32: "wasm32",
};

function platformOf(name) {
  const words = name.split(/[/-]/).flatMap((word) => word.split("_"));
  const os = words.map((word) => OS[word]).find(Boolean) ?? "none";
  const cpu = words.map((word) => CPU[word]).find(Boolean) ?? "none";
  return { os: [os], cpu: [cpu] };
}

/** What `name` means inside the package at `path`, by Node's own rule: the nearest node_modules above. */
function resolve(path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    const found = lock.packages[folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`];
    if (found !== undefined || folder === "") return found;
  }
}

let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  delete entry.resolved;
  for (const [name, wanted] of Object.entries(entry.optionalDependencies ?? {})) {
    const version = wanted.replace(/^[^\d]*/, "");
    const found = resolve(path, name);
    if (found !== undefined && (found.version === version || version !== wanted)) continue;
    const top = `node_modules/${name}`;
    const place = lock.packages[top] === undefined ? top : `${path}/node_modules/${name}`;
    lock.packages[place] = { version, dev: entry.dev, optional: true, ...platformOf(name) };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
process.stdout.write(`${added} entries of other platforms added\n`);
