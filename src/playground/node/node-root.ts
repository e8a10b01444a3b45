// What all containers of a node share: a layer that hides the host's private folders, and a small /dev.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "./run-command.ts";
import { shellQuote } from "./shell-quote.ts";

/** Of the host's root, what containers see; every other entry is hidden. */
const SHOWN = new Set(["bin", "dev", "etc", "gnu", "nix", "opt", "proc", "sbin", "sys", "usr", "var"]);

/**
 * What is hidden below the shown folders. What an image or a volume mounts at a hidden place still appears there.
 */
const HIDDEN = [
  "/etc/gshadow",
  "/etc/kubernetes",
  "/etc/shadow",
  "/etc/ssh",
  "/etc/ssl/private",
  "/var/backups",
  "/var/cache",
  "/var/lib",
  "/var/log",
  "/var/mail",
  "/var/spool",
  "/var/tmp",
];

/** name, major, minor */
const DEVICES = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
] as const;

/** Folders that are often file systems of their own, which an overlay of / does not show. */
const SYSTEM_FOLDERS = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc", "/opt", "/var", "/nix", "/gnu"];

export interface NodeRoot {
  /** A tmpfs; holds a folder for each pod. */
  readonly podsDirectory: string;
  readonly logsDirectory: string;
  /** The overlay layer above the host's root that hides things. */
  readonly hidingLayer: string;
  readonly devices: string;
  /** The overlay layer with which containers with a root file system of their own get the runtime's tools. */
  readonly toolsLayer: string;
  /** Mount points of the host that containers need beside its root. */
  readonly systemMounts: readonly string[];
  isHidden(path: string): boolean;
  remove(): Promise<void>;
}

/** Makes the shared parts anew below `stateDir`, after removing what an earlier run left there. */
export async function prepareNodeRoot(stateDir: string): Promise<NodeRoot> {
  const podsDirectory = join(stateDir, "pods");
  const logsDirectory = join(stateDir, "logs");
  const base = join(podsDirectory, "base");
  const [hidingLayer, devices] = [join(base, "hidden"), join(base, "dev")];
  await removeTree(podsDirectory);
  rmSync(logsDirectory, { recursive: true, force: true });
  mkdirSync(podsDirectory, { recursive: true });
  mkdirSync(logsDirectory, { recursive: true });
  const rootEntries = readdirSync("/").filter((name) => !SHOWN.has(name) && !name.startsWith("lib"));
  const hidden = [...rootEntries.map((name) => `/${name}`), ...HIDDEN, stateDir].filter((path) => existsSync(path));
  const outermost = hidden.filter((path) => !hidden.some((other) => path.startsWith(`${other}/`)));
  await runCommand("sh", ["-c", setUpScript({ podsDirectory, hidingLayer, devices, hidden: outermost })]);
  return {
    podsDirectory,
    logsDirectory,
    hidingLayer,
    devices,
    toolsLayer: join(base, "tools"),
    systemMounts: SYSTEM_FOLDERS.filter(isMountPoint),
    isHidden: (path) => outermost.some((folder) => path === folder || path.startsWith(`${folder}/`)),
    async remove() {
      await removeTree(podsDirectory);
      rmSync(logsDirectory, { recursive: true, force: true });
    },
  };
}

function setUpScript(paths: {
  podsDirectory: string;
  hidingLayer: string;
  devices: string;
  hidden: readonly string[];
}): string {
  const { hidingLayer, devices } = paths;
  const parents = [...new Set(paths.hidden.map((path) => dirname(path)))];
  return [
    "set -e",
    `mount -t tmpfs -o mode=0711 isthmus-pods ${shellQuote(paths.podsDirectory)}`,
    `mkdir -p ${[...parents.map((path) => join(hidingLayer, path)), join(devices, "pts"), join(devices, "shm")].map(shellQuote).join(" ")}`,
    // A character device 0:0 is how an overlay layer says that something below it does not exist.
    ...paths.hidden.map((path) => `mknod ${shellQuote(join(hidingLayer, path))} c 0 0`),
    `cd ${shellQuote(devices)}`,
    ...DEVICES.map(([name, major, minor]) => `mknod -m 666 ${name} c ${major} ${minor}`),
    ": > termination-log",
    "ln -s /proc/self/fd fd; ln -s fd/0 stdin; ln -s fd/1 stdout; ln -s fd/2 stderr; ln -s pts/ptmx ptmx",
  ].join("\n");
}

async function removeTree(podsDirectory: string): Promise<void> {
  if (existsSync(podsDirectory)) {
    const quoted = shellQuote(podsDirectory);
    // Lazily, and deepest first: what still holds a file open there must not keep the folder.
    await runCommand("sh", [
      "-c",
      `awk '{print $5}' /proc/self/mountinfo | sort -r | while read -r m; do case "$m" in ${quoted}|${quoted}/*) umount -l "$m" || true;; esac; done`,
    ]);
  }
  rmSync(podsDirectory, { recursive: true, force: true });
}

function isMountPoint(path: string): boolean {
  if (!existsSync(path) || readdirSync("/").indexOf(path.slice(1)) < 0) return false;
  return statSync(path).dev !== statSync("/").dev;
}
